//! The ledger alone: who may send a password, in what order, and what is remembered.

use std::time::Duration;

use point_auth_core::session::{Ledger, Now, Permit, Policy, Rejected, SignInResult};
use point_auth_core::{Credentials, Denial, Operation, ResponseError, SignIn};

use crate::scenario::{jane, new_year};

fn jane_as(alias: &str) -> Credentials {
    jane().with_user_alias(alias).unwrap()
}

fn rotated() -> Credentials {
    Credentials::new("jane@tenant.com", "rotated").unwrap()
}

/// Returns a denial that names its alias.
pub(crate) fn denial_of(alias: &str) -> Denial {
    let body = format!(r#"{{"error":"access_denied","error_description":"not {alias}"}}"#);
    let mut response = http::Response::new(body);
    *response.status_mut() = http::StatusCode::FORBIDDEN;
    match SignIn::new(&jane()).parse_response(&response) {
        Err(ResponseError::Denied(denial)) => denial,
        other => panic!("{other:?}"),
    }
}

/// A ledger, the time, and how often the password was sent.
struct Desk {
    ledger: Ledger,
    now: Now,
    sent: u32,
}

impl Desk {
    fn new() -> Self {
        Self::with_limit(1)
    }

    fn with_limit(limit: usize) -> Self {
        let ledger = Ledger::new(&Policy::default()).with_limit(limit);
        Self { ledger, now: Now::new(Duration::from_secs(1_000_000), new_year()), sent: 0 }
    }

    /// Creates a ledger whose password has worked for `ann`.
    fn proven() -> Self {
        let mut desk = Self::with_limit(3);
        desk.works(&jane_as("ann"));
        desk
    }

    fn after(&mut self, seconds: u64) -> &mut Self {
        self.now.monotonic += Duration::from_secs(seconds);
        self.now.wall += Duration::from_secs(seconds);
        self
    }

    fn sends(&mut self, credentials: &Credentials) -> Permit {
        let permit = self.ledger.ask(credentials, self.now).unwrap();
        let deadline = self.now.monotonic + Duration::from_secs(30);
        assert!(self.ledger.start(&permit, deadline, self.now));
        self.sent += 1;
        permit
    }

    fn settles(&mut self, permit: Permit, result: SignInResult<'_>) -> bool {
        self.ledger.settle(permit, result, self.now)
    }

    fn works(&mut self, credentials: &Credentials) -> bool {
        let permit = self.sends(credentials);
        self.settles(permit, SignInResult::Accepted)
    }

    fn denied(&mut self, credentials: &Credentials) {
        let permit = self.sends(credentials);
        let denial = denial_of(credentials.user_alias().unwrap_or("anyone"));
        self.settles(permit, SignInResult::Denied(&denial));
    }

    fn unknown(&mut self, credentials: &Credentials) {
        let permit = self.sends(credentials);
        self.settles(permit, SignInResult::Unknown);
    }

    fn refuses(&mut self, credentials: &Credentials) -> Rejected {
        self.ledger.ask(credentials, self.now).unwrap_err()
    }

    /// Returns for how many seconds these are held, `None` if permanently.
    #[track_caller]
    fn held_for(&mut self, credentials: &Credentials) -> Option<u64> {
        match self.refuses(credentials) {
            Rejected::Held { until } => until.map(|until| until.time_left(self.now).as_secs()),
            other => panic!("not held, but {other:?}"),
        }
    }

    #[track_caller]
    fn is_denied(&mut self, alias: &str) {
        match self.refuses(&jane_as(alias)) {
            Rejected::Denied { denial, .. } => {
                assert_eq!(denial.description(), Some(&*format!("not {alias}")));
            }
            other => panic!("not denied, but {other:?}"),
        }
    }

    #[track_caller]
    fn is_busy(&mut self, credentials: &Credentials) -> Duration {
        match self.refuses(credentials) {
            Rejected::Busy { until } => until.time_left(self.now),
            other => panic!("not busy, but {other:?}"),
        }
    }
}

#[test]
fn good_aliases_get_through_among_bad_ones_and_each_bad_one_is_sent_once() {
    let mut desk = Desk::new();
    for number in 0..1_000 {
        let alias = format!("alias-{number}");
        if number % 10 == 0 {
            desk.denied(&jane_as(&alias));
        } else {
            desk.works(&jane_as(&alias));
        }
    }
    for number in (0..1_000).step_by(10) {
        desk.is_denied(&format!("alias-{number}"));
    }
    assert_eq!(desk.sent, 1_000);
    // A denial says nothing about a good alias.
    desk.works(&jane_as("alias-1"));
}

#[test]
fn two_bad_aliases_in_a_fresh_process_keep_no_good_one_out() {
    let mut desk = Desk::new();
    desk.denied(&jane_as("mallory"));
    desk.denied(&jane_as("trudy"));
    desk.works(&jane_as("ann"));
    desk.is_denied("mallory");
}

#[test]
fn a_wrong_password_is_sent_three_times_then_after_one_two_and_four_hours_then_never() {
    let mut desk = Desk::new();
    for alias in ["a", "b", "c"] {
        desk.denied(&jane_as(alias));
    }
    for (hours, alias) in [(1, "d"), (2, "e"), (4, "f")] {
        assert_eq!(desk.held_for(&jane_as(alias)), Some(hours * 3600));
        desk.after(hours * 3600 - 1);
        assert_eq!(desk.held_for(&jane_as("one-too-early")), Some(1));
        desk.after(1).denied(&jane_as(alias));
    }
    assert_eq!(desk.held_for(&jane_as("g")), None);
    desk.after(1_000_000);
    assert_eq!(desk.held_for(&jane_as("g")), None);
    assert_eq!(desk.sent, 6);
    // Another password may be sent; the previous one is remembered.
    desk.works(&rotated());
    assert_eq!(desk.held_for(&jane_as("g")), None);
    // After a reset, this one may be sent too.
    desk.ledger.reset();
    desk.works(&jane_as("g"));
}

#[test]
fn a_hold_goes_by_the_monotonic_clock_alone() {
    let mut desk = Desk::new();
    for alias in ["a", "b", "c"] {
        desk.denied(&jane_as(alias));
    }
    desk.now.wall += Duration::from_secs(1_000_000);
    assert_eq!(desk.held_for(&jane_as("d")), Some(3600));
}

#[test]
fn a_trial_that_works_ends_the_hold() {
    let mut desk = Desk::new();
    for alias in ["a", "b", "c"] {
        desk.denied(&jane_as(alias));
    }
    desk.after(3600);
    let trial = desk.sends(&jane_as("d"));
    // One at a time.
    desk.is_busy(&jane_as("e"));
    assert!(desk.settles(trial, SignInResult::Accepted), "a hold has ended");
    desk.works(&jane_as("e"));
    // Denied aliases stay denied.
    desk.is_denied("a");
}

#[test]
fn an_inconclusive_trial_is_followed_by_another() {
    let mut desk = Desk::new();
    for alias in ["a", "b", "c"] {
        desk.denied(&jane_as(alias));
    }
    desk.after(3600);
    let trial = desk.sends(&jane_as("d"));
    desk.settles(trial, SignInResult::Inconclusive);
    desk.denied(&jane_as("d"));
    assert_eq!(desk.held_for(&jane_as("e")), Some(2 * 3600));
}

#[test]
fn invented_aliases_hold_no_alias_that_has_worked_and_are_sent_three_times_in_ten_minutes() {
    let mut desk = Desk::proven();
    for number in 0..3 {
        desk.denied(&jane_as(&format!("made-up-{number}")));
    }
    for number in 3..1_000 {
        assert_eq!(desk.held_for(&jane_as(&format!("made-up-{number}"))), Some(600));
    }
    // They are not held, and do not end the hold of the others.
    desk.works(&jane_as("ann"));
    assert_eq!(desk.held_for(&jane_as("made-up-3")), Some(600));
    for minutes in [10, 20, 40, 60, 60] {
        desk.after(minutes * 60);
        desk.denied(&jane_as(&format!("made-up-after-{minutes}-{}", desk.sent)));
        desk.works(&jane_as("ann"));
    }
    assert_eq!(desk.held_for(&jane_as("made-up")), Some(3600));
    // A new alias that is good ends it.
    desk.after(3600).works(&jane_as("bob"));
    desk.works(&jane_as("cyd"));
}

#[test]
fn a_password_that_is_changed_at_the_server_is_denied_three_times_then_tried_at_growing_intervals()
{
    let mut desk = Desk::with_limit(3);
    for number in 0..1_000 {
        desk.works(&jane_as(&format!("alias-{number}")));
    }
    desk.sent = 0;
    let permits: Vec<_> =
        (0..3).map(|number| (number, desk.sends(&jane_as(&format!("alias-{number}"))))).collect();
    desk.is_busy(&jane_as("alias-3"));
    for (number, permit) in permits {
        desk.settles(permit, SignInResult::Denied(&denial_of(&format!("alias-{number}"))));
    }
    assert_eq!(desk.held_for(&jane_as("alias-3")), Some(600));
    for (number, minutes) in [(3, 10), (4, 20), (5, 40), (6, 60), (7, 60)] {
        desk.after(minutes * 60).denied(&jane_as(&format!("alias-{number}")));
    }
    assert_eq!(desk.held_for(&jane_as("alias-8")), Some(3600));
    assert_eq!(desk.sent, 8);
}

#[test]
fn at_most_as_many_as_the_limit_are_denied_at_once_if_that_is_more_than_three() {
    let mut desk = Desk::with_limit(10);
    desk.works(&jane());
    desk.sent = 0;
    let permits: Vec<_> =
        (0..10).map(|number| desk.sends(&jane_as(&format!("alias-{number}")))).collect();
    for permit in permits {
        desk.settles(permit, SignInResult::Denied(&denial_of("x")));
    }
    desk.held_for(&jane_as("one-more"));
    assert_eq!(desk.sent, 10);
}

#[test]
fn the_first_denial_drops_the_limit_to_one_until_a_token_comes() {
    let mut desk = Desk::with_limit(10);
    desk.works(&jane());
    desk.denied(&jane_as("mallory"));
    let first = desk.sends(&jane_as("ann"));
    desk.is_busy(&jane_as("bob"));
    // Aliases that have worked are another class.
    let other = desk.sends(&jane());
    desk.settles(other, SignInResult::Accepted);
    desk.is_busy(&jane_as("bob"));
    desk.settles(first, SignInResult::Accepted);
    let permits: Vec<_> =
        (0..10).map(|number| desk.sends(&jane_as(&format!("alias-{number}")))).collect();
    desk.is_busy(&jane_as("bob"));
    drop(permits);
}

#[test]
fn a_password_that_has_never_given_a_token_is_sent_one_at_a_time() {
    let mut desk = Desk::with_limit(10);
    let first = desk.sends(&jane_as("ann"));
    assert_eq!(desk.is_busy(&jane_as("bob")), Duration::from_secs(32));
    // Neither is another unproven password meanwhile.
    desk.is_busy(&rotated());
    desk.settles(first, SignInResult::Accepted);
    let second = desk.sends(&jane_as("bob"));
    let third = desk.sends(&jane_as("cyd"));
    // One trial of another password beside them.
    let other = desk.sends(&rotated());
    for permit in [second, third, other] {
        desk.settles(permit, SignInResult::Accepted);
    }
}

#[test]
fn a_denial_is_of_one_alias_and_one_password_in_any_spelling_of_the_username() {
    let mut desk = Desk::new();
    desk.denied(&jane());
    let shouted = Credentials::new("JANE@Tenant.com", "jane's password").unwrap();
    assert!(matches!(desk.refuses(&shouted), Rejected::Denied { .. }));
    desk.works(&rotated());
    desk.works(&jane_as("ann"));
    assert!(matches!(desk.refuses(&jane()), Rejected::Denied { .. }));
}

#[test]
fn three_unknown_outcomes_of_any_aliases_hold_the_password_for_ten_minutes_each_time() {
    let mut desk = Desk::proven();
    for alias in ["a", "ann", "b"] {
        desk.unknown(&jane_as(alias));
    }
    for _ in 0..2 {
        match desk.refuses(&jane_as("ann")) {
            Rejected::TooManyUnknown { until } => {
                assert_eq!(until.time_left(desk.now), Duration::from_secs(600));
            }
            other => panic!("{other:?}"),
        }
        desk.after(600).unknown(&jane_as("c"));
    }
    // Another password is not affected.
    desk.works(&rotated());
    assert!(matches!(desk.refuses(&jane_as("d")), Rejected::TooManyUnknown { .. }));
}

#[test]
fn a_token_clears_unknown_outcomes_and_a_denial_does_not() {
    let mut desk = Desk::new();
    desk.unknown(&jane_as("a"));
    desk.unknown(&jane_as("b"));
    desk.denied(&jane_as("mallory"));
    assert_eq!(desk.ledger.snapshot(desk.now).unknown, 2);
    desk.works(&jane_as("c"));
    assert_eq!(desk.ledger.snapshot(desk.now).unknown, 0);
}

#[test]
fn a_permit_that_is_not_settled_expires_and_counts_as_unknown_if_it_was_sent() {
    let mut desk = Desk::new();
    let _never_started = desk.ledger.ask(&jane_as("a"), desk.now).unwrap();
    desk.after(31);
    desk.is_busy(&jane_as("b"));
    desk.after(1);
    let late = desk.sends(&jane_as("b"));
    assert_eq!(desk.ledger.snapshot(desk.now).unknown, 0);
    desk.after(32);
    let next = desk.sends(&jane_as("c"));
    assert_eq!(desk.ledger.snapshot(desk.now).unknown, 1);
    // It is not counted twice.
    desk.settles(late, SignInResult::Unknown);
    assert_eq!(desk.ledger.snapshot(desk.now).unknown, 1);
    desk.settles(next, SignInResult::Accepted);
}

#[test]
fn a_late_result_counts() {
    let mut desk = Desk::new();
    let late = desk.sends(&jane_as("mallory"));
    desk.after(32).works(&jane_as("ann"));
    desk.settles(late, SignInResult::Denied(&denial_of("mallory")));
    desk.is_denied("mallory");
    let late = desk.sends(&jane_as("bob"));
    desk.after(32).works(&jane_as("ann"));
    desk.settles(late, SignInResult::Accepted);
    assert!(desk.ledger.has_worked(Some("bob")));
}

#[test]
fn a_permit_that_expired_before_its_exchange_started_is_void() {
    let mut desk = Desk::new();
    let permit = desk.ledger.ask(&jane(), desk.now).unwrap();
    desk.after(32);
    let deadline = desk.now.monotonic + Duration::from_secs(30);
    assert!(!desk.ledger.start(&permit, deadline, desk.now));
}

#[test]
fn a_reset_of_one_alias_forgets_its_denial_and_no_hold() {
    let mut desk = Desk::new();
    for alias in ["a", "b", "c"] {
        desk.denied(&jane_as(alias));
    }
    desk.ledger.reset_alias(Some("a"));
    assert_eq!(desk.held_for(&jane_as("a")), Some(3600));
    desk.is_denied("b");
    desk.ledger.reset();
    desk.works(&jane_as("b"));
}

#[test]
fn a_reset_forgets_denials_and_unknown_outcomes_but_not_what_has_worked() {
    let mut desk = Desk::proven();
    (0..3).for_each(|_| desk.unknown(&jane_as("ann")));
    desk.ledger.reset();
    desk.unknown(&jane_as("ann"));
    let snapshot = desk.ledger.snapshot(desk.now);
    assert!(snapshot.is_proven && snapshot.unknown == 1 && snapshot.worked == 1);
}

#[test]
fn what_is_remembered_of_aliases_is_bounded_and_neither_kind_evicts_the_other() {
    let mut desk = Desk::proven();
    // Denied aliases, each after a token so that no hold stops them.
    for number in 0..10_100 {
        desk.denied(&jane_as(&format!("bad-{number}")));
        desk.works(&jane_as(&format!("good-{number}")));
    }
    let snapshot = desk.ledger.snapshot(desk.now);
    assert_eq!((snapshot.denied, snapshot.worked), (10_000, 10_101));
    assert!(desk.ledger.has_worked(Some("ann")));
    desk.is_denied("bad-10099");
    // A forgotten alias counts as not tried.
    desk.denied(&jane_as("bad-0"));
}

#[test]
fn five_passwords_are_remembered_and_one_that_has_worked_for_longest() {
    let password = |number: u32| Credentials::new("jane", format!("password-{number}")).unwrap();
    let mut desk = Desk::new();
    desk.works(&jane());
    for number in 0..4 {
        desk.denied(&password(number));
    }
    for number in 0..4 {
        assert!(matches!(desk.refuses(&password(number)), Rejected::Denied { .. }));
    }
    desk.denied(&password(4));
    assert!(matches!(desk.refuses(&password(4)), Rejected::Denied { .. }));
    desk.works(&jane());
    assert!(desk.ledger.snapshot(desk.now).is_proven);
    // The oldest of the others is forgotten.
    desk.denied(&password(0));
}

#[test]
fn credentials_from_a_source_are_fetched_for_one_at_a_time_until_proven_then_for_the_limit() {
    let mut desk = Desk::with_limit(2);
    let mut first = desk.ledger.reserve(Some("ann"), desk.now).unwrap();
    assert!(matches!(desk.ledger.reserve(Some("bob"), desk.now), Err(Rejected::Busy { .. })));
    desk.ledger.present(&mut first, &jane_as("ann"), desk.now).unwrap();
    desk.settles(first, SignInResult::Accepted);
    let mut first = desk.ledger.reserve(Some("bob"), desk.now).unwrap();
    let mut second = desk.ledger.reserve(Some("cyd"), desk.now).unwrap();
    assert!(matches!(desk.ledger.reserve(Some("dan"), desk.now), Err(Rejected::Busy { .. })));
    // Unexpected credentials, which are not proven: one at a time.
    let bobs = rotated().with_user_alias("bob").unwrap();
    let cyds = rotated().with_user_alias("cyd").unwrap();
    desk.ledger.present(&mut first, &bobs, desk.now).unwrap();
    let rejected = desk.ledger.present(&mut second, &cyds, desk.now);
    assert!(matches!(rejected, Err(Rejected::Busy { .. })));
    desk.settles(second, SignInResult::Inconclusive);
    desk.settles(first, SignInResult::Accepted);
    assert!(desk.ledger.has_worked(Some("bob")) && !desk.ledger.has_worked(Some("ann")));
}

#[test]
fn a_source_is_asked_again_for_denied_aliases_at_growing_intervals_and_for_good_ones_at_once() {
    let mut desk = Desk::new();
    desk.works(&jane_as("ann"));
    desk.denied(&jane_as("mallory"));
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
        match desk.ledger.reserve(Some("mallory"), desk.now) {
            Err(Rejected::Denied { ask_again: Some(ask_again), .. }) => {
                assert_eq!(ask_again.time_left(desk.now), Duration::from_secs(seconds));
            }
            other => panic!("{other:?}"),
        }
        let mut good = desk.ledger.reserve(Some("ann"), desk.now).unwrap();
        desk.ledger.present(&mut good, &jane_as("ann"), desk.now).unwrap();
        desk.settles(good, SignInResult::Accepted);
        desk.after(seconds);
        let mut permit = desk.ledger.reserve(Some("mallory"), desk.now).unwrap();
        let rejected = desk.ledger.present(&mut permit, &jane_as("mallory"), desk.now);
        assert!(matches!(rejected, Err(Rejected::Denied { .. })));
        desk.settles(permit, SignInResult::Inconclusive);
    }
    // Once it has other credentials, they may be sent.
    desk.after(60);
    let mut permit = desk.ledger.reserve(Some("mallory"), desk.now).unwrap();
    let others = rotated().with_user_alias("mallory").unwrap();
    desk.ledger.present(&mut permit, &others, desk.now).unwrap();
    desk.settles(permit, SignInResult::Accepted);
}

#[test]
fn a_source_is_asked_even_while_a_wrong_password_is_held_for_good() {
    let mut desk = Desk::new();
    for (alias, hours) in [("a", 0), ("b", 0), ("c", 0), ("d", 1), ("e", 2), ("f", 4)] {
        desk.after(hours * 3600).denied(&jane_as(alias));
    }
    let until = match desk.ledger.reserve(Some("g"), desk.now) {
        Err(Rejected::Held { until: Some(until) }) => until.time_left(desk.now),
        other => panic!("{other:?}"),
    };
    assert!(until <= Duration::from_secs(60), "{until:?}");
    desk.after(60);
    let mut permit = desk.ledger.reserve(Some("g"), desk.now).unwrap();
    let rejected = desk.ledger.present(&mut permit, &jane_as("g"), desk.now);
    assert!(matches!(rejected, Err(Rejected::Held { .. })));
    desk.settles(permit, SignInResult::Inconclusive);
    desk.works(&rotated());
}

#[test]
fn nothing_secret_is_printed_of_a_ledger_or_a_permit() {
    let mut desk = Desk::new();
    desk.denied(&jane_as("mallory"));
    let permit = desk.sends(&jane());
    let said = format!("{:?} {permit:?} {:?}", desk.ledger, desk.ledger.snapshot(desk.now));
    assert!(!said.contains("jane") && !said.contains("mallory"), "{said}");
}

#[test]
fn a_password_that_is_changed_at_the_server_is_denied_three_times_for_old_and_new_aliases_together()
{
    let mut desk = Desk::with_limit(3);
    for alias in ["ann", "bob", "cyd", "dan"] {
        desk.works(&jane_as(alias));
    }
    for alias in ["ann", "bob", "cyd"] {
        desk.denied(&jane_as(alias));
    }
    assert_eq!(desk.held_for(&jane_as("dan")), Some(600));
    assert_eq!(desk.held_for(&jane_as("never-seen")), Some(600));
}

#[test]
fn a_source_that_rotates_many_wrong_passwords_is_asked_at_growing_intervals() {
    let mut desk = Desk::new();
    let mut distances = Vec::new();
    for number in 0..40 {
        let mut waited = 0;
        let mut permit = loop {
            match desk.ledger.reserve(None, desk.now) {
                Ok(permit) => break permit,
                Err(_) => {
                    waited += 1;
                    desk.after(1);
                }
            }
        };
        distances.push(waited);
        let wrong = Credentials::new("jane", format!("wrong-{}", number % 7)).unwrap();
        desk.ledger.present(&mut permit, &wrong, desk.now).unwrap();
        desk.settles(permit, SignInResult::Denied(&denial_of("anyone")));
    }
    assert_eq!(distances[..8], [0, 1, 2, 4, 8, 16, 32, 60]);
    assert!(distances[8..].iter().all(|waited| *waited == 60), "{distances:?}");
}
