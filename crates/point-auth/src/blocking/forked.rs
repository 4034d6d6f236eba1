//! [`ForkedSession`] and [`ForkedSessions`]: what a session knows, for a child process.

use std::fmt;

use point_auth_core::session::SessionMachine;

use super::{Session, SessionBuilder, Sessions, SessionsBuilder};
use crate::aliases::{Aliases, Forked};

/// What a session knows at a fork: tokens, credentials, denials and delays.
///
/// Neither the threads of a process nor its locks and connections outlive a fork. So a child does
/// not use a session of its parent. It builds one of its own that goes on with what the parent
/// knows:
///
/// 1. Before the fork, the parent calls [`Session::before_fork`].
/// 2. In the child, [`SessionBuilder::build_after_fork`] builds the session, with a new transport,
///    a new store and a new runtime. The timers of a [`ThreadRuntime`](crate::ThreadRuntime) need a
///    thread of the parent, so give it a runtime with [timers](crate::Runtime::sleep_until) of its
///    own if the parent may have waited before.
/// 3. In the child, the old session is leaked with [`std::mem::forget`]: to drop it may wait for a
///    lock for good.
///
/// The exchange in flight is the parent's. For the child it has an unknown outcome: a refresh is
/// started again, a sign-in not before a second.
///
/// `Debug` shows no secret.
#[must_use]
pub struct ForkedSession(SessionMachine);

/// What the sessions of one login know at a fork. See [`ForkedSession`].
#[must_use]
pub struct ForkedSessions(Forked);

impl Session {
    /// Copies what the session knows, for a child process that is about to be forked.
    pub fn before_fork(&self) -> ForkedSession {
        ForkedSession(self.handle.0.forked())
    }
}

impl SessionBuilder {
    /// Creates a session that goes on with what a session of the parent process knew.
    ///
    /// Credentials of the builder are ignored: those of the parent's session stay. A credential
    /// source has to be set again.
    pub fn build_after_fork(self, forked: ForkedSession) -> Session {
        Session::of(self.plan.build_with(Some(forked.0)))
    }
}

impl Sessions {
    /// Copies what the sessions know, for a child process that is about to be forked.
    pub fn before_fork(&self) -> ForkedSessions {
        ForkedSessions(self.aliases.forked())
    }
}

impl SessionsBuilder {
    /// Creates sessions that go on with what those of the parent process knew.
    ///
    /// Credentials and a credential source of the builder are ignored: those of the parent stay.
    pub fn build_after_fork(self, forked: ForkedSessions) -> Sessions {
        Sessions { aliases: Aliases::after_fork(self.plan, self.bounds, forked.0) }
    }
}

impl fmt::Debug for ForkedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForkedSession").finish_non_exhaustive()
    }
}

impl fmt::Debug for ForkedSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForkedSessions").finish_non_exhaustive()
    }
}
