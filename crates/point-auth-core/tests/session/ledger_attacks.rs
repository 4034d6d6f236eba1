//! The ledger by chance, and orders of events that once broke a rule.

mod history;

use std::time::Duration;

use point_auth_core::Credentials;
use point_auth_core::session::{Ledger, Now, Policy, Rejected, SignInResult};
use proptest::collection::vec;
use proptest::prelude::*;

use self::history::minutes;
use crate::ledger::denial_of;
use crate::scenario::new_year;

const STEPS: usize = 120;

/// One password, by its number.
fn numbered(password: usize) -> Credentials {
    Credentials::new("jane", format!("password {password}")).unwrap()
}

#[test]
fn two_wrong_passwords_by_turns_are_each_denied_once_after_four_that_have_worked() {
    let mut ledger = Ledger::new(&Policy::default());
    let now = Now::new(Duration::from_secs(1_000_000), new_year());
    for password in 0..4 {
        let permit = ledger.ask(&numbered(password), now).unwrap();
        ledger.settle(permit, SignInResult::Accepted, now);
    }
    let mut denied = 0;
    for turn in 0..20 {
        if let Ok(permit) = ledger.ask(&numbered(4 + turn % 2), now) {
            denied += 1;
            ledger.settle(permit, SignInResult::Denied(&denial_of("anyone")), now);
        }
    }
    assert_eq!(denied, 2);
}

#[test]
fn denials_of_sign_ins_that_were_in_flight_together_are_one_hold_of_ten_minutes() {
    let mut ledger = Ledger::new(&Policy::default()).with_limit(7);
    let now = Now::new(Duration::from_secs(1_000_000), new_year());
    let as_alias = |alias: usize| numbered(0).with_user_alias(&*alias.to_string()).unwrap();
    let permit = ledger.ask(&as_alias(0), now).unwrap();
    ledger.settle(permit, SignInResult::Accepted, now);
    let permits: Vec<_> = (1..8).map(|alias| ledger.ask(&as_alias(alias), now).unwrap()).collect();
    for permit in permits {
        ledger.settle(permit, SignInResult::Denied(&denial_of("anyone")), now);
    }
    let until = ledger.snapshot(now).others_held_until.unwrap();
    assert_eq!(until.time_left(now), minutes(10));
}

#[test]
fn a_permit_is_not_reserved_while_another_new_password_is_tried() {
    let mut ledger = Ledger::new(&Policy::default()).with_limit(3);
    let now = Now::new(Duration::from_secs(1_000_000), new_year());
    let permit = ledger.ask(&numbered(0), now).unwrap();
    ledger.settle(permit, SignInResult::Accepted, now);
    let mut one = ledger.reserve(Some("a"), now).unwrap();
    let mut other = ledger.reserve(Some("b"), now).unwrap();
    ledger.present(&mut one, &numbered(1), now).unwrap();
    for password in [1, 2] {
        assert!(matches!(
            ledger.present(&mut other, &numbered(password), now),
            Err(Rejected::Busy { .. })
        ));
        ledger.settle(other, SignInResult::Inconclusive, now);
        assert!(matches!(ledger.reserve(Some("b"), now), Err(Rejected::Busy { .. })));
        // A source that gives the old password meanwhile.
        let mut old = ledger.ask(&numbered(0), now).unwrap();
        ledger.present(&mut old, &numbered(0), now).unwrap();
        other = old;
    }
    ledger.settle(one, SignInResult::Inconclusive, now);
    ledger.settle(other, SignInResult::Inconclusive, now);
    assert!(ledger.reserve(Some("b"), now).is_ok());
}

proptest! {
    #![proptest_config(super::properties::config(256))]

    #[test]
    fn no_history_makes_the_ledger_break_a_rule(
        limit in 1_usize..6,
        is_denying in any::<bool>(),
        steps in vec(any::<u64>(), STEPS),
    ) {
        history::tell(limit, is_denying, steps);
    }
}
