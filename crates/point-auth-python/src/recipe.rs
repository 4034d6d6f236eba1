//! [`Recipe`]: how a session is built, in this process and again in each forked child.

use std::sync::Arc;

use point_auth::blocking::{Client, Session, SessionBuilder, Sessions, SessionsBuilder};
use point_auth::transport::SettingsError;
use point_auth::{Credentials, blocking};
use pyo3::prelude::*;

use crate::callables::{Dispatcher, Shared, Source};
use crate::runtime::OwnRuntime;
use crate::secrets;
use crate::settings::Settings;
use crate::stores::Store;
use crate::transport::LazyTransport;

pub(crate) struct Recipe {
    pub(crate) settings: Settings,
    credentials: Given,
    store: Option<Store>,
    signs_in_without_store: bool,
    dispatcher: Shared,
    /// How many aliases sign in at once, for sessions of many aliases.
    pub(crate) most_sign_ins: Option<usize>,
}

enum Given {
    None,
    Value(Credentials),
    Source(Arc<Source>),
}

/// Many builders of one source.
struct SharedSource(Arc<Source>);

impl blocking::CredentialSource for SharedSource {
    fn credentials(&self) -> Result<Credentials, blocking::BoxError> {
        self.0.credentials()
    }

    fn owner(&self) -> Option<(String, Option<String>)> {
        self.0.owner()
    }
}

impl Recipe {
    #[expect(clippy::too_many_arguments, reason = "each is an argument of a session")]
    pub(crate) fn new(
        settings: &Bound<'_, Settings>,
        username: Option<String>,
        password: Option<&Bound<'_, PyAny>>,
        user_alias: Option<String>,
        credentials: Option<Py<PyAny>>,
        store: Option<&Bound<'_, PyAny>>,
        signs_in_without_store: bool,
        dispatcher: Py<PyAny>,
        has_observers: bool,
    ) -> PyResult<Self> {
        let credentials = match (credentials, username, password) {
            (Some(callable), ..) => Given::Source(Arc::new(Source { callable, owner: None })),
            (None, Some(username), Some(password)) => match password.extract::<String>() {
                Ok(password) => {
                    let user_alias = user_alias.as_deref();
                    Given::Value(secrets::credentials(&username, password, user_alias)?)
                }
                Err(_) => {
                    let (callable, owner) = (password.clone().unbind(), (username, user_alias));
                    Given::Source(Arc::new(Source { callable, owner: Some(owner) }))
                }
            },
            _ => Given::None,
        };
        Ok(Self {
            settings: settings.get().clone(),
            credentials,
            store: store.map(Store::of).transpose()?,
            signs_in_without_store,
            dispatcher: Shared(Arc::new(Dispatcher { object: dispatcher, has_observers })),
            most_sign_ins: None,
        })
    }

    pub(crate) const fn has_store(&self) -> bool {
        self.store.is_some()
    }

    fn client(&self, transport: LazyTransport) -> Client<LazyTransport> {
        let mut client = Client::new(transport)
            .with_base_url(self.settings.base_url.clone())
            .with_user_agent(&self.settings.user_agent);
        if let Some(timeout) = self.settings.connect_timeout {
            client = client.with_connect_timeout(timeout);
        }
        if let Some(timeout) = self.settings.total_timeout {
            client = client.with_total_timeout(timeout);
        }
        client
    }

    /// A transport that is built now, so that bad settings are told to the caller.
    fn built_transport(&self) -> Result<LazyTransport, SettingsError> {
        let transport = self.transport();
        transport.build()?;
        Ok(transport)
    }

    fn transport(&self) -> LazyTransport {
        LazyTransport::new(self.settings.transport.clone())
    }

    pub(crate) fn session(&self) -> Result<Session, SettingsError> {
        Ok(self.session_builder(self.built_transport()?, false).build())
    }

    pub(crate) fn session_after_fork(&self, forked: blocking::ForkedSession) -> Session {
        self.session_builder(self.transport(), true).build_after_fork(forked)
    }

    fn session_builder(&self, transport: LazyTransport, is_child: bool) -> SessionBuilder {
        let mut builder = Session::builder(self.client(transport))
            .with_policy(self.settings.policy.clone())
            .with_runtime(OwnRuntime::new())
            .with_observer(self.dispatcher.clone());
        builder = match &self.credentials {
            Given::None => builder,
            Given::Value(credentials) => builder.with_credentials(credentials.clone()),
            Given::Source(source) => {
                builder.with_credential_source(SharedSource(Arc::clone(source)))
            }
        };
        if let Some(store) = &self.store {
            builder = store.on_session(builder, is_child);
        }
        if self.signs_in_without_store {
            builder = builder.with_sign_in_during_store_outage();
        }
        builder
    }

    pub(crate) fn sessions(&self) -> Result<Sessions, SettingsError> {
        Ok(self.sessions_builder(self.built_transport()?, false).build())
    }

    pub(crate) fn sessions_after_fork(&self, forked: blocking::ForkedSessions) -> Sessions {
        self.sessions_builder(self.transport(), true).build_after_fork(forked)
    }

    fn sessions_builder(&self, transport: LazyTransport, is_child: bool) -> SessionsBuilder {
        let mut builder = Sessions::builder(self.client(transport))
            .with_policy(self.settings.policy.clone())
            .with_runtime(OwnRuntime::new())
            .with_observer(self.dispatcher.clone());
        builder = match &self.credentials {
            Given::None => builder,
            Given::Value(credentials) => builder.with_credentials(credentials.clone()),
            Given::Source(source) => {
                builder.with_credential_source(SharedSource(Arc::clone(source)))
            }
        };
        if let Some(store) = &self.store {
            builder = store.on_sessions(builder, is_child);
        }
        if self.signs_in_without_store {
            builder = builder.with_sign_in_during_store_outage();
        }
        if let Some(most) = self.most_sign_ins {
            builder = builder.with_max_concurrent_sign_ins(most);
        }
        builder
    }
}
