//! An adapter and its driver: a client, or a session with virtual time; async and blocking.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use http::{Request, Response};
use point_auth::session::{Outcome, Policy, StoredTokens};
use point_auth::transport::{AsyncTransport, BlockingTransport, TransportSettings};
use point_auth::{
    BaseUrl, Client, Credentials, Error, HyperTransport, Observer, Operation, Refresh,
    RefreshToken, RequestError, ReqwestTransport, ResponseError, SecretBody, Session, SignIn,
    ThreadRuntime, TokenSet, TokioRuntime, UreqTransport, blocking,
};
use point_auth_testkit::{Emulator, VirtualTime};
use tokio::runtime::Runtime;

use crate::canaries::ACCESS;
use crate::scenes::Site;
use crate::shown::shows_no_secret;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adapter {
    Reqwest,
    Hyper,
    Ureq,
}

pub(crate) const ADAPTERS: [Adapter; 3] = [Adapter::Reqwest, Adapter::Hyper, Adapter::Ureq];

enum Transport {
    Async(Arc<dyn AsyncTransport>),
    Blocking(Arc<dyn BlockingTransport>),
}

impl Adapter {
    fn transport(self, settings: &TransportSettings) -> Transport {
        match self {
            Self::Reqwest => {
                Transport::Async(Arc::new(ReqwestTransport::with_settings(settings).unwrap()))
            }
            Self::Hyper => {
                Transport::Async(Arc::new(HyperTransport::with_settings(settings).unwrap()))
            }
            Self::Ureq => {
                Transport::Blocking(Arc::new(UreqTransport::with_settings(settings).unwrap()))
            }
        }
    }

    /// Returns the `Debug` output of a transport.
    pub(crate) fn shown(self, settings: &TransportSettings) -> String {
        match self {
            Self::Reqwest => format!("{:#?}", ReqwestTransport::with_settings(settings).unwrap()),
            Self::Hyper => format!("{:#?}", HyperTransport::with_settings(settings).unwrap()),
            Self::Ureq => format!("{:#?}", UreqTransport::with_settings(settings).unwrap()),
        }
    }
}

/// Sends through one adapter in one way.
pub(crate) struct Driver {
    adapter: Adapter,
    by_session: bool,
    runtime: Runtime,
}

impl Driver {
    pub(crate) fn client(adapter: Adapter) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        Self { adapter, by_session: false, runtime }
    }

    pub(crate) fn session(adapter: Adapter) -> Self {
        Self { by_session: true, ..Self::client(adapter) }
    }

    /// Checks that all works: a sign-in, a refresh, and an operation with the token that the server
    /// does not know.
    pub(crate) fn works(&self, site: &Site, emulator: &Emulator, credentials: &Credentials) {
        if self.by_session {
            let asking = self.asking(site, emulator, credentials);
            asking.token(self).unwrap();
            shows_no_secret("a session", &asking.shown());
            asking.time.advance(Duration::from_secs(55 * 60));
            asking.token(self).unwrap();
            asking.time.advance(Duration::from_secs(2 * 60 * 60));
            asking.token(self).unwrap();
            let error = asking.execute(self, &Nowhere).unwrap_err();
            shows_no_secret("an operation", &crate::shown::everything(&error));
            shows_no_secret("a session", &asking.shown());
            return;
        }
        let tokens = self.execute(site, &SignIn::new(credentials)).unwrap();
        shows_no_secret("a token set", &format!("{tokens:?} {tokens:#?}"));
        let tokens = self.execute(site, &Refresh::new(tokens.refresh_token().unwrap())).unwrap();
        shows_no_secret("a token set", &format!("{tokens:?} {tokens:#?}"));
    }

    /// Lets a sign-in fail.
    pub(crate) fn sign_in_fails(
        &self,
        site: &Site,
        emulator: &Emulator,
        credentials: &Credentials,
    ) -> Error {
        if !self.by_session {
            return self.execute(site, &SignIn::new(credentials)).map(drop).unwrap_err();
        }
        let asking = self.asking(site, emulator, credentials);
        let error = asking.token(self).map(drop).unwrap_err();
        shows_no_secret("a session", &asking.shown());
        error
    }

    /// Lets a refresh with this token fail, and with a session also the sign-in that may follow.
    pub(crate) fn refresh_fails(
        &self,
        site: &Site,
        emulator: &Emulator,
        credentials: &Credentials,
        refresh_token: &str,
    ) -> Error {
        if !self.by_session {
            let refresh_token = RefreshToken::new(refresh_token).unwrap();
            return self.execute(site, &Refresh::new(&refresh_token)).map(drop).unwrap_err();
        }
        let asking = self.asking(site, emulator, credentials);
        asking.restore(&tokens_of_before(site, emulator, credentials, refresh_token));
        let error = asking.token(self).map(drop).unwrap_err();
        shows_no_secret("a session", &asking.shown());
        error
    }

    fn execute<O: Operation>(&self, site: &Site, operation: &O) -> Result<O::Output, Error> {
        match self.adapter.transport(&site.settings) {
            Transport::Async(transport) => {
                let client = Client::new(transport)
                    .with_base_url(site.base_url.clone())
                    .with_total_timeout(site.timeout);
                shows_no_secret("a client", &format!("{client:?}"));
                self.runtime.block_on(client.execute(operation))
            }
            Transport::Blocking(transport) => {
                let client = blocking::Client::new(transport);
                let client =
                    client.with_base_url(site.base_url.clone()).with_total_timeout(site.timeout);
                shows_no_secret("a client", &format!("{client:?}"));
                client.execute(operation)
            }
        }
    }

    fn asking(&self, site: &Site, emulator: &Emulator, credentials: &Credentials) -> Asking {
        let policy = Policy::builder().with_attempts(1).build().unwrap();
        match self.adapter.transport(&site.settings) {
            Transport::Async(transport) => {
                let time = VirtualTime::new(emulator.clock(), TokioRuntime::new());
                let client = Client::new(transport)
                    .with_base_url(site.base_url.clone())
                    .with_total_timeout(site.timeout);
                let session = Session::builder(client)
                    .with_credentials(credentials.clone())
                    .with_policy(policy)
                    .with_runtime(time.clone())
                    .with_observer(Watching)
                    .build();
                Asking { time, session: AnySession::Async(session) }
            }
            Transport::Blocking(transport) => {
                let time = VirtualTime::new(emulator.clock(), ThreadRuntime::new());
                let client = blocking::Client::new(transport);
                let client =
                    client.with_base_url(site.base_url.clone()).with_total_timeout(site.timeout);
                let session = blocking::Session::builder(client)
                    .with_credentials(credentials.clone())
                    .with_policy(policy)
                    .with_runtime(time.clone())
                    .with_observer(Watching)
                    .build();
                Asking { time, session: AnySession::Blocking(session) }
            }
        }
    }
}

/// Returns tokens from two hours ago, so that the next exchange is a refresh.
fn tokens_of_before(
    site: &Site,
    emulator: &Emulator,
    credentials: &Credentials,
    refresh_token: &str,
) -> StoredTokens {
    let now = emulator.clock().now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let then = now - 2 * 60 * 60;
    let stored = serde_json::json!({
        "base": site.base_url.as_str(),
        "username": credentials.username(),
        "user_alias": null,
        "access_token": ACCESS.text(),
        "asked_at": then,
        "expires_in": 3600,
        "refresh_token": refresh_token,
        "refresh_token_came_at": then,
    });
    StoredTokens::from_json(stored.to_string().as_bytes()).unwrap()
}

struct Asking {
    time: VirtualTime,
    session: AnySession,
}

enum AnySession {
    Async(Session),
    Blocking(blocking::Session),
}

impl Asking {
    fn token(&self, driver: &Driver) -> Result<(), Error> {
        match &self.session {
            AnySession::Async(session) => driver.runtime.block_on(session.access_token()).map(drop),
            AnySession::Blocking(session) => session.access_token().map(drop),
        }
    }

    fn execute<O: Operation>(&self, driver: &Driver, operation: &O) -> Result<O::Output, Error> {
        match &self.session {
            AnySession::Async(session) => driver.runtime.block_on(session.execute(operation)),
            AnySession::Blocking(session) => session.execute(operation),
        }
    }

    fn restore(&self, stored: &StoredTokens) {
        match &self.session {
            AnySession::Async(session) => session.restore(stored.clone()).unwrap(),
            AnySession::Blocking(session) => session.restore(stored.clone()).unwrap(),
        }
    }

    fn shown(&self) -> String {
        match &self.session {
            AnySession::Async(session) => {
                format!(
                    "{session:?} {session:#?} {:#?} {:?}",
                    session.snapshot(),
                    session.stored_tokens()
                )
            }
            AnySession::Blocking(session) => {
                format!(
                    "{session:?} {session:#?} {:#?} {:?}",
                    session.snapshot(),
                    session.stored_tokens()
                )
            }
        }
    }
}

/// Prints all notifications of an observer.
struct Watching;

impl Observer for Watching {
    fn exchange_ended(&self, _: Option<&str>, outcome: &Outcome) {
        shows_no_secret("an outcome", &format!("{outcome:?} {outcome:#?}"));
    }

    fn tokens_changed(&self, _: Option<&str>, tokens: Option<&StoredTokens>) {
        shows_no_secret("stored tokens", &format!("{tokens:?} {tokens:#?}"));
    }
}

/// An operation that the server does not know.
struct Nowhere;

impl Operation for Nowhere {
    type Output = TokenSet;

    fn to_request(&self, base: &BaseUrl) -> Result<Request<SecretBody>, RequestError> {
        let unknown = RefreshToken::new("nothing").unwrap();
        let mut request = Refresh::new(&unknown).to_request(base)?;
        let uri = request.uri().to_string().replace("refreshIdToken", "nowhere");
        *request.uri_mut() = uri.parse().unwrap();
        Ok(request)
    }

    fn parse_response<B: AsRef<[u8]>>(
        &self,
        response: &Response<B>,
    ) -> Result<TokenSet, ResponseError> {
        Refresh::new(&RefreshToken::new("nothing").unwrap()).parse_response(response)
    }
}
