//! [`SessionsSnapshot`]: what is going on in all sessions of one login.

use point_auth_core::session::{Counts, LedgerSnapshot, State};

/// What is going on in all sessions of one login. Nothing in it is secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionsSnapshot {
    pub(super) states: Vec<(State, usize)>,
    /// The sum of what the sessions that are kept have done so far.
    pub counts: Counts,
    /// What the ledger knows of the password that was used last.
    pub ledger: LedgerSnapshot,
}

impl SessionsSnapshot {
    /// Returns how many sessions are in this state.
    pub fn in_state(&self, state: State) -> usize {
        self.states.iter().find(|(one, _)| *one == state).map_or(0, |(_, count)| *count)
    }

    /// Returns how many sessions there are.
    pub fn sessions(&self) -> usize {
        self.states.iter().map(|(_, count)| count).sum()
    }
}
