//! The one place that turns a profile into a session of the library.

mod exchanges;
#[cfg(feature = "proxy")]
pub(crate) mod for_tasks;
mod kept;
mod lazy;
mod sign_in;

use std::sync::Arc;
use std::time::Duration;

use point_auth::blocking::{Client, Session};
use point_auth::session::{Lease, Policy};

use self::exchanges::{Exchanges, Watching};
use self::lazy::LazyTransport;

pub(crate) use self::exchanges::Event;
pub(crate) use self::kept::KeptTokens;
pub(crate) use self::sign_in::sign_in;
use crate::failure::{Failure, Result};
use crate::output;
use crate::password::{PasswordFrom, Source};
use crate::profile::{Profile, Store};

/// How long a person may take at the prompt.
const AT_THE_PROMPT: Duration = Duration::from_secs(3 * 60);

/// After the token is there, the store is told of it. The library gives it two seconds.
const TO_SETTLE: Duration = Duration::from_secs(5);

/// A session and what is in flight in it.
pub(crate) struct OpenSession {
    pub(crate) session: Session,
    exchanges: Arc<Exchanges>,
}

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// One token that is good for this time. The program ends afterwards.
    Once(Duration),
    /// Tokens for as long as the program runs.
    Lasting,
}

impl OpenSession {
    /// Opens the store and builds the session. Nothing is sent, and the source of the password is
    /// not asked.
    pub(crate) fn open(profile: &Profile, purpose: Use) -> Result<Self> {
        let source = profile.credential_source()?;
        let source = if purpose == Use::Lasting { source.lasting() } else { source };
        Self::with_source(profile, purpose, source, profile.store.open()?)
    }

    pub(crate) fn with_source(
        profile: &Profile,
        purpose: Use,
        source: Source,
        store: Store,
    ) -> Result<Self> {
        let exchanges = Arc::<Exchanges>::default();
        let builder = Session::builder(client(profile))
            .with_credential_source(source)
            .with_policy(policy(profile, purpose)?)
            .with_observer(Watching(Arc::clone(&exchanges)));
        let builder = match store {
            Store::Files(store) => builder.with_store(store),
            #[cfg(feature = "redis")]
            Store::Redis(store) => builder.with_store(store),
        };
        Ok(Self { session: builder.build(), exchanges })
    }

    /// Tells `listener` what the session does from now on.
    pub(crate) fn telling(self, listener: impl Fn(Event) + Send + Sync + 'static) -> Self {
        self.exchanges.listen(listener);
        self
    }

    /// Waits until the store has been told of an exchange in flight.
    pub(crate) fn finish(&self) {
        self.exchanges.wait_for_end(TO_SETTLE);
    }

    /// Returns a token with its end, once the store has been told of a new one.
    pub(crate) fn lease(&self) -> Result<Lease> {
        let lease = self.session.lease();
        // A process that ends before would leave the others without these tokens.
        let has_settled = self.exchanges.wait_for_end(TO_SETTLE);
        if lease.is_ok() {
            match self.exchanges.store_problem() {
                Some(problem) => output::note(&format!("the tokens were not kept: {problem}")),
                None if !has_settled => output::note("the tokens were not kept in time"),
                None => {}
            }
        }
        Ok(lease?)
    }
}

/// A client of the profile's API, whose transport is built at its first request.
pub(crate) fn client(profile: &Profile) -> Client<LazyTransport> {
    let transport = LazyTransport::new(profile.network.clone());
    let mut client = Client::new(transport).with_base_url(profile.base_url.clone());
    if let Some(timeout) = profile.network.connect_timeout {
        client = client.with_connect_timeout(timeout);
    }
    if let Some(timeout) = profile.network.total_timeout {
        client = client.with_total_timeout(timeout);
    }
    client
}

fn policy(profile: &Profile, purpose: Use) -> Result<Policy> {
    let default = Policy::default();
    let mut exchange = default.exchange_timeout();
    exchange = exchange.max(profile.network.total_timeout.unwrap_or_default());
    let mut wait = profile.wait;
    if matches!(profile.password, PasswordFrom::Prompt) {
        (exchange, wait) = (exchange.max(AT_THE_PROMPT), wait.max(AT_THE_PROMPT));
    }
    let mut builder = Policy::builder().with_exchange_timeout(exchange).with_acquire_timeout(wait);
    if let Use::Once(least) = purpose {
        // A refresh beside a good token would end with the program, so callers wait for it.
        let window = default.mandatory_window().max(least);
        builder = builder.with_mandatory_window(window).with_advisory_window(window);
    }
    builder.build().map_err(|error| Failure::other("usage", &error))
}
