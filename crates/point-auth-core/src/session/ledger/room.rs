//! The limit on permits in use.

use super::super::time::Now;
use super::password::{Class, Password};
use super::{Ledger, Purpose, Rejected};
use crate::Credentials;

impl Ledger {
    /// Returns whether one more permit for `credentials` fits, not counting `own`.
    pub(super) fn check_room(
        &self,
        credentials: &Credentials,
        class: Class,
        own: Option<u128>,
        now: Now,
    ) -> Result<(), Rejected> {
        let others = || self.permits.iter().filter(|permit| Some(permit.id) != own);
        let has_room = match self.passwords.iter().find(|one| one.is_of(credentials)) {
            Some(password) if password.is_proven() => {
                self.in_class(password, class, own) < password.room(class, self.limit)
                    && others().count() < self.limit
            }
            _ => !self.is_trying_a_password(own),
        };
        if has_room { Ok(()) } else { Err(self.busy(now)) }
    }

    /// Returns whether a permit but `own` is in use for any password that has never given a token.
    pub(super) fn is_trying_a_password(&self, own: Option<u128>) -> bool {
        let is_proven = |credentials: &Credentials| {
            self.passwords.iter().any(|one| one.is_of(credentials) && one.is_proven())
        };
        self.permits
            .iter()
            .filter(|permit| Some(permit.id) != own)
            .any(|permit| permit.purpose.as_ref().is_some_and(|one| !is_proven(&one.credentials)))
    }

    /// Returns how many permits but `own` are in use for one class of a password.
    pub(super) fn in_class(&self, password: &Password, class: Class, own: Option<u128>) -> usize {
        let is_of =
            |purpose: &Purpose| purpose.class == class && password.is_of(&purpose.credentials);
        let others = self.permits.iter().filter(|permit| Some(permit.id) != own);
        others.filter(|permit| permit.purpose.as_ref().is_some_and(is_of)).count()
    }
}
