//! The credential source, and the result of a credential request.

use point_auth_core::Credentials;
use point_auth_core::session::{ExchangeId, Failure, Rejected};

use super::Scenario;

/// One credential request and its result.
#[must_use]
pub(crate) struct Source<'a> {
    pub(super) scenario: &'a mut Scenario,
    pub(crate) id: ExchangeId,
}

impl<'a> Source<'a> {
    /// Credentials that start a sign-in.
    #[track_caller]
    pub(crate) fn gives(self, credentials: Credentials) -> &'a mut Scenario {
        let exchange = self.scenario.session.sign_in_with(self.id, self.scenario.now, credentials);
        self.scenario.in_flight = Some(*exchange.unwrap());
        self.scenario
    }

    /// Credentials that start none.
    #[track_caller]
    pub(crate) fn gives_unusable(self, credentials: Credentials) -> &'a mut Scenario {
        let exchange = self.scenario.session.sign_in_with(self.id, self.scenario.now, credentials);
        self.scenario.outcome = Some(*exchange.unwrap_err());
        self.scenario
    }

    /// The vault is sealed.
    pub(crate) fn fails(self) -> &'a mut Scenario {
        let failure = Failure::not_sent().with_source("the vault is sealed");
        let outcome = self.scenario.session.handle_failure(self.id, self.scenario.now, &failure);
        self.scenario.outcome = Some(outcome);
        self.scenario
    }

    /// A shared ledger rejects them.
    pub(crate) fn rejects(self, rejected: Rejected) -> &'a mut Scenario {
        let outcome = self.scenario.session.reject(self.id, self.scenario.now, rejected);
        self.scenario.outcome = Some(outcome);
        self.scenario
    }

    /// The requester vanishes, and reports it.
    pub(crate) fn goes_away(self) -> &'a mut Scenario {
        let outcome =
            self.scenario.session.handle_failure(self.id, self.scenario.now, &Failure::abandoned());
        self.scenario.outcome = Some(outcome);
        self.scenario
    }
}
