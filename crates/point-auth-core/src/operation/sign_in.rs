//! `POST /user-management-services-ws/oauth2/002/signInWithPassword`
//!
//! API reference, "Sign In With Password". Body: `username`, `password` and, where a company shares
//! one login, `useralias`, which is omitted when it is not set.

use http::{Request, Response};
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::operation::{Operation, json_post};
use crate::{BaseUrl, Credentials, RequestError, ResponseError, SecretBody, TokenSet, answer};

/// Obtains tokens with a username and a password.
///
/// A denied sign-in counts against the account. Do not send it again until the credentials change.
#[derive(Clone, Copy, Debug)]
pub struct SignIn<'a> {
    credentials: &'a Credentials,
}

impl<'a> SignIn<'a> {
    /// The path below the base URL.
    pub const PATH: &'static str = "/user-management-services-ws/oauth2/002/signInWithPassword";

    /// Creates a sign-in with `credentials`.
    pub const fn new(credentials: &'a Credentials) -> Self {
        Self { credentials }
    }

    /// Parses the response for a caller that knows more secrets than the request holds.
    pub(crate) fn parse_beside<B: AsRef<[u8]>>(
        &self,
        response: &Response<B>,
        [access_token, refresh_token]: [&str; 2],
    ) -> Result<TokenSet, ResponseError> {
        let password = self.credentials.password().expose_secret();
        answer::token_set(
            response,
            Self::MAX_RESPONSE_BYTES,
            &[password, access_token, refresh_token],
        )
    }
}

#[derive(Serialize)]
struct Body<'a> {
    username: &'a str,
    password: &'a str,
    #[serde(rename = "useralias", skip_serializing_if = "Option::is_none")]
    user_alias: Option<&'a str>,
}

impl Operation for SignIn<'_> {
    type Output = TokenSet;

    fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
        let body = SecretBody::json(&Body {
            username: self.credentials.username(),
            password: self.credentials.password().expose_secret(),
            user_alias: self.credentials.user_alias(),
        })?;
        json_post(base, Self::PATH, body)
    }

    fn parse_response<B: AsRef<[u8]>>(
        &self,
        response: &Response<B>,
    ) -> Result<TokenSet, ResponseError> {
        self.parse_beside(response, [""; 2])
    }
}
