//! What the sessions of one login know, for a child process that is forked.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use point_auth_core::session::SessionMachine;

use super::{Aliases, Bounds, write};
use crate::driver::Driver;
use crate::handle::{Handle, Plan};
use crate::login::Login;

/// A login without sessions, and what each of its sessions knows.
pub(crate) struct Forked {
    login: Arc<Login>,
    sessions: Vec<(Arc<str>, SessionMachine)>,
}

impl Aliases {
    pub(crate) fn forked(&self) -> Forked {
        let sessions = self.all().into_iter();
        let sessions = sessions.map(|(alias, handle)| (alias.into(), handle.0.forked()));
        // The sessions first: a sign-in that ends in between is in the login.
        let sessions = sessions.collect();
        Forked { login: self.login.forked(self.common.runtime.now()), sessions }
    }

    /// Goes on in a child process.
    pub(crate) fn after_fork(plan: Plan, bounds: Bounds, forked: Forked) -> Arc<Self> {
        let aliases = Self::with_login(plan, bounds, forked.login);
        for (alias, session) in forked.sessions {
            let driver = Driver::new(Arc::clone(&aliases.common), Arc::clone(&alias), session);
            write(aliases.shard(&alias)).sessions.insert(alias, Handle::new(driver));
            aliases.count.fetch_add(1, Ordering::Relaxed);
        }
        Arc::new(aliases)
    }
}
