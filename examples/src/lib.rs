//! Shared code of the examples: a server to sign in to, and an operation that needs the token. Also
//! transports to start from: [`fifteen_lines`], [`device`], [`tower_stack`] and (with the feature
//! `curl`) `enterprise`. And an observer that stores tokens: [`token_file`].

pub mod connections;
pub mod create_loan;
pub mod device;
#[cfg(feature = "curl")]
pub mod enterprise;
pub mod fifteen_lines;
pub mod my_stack;
pub mod sockets;
pub mod token_file;
pub mod tower_stack;

use std::env;
use std::error::Error;

use http::header::AUTHORIZATION;
use http::{Request, Response};
use point_auth::operation::{json_post, success_body};
use point_auth::transport::{Roots, TlsSettings, TransportSettings};
use point_auth::{
    AccessToken, BaseUrl, Credentials, EnvironmentCredentials, MalformedReason, Operation,
    RequestError, ResponseError, SecretBody,
};
use point_auth_testkit::Emulator;

/// The server of the examples: an emulator of the API that they start, or a server from the
/// environment.
#[derive(Debug)]
#[non_exhaustive]
pub struct Place {
    /// The base URL of the API.
    pub base_url: BaseUrl,
    /// The credentials.
    pub credentials: Credentials,
    /// The transport settings, with the trusted roots.
    pub settings: TransportSettings,
    /// The emulator, which stops on drop. `None` for a server from the environment.
    pub emulator: Option<Emulator>,
}

impl Place {
    /// Returns the server that the environment names, or starts an emulator with TLS.
    ///
    /// The variables are `POINT_AUTH_BASE_URL`, `POINT_AUTH_USERNAME`, `POINT_AUTH_PASSWORD` and
    /// the optional `POINT_AUTH_USERALIAS`. Without the first of them, an emulator is started.
    ///
    /// # Errors
    /// When a variable is missing or wrong, or the emulator cannot start.
    pub fn from_environment() -> Result<Self, Box<dyn Error>> {
        match env::var("POINT_AUTH_BASE_URL") {
            Ok(base_url) => Self::server(&base_url),
            Err(env::VarError::NotPresent) => Self::emulator(),
            Err(error) => Err(error.into()),
        }
    }

    fn server(base_url: &str) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            base_url: BaseUrl::parse(base_url)?,
            credentials: EnvironmentCredentials::new().read()?,
            settings: TransportSettings::new(),
            emulator: None,
        })
    }

    // ANCHOR: emulator
    /// Starts an emulator with TLS and a new certificate authority.
    ///
    /// # Errors
    /// When it cannot start.
    pub fn emulator() -> Result<Self, Box<dyn Error>> {
        let emulator =
            Emulator::builder().user("user@example.com", "correct horse").with_tls().start()?;
        let tls = TlsSettings::new()
            .with_roots(Roots::ExtraOnly)
            .with_extra_roots_pem(emulator.ca_pem().as_bytes())?;
        Ok(Self {
            base_url: BaseUrl::parse(&emulator.base_url())?,
            credentials: Credentials::new("user@example.com", "correct horse")?
                .with_user_alias("jane")?,
            settings: TransportSettings::new().with_tls(tls),
            emulator: Some(emulator),
        })
    }
    // ANCHOR_END: emulator
}

// ANCHOR: operation
/// `POST /point-auth-emulator/whoami`, an example of a request that needs an access token.
///
/// By default it has no token, for a session, which sets its own.
#[derive(Debug, Default)]
pub struct WhoAmI<'a> {
    access_token: Option<&'a AccessToken>,
}

impl<'a> WhoAmI<'a> {
    /// Creates the operation with `access_token`.
    pub const fn new(access_token: &'a AccessToken) -> Self {
        Self { access_token: Some(access_token) }
    }
}

impl Operation for WhoAmI<'_> {
    type Output = String;

    fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
        let mut request = json_post(base, "/point-auth-emulator/whoami", SecretBody::json(&())?)?;
        if let Some(access_token) = self.access_token {
            request.headers_mut().insert(AUTHORIZATION, access_token.header_value());
        }
        Ok(request)
    }

    fn parse_response<B: AsRef<[u8]>>(
        &self,
        response: &Response<B>,
    ) -> Result<String, ResponseError> {
        let secret = self.access_token.map_or("", AccessToken::expose);
        let body = success_body(response, Self::MAX_RESPONSE_BYTES, &[secret])?;
        let malformed = ResponseError::malformed(MalformedReason::Other("there is no username"));
        let answer: serde_json::Value =
            serde_json::from_slice(body).map_err(|_| malformed.clone())?;
        answer.get("username").and_then(|name| name.as_str()).map(str::to_owned).ok_or(malformed)
    }
}
// ANCHOR_END: operation

/// The code in the README and in the book compiles. Blocks marked `ignore` are parts of examples,
/// which are compiled by themselves.
#[cfg(doctest)]
mod book {
    #[doc = include_str!("../../README.md")]
    mod readme {}
    #[doc = include_str!("../../docs/src/how-to/async-service.md")]
    mod async_service {}
    #[doc = include_str!("../../docs/src/how-to/blocking-program.md")]
    mod blocking_program {}
    #[doc = include_str!("../../docs/src/how-to/credentials-on-demand.md")]
    mod credentials_on_demand {}
    #[doc = include_str!("../../docs/src/how-to/errors.md")]
    mod errors {}
    #[doc = include_str!("../../docs/src/how-to/proxy-and-tls.md")]
    mod proxy_and_tls {}
    #[doc = include_str!("../../docs/src/how-to/share-tokens-in-redis.md")]
    mod share_tokens_in_redis {}
    #[doc = include_str!("../../docs/src/how-to/share-tokens.md")]
    mod share_tokens {}
    #[doc = include_str!("../../docs/src/reference/policy.md")]
    mod policy {}
    #[doc = include_str!("../../docs/src/tutorial/first-token.md")]
    mod first_token {}
}
