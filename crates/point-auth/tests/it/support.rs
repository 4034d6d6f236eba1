//! An emulator with TLS, and every adapter pointed at it.

use std::sync::Arc;
use std::time::Duration;

use point_auth::transport::{
    AsyncTransport, BlockingTransport, Roots, SendLimits, TlsSettings, TransportError,
    TransportSettings, async_trait,
};
use point_auth::{
    BaseUrl, Client, Credentials, Error, HyperTransport, Operation, ReqwestTransport, SecretBody,
    TokenSet, UreqTransport, blocking,
};
use point_auth_testkit::Emulator;

pub(crate) const USERNAME: &str = "user@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery staple";

pub(crate) fn emulator() -> Emulator {
    Emulator::builder().user(USERNAME, PASSWORD).with_tls().start().unwrap()
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new(USERNAME, PASSWORD).unwrap()
}

pub(crate) fn settings(emulator: &Emulator) -> TransportSettings {
    let tls = TlsSettings::new().with_roots(Roots::ExtraOnly);
    TransportSettings::new()
        .with_tls(tls.with_extra_roots_pem(emulator.ca_pem().as_bytes()).unwrap())
}

pub(crate) fn base_url(emulator: &Emulator) -> BaseUrl {
    BaseUrl::parse(&emulator.base_url()).unwrap()
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A client of any kind, driven from a plain thread.
pub(crate) enum AnyClient {
    Async(tokio::runtime::Runtime, Client<Arc<dyn AsyncTransport>>),
    Blocking(blocking::Client<Arc<dyn BlockingTransport>>),
}

impl AnyClient {
    pub(crate) fn with_timeouts(self, connect: Duration, total: Duration) -> Self {
        match self {
            Self::Async(runtime, client) => {
                Self::Async(runtime, client.with_connect_timeout(connect).with_total_timeout(total))
            }
            Self::Blocking(client) => {
                Self::Blocking(client.with_connect_timeout(connect).with_total_timeout(total))
            }
        }
    }

    pub(crate) fn execute<O: Operation>(&self, operation: &O) -> Result<O::Output, Error> {
        match self {
            Self::Async(runtime, client) => runtime.block_on(client.execute(operation)),
            Self::Blocking(client) => client.execute(operation),
        }
    }
}

impl AnyClient {
    pub(crate) fn sign_in(&self, credentials: &Credentials) -> Result<TokenSet, Error> {
        match self {
            Self::Async(runtime, client) => runtime.block_on(client.sign_in(credentials)),
            Self::Blocking(client) => client.sign_in(credentials),
        }
    }
}

/// Returns one client of each adapter, by name.
pub(crate) fn all_clients(
    settings: &TransportSettings,
    base_url: &BaseUrl,
) -> Vec<(&'static str, AnyClient)> {
    let asynchronous = |transport: Arc<dyn AsyncTransport>| {
        AnyClient::Async(runtime(), Client::new(transport).with_base_url(base_url.clone()))
    };
    let blocking = |transport: Arc<dyn BlockingTransport>| {
        AnyClient::Blocking(blocking::Client::new(transport).with_base_url(base_url.clone()))
    };
    vec![
        ("reqwest", asynchronous(Arc::new(ReqwestTransport::with_settings(settings).unwrap()))),
        ("hyper", asynchronous(Arc::new(HyperTransport::with_settings(settings).unwrap()))),
        ("ureq", blocking(Arc::new(UreqTransport::with_settings(settings).unwrap()))),
    ]
}

/// A transport that returns one response, or fails in one way, without a server. It is for cases
/// that no server can produce.
pub(crate) struct Canned<F>(pub(crate) F);

#[async_trait]
impl<F> AsyncTransport for Canned<F>
where
    F: Fn(
            &http::Request<SecretBody>,
            &SendLimits,
        ) -> Result<http::Response<SecretBody>, TransportError>
        + Send
        + Sync,
{
    async fn send(
        &self,
        request: http::Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<http::Response<SecretBody>, TransportError> {
        (self.0)(&request, limits)
    }
}

impl<F> BlockingTransport for Canned<F>
where
    F: Fn(
            &http::Request<SecretBody>,
            &SendLimits,
        ) -> Result<http::Response<SecretBody>, TransportError>
        + Send
        + Sync,
{
    fn send(
        &self,
        request: http::Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<http::Response<SecretBody>, TransportError> {
        (self.0)(&request, limits)
    }
}
