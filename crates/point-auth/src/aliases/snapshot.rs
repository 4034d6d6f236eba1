//! [`SessionsSnapshot`]: the state of all sessions of one login.

use point_auth_core::session::{Counts, LedgerSnapshot, State};

/// The state of all sessions of one login. It holds no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionsSnapshot {
    pub(super) states: Vec<(State, usize)>,
    /// The sum of the counters of the sessions that are kept.
    pub counts: Counts,
    /// What the ledger knows of the last used password.
    pub ledger: LedgerSnapshot,
}

impl SessionsSnapshot {
    /// Returns the number of sessions in this state.
    pub fn in_state(&self, state: State) -> usize {
        self.states.iter().find(|(one, _)| *one == state).map_or(0, |(_, count)| *count)
    }

    /// Returns the number of sessions.
    pub fn sessions(&self) -> usize {
        self.states.iter().map(|(_, count)| count).sum()
    }
}
