//! Sessions for a program that runs on tokio and lasts.

use std::sync::Arc;
use std::time::Duration;

use point_auth::session::{ExchangeKind, Outcome};
use point_auth::{
    BoxError, Client, CredentialSource, Credentials, HyperTransport, Observer, Session, Sessions,
    StoreEvent,
};
use tokio::sync::watch;

use super::{TO_SETTLE, Use, policy};
use crate::failure::{Failure, Result, chain};
use crate::output;
use crate::password::Source;
use crate::profile::Profile;

/// A client of another program waits no longer for a token, whatever a person would do.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// Opens the store and builds a session. Nothing is sent.
pub(crate) fn open(profile: &Profile, exchanges: &InFlight) -> Result<Session> {
    let profile = &with_short_wait(profile);
    let builder = Session::builder(client(profile)?)
        .with_policy(policy(profile, Use::Lasting)?)
        .with_credential_source(Asking::new(profile)?)
        .with_store(profile.store.open_async()?)
        .with_observer(Noting(exchanges.clone()));
    Ok(builder.build())
}

/// Opens the store and builds the sessions of a login. Nothing is sent.
pub(crate) fn open_by_alias(profile: &Profile, exchanges: &InFlight) -> Result<Sessions> {
    let profile = &with_short_wait(profile);
    let builder = Sessions::builder(client(profile)?)
        .with_policy(policy(profile, Use::Lasting)?)
        .with_credential_source(Asking::new(profile)?)
        .with_store(profile.store.open_async()?)
        .with_observer(Noting(exchanges.clone()));
    Ok(builder.build())
}

fn with_short_wait(profile: &Profile) -> Profile {
    let mut profile = profile.clone();
    profile.wait = profile.wait.min(LONGEST_WAIT);
    profile
}

fn client(profile: &Profile) -> Result<Client<HyperTransport>> {
    let settings = profile.network.transport_settings()?;
    let transport = HyperTransport::with_settings(&settings)
        .map_err(|error| Failure::other("settings", &error))?;
    let mut client = Client::new(transport).with_base_url(profile.base_url.clone());
    if let Some(timeout) = profile.network.connect_timeout {
        client = client.with_connect_timeout(timeout);
    }
    if let Some(timeout) = profile.network.total_timeout {
        client = client.with_total_timeout(timeout);
    }
    Ok(client)
}

/// The profile's source, which may run a program or ask a person.
struct Asking(Arc<Source>);

impl Asking {
    fn new(profile: &Profile) -> Result<Self> {
        Ok(Self(Arc::new(profile.credential_source()?.lasting())))
    }
}

#[point_auth::transport::async_trait]
impl CredentialSource for Asking {
    async fn credentials(&self) -> Result<Credentials, BoxError> {
        let source = Arc::clone(&self.0);
        Ok(tokio::task::spawn_blocking(move || source.read()).await??)
    }

    fn owner(&self) -> Option<(String, Option<String>)> {
        point_auth::blocking::CredentialSource::owner(&*self.0)
    }
}

/// The exchanges in flight, of all sessions of the program.
#[derive(Clone, Default)]
pub(crate) struct InFlight(watch::Sender<usize>);

impl InFlight {
    /// Waits until the store has been told of the exchanges in flight. A program that ends before
    /// would leave the others without these tokens.
    pub(crate) async fn finish(&self) {
        let mut count = self.0.subscribe();
        let ended = count.wait_for(|count| *count == 0);
        let _is_in_time = tokio::time::timeout(TO_SETTLE, ended).await.is_ok();
    }
}

/// Notes on standard error what an operator has to know. An alias is personal data and left out.
struct Noting(InFlight);

impl Observer for Noting {
    fn exchange_began(&self, _: Option<&str>, _: ExchangeKind, _: u32) {
        self.0.0.send_modify(|count| *count = count.saturating_add(1));
    }

    // The session calls it after it has told the store; also for an exchange that did not begin.
    fn exchange_ended(&self, _: Option<&str>, outcome: &Outcome) {
        self.0.0.send_modify(|count| *count = count.saturating_sub(1));
        match outcome {
            Outcome::Denied { denial, .. } => {
                output::note(&format!("the sign-in was denied: {denial}"));
            }
            Outcome::Failed { error, .. } => output::note(&format!("no token: {}", chain(error))),
            _ => {}
        }
    }

    fn store_event(&self, _: Option<&str>, event: &StoreEvent) {
        match event {
            StoreEvent::Unavailable(why) => {
                output::note(&format!("the token store cannot be used: {}", chain(why)));
            }
            StoreEvent::Unreadable(why) | StoreEvent::Alone(why) => {
                output::note(&format!("the token store is not shared: {}", chain(why)));
            }
            _ => {}
        }
    }
}
