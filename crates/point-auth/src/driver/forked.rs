//! What a session knows, for a child process that is forked.

use point_auth_core::session::SessionMachine;

use super::Driver;
use crate::handle::seed;

impl Driver {
    pub(crate) fn forked(&self) -> SessionMachine {
        let now = self.now();
        self.lock().session.forked(seed(), now)
    }
}
