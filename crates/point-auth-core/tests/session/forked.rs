//! A session in a child process that was forked knows what its parent knows.

use point_auth_core::session::{Ledger, Policy, Rejected};

use crate::scenario::{Scenario, jane};

/// The child of this session, at this moment.
fn child_of(parent: &Scenario, seed: u64) -> Scenario {
    let mut child = Scenario::of(parent.session.forked(seed, parent.now));
    child.now = parent.now;
    child
}

#[test]
fn a_child_has_the_token_of_its_parent() {
    let parent = Scenario::refreshable("first", 3600);
    let mut child = child_of(&parent, 8);
    child.new_caller().gets("first");
    child.has_sent(0, 0);
    let (parent, child) = (parent.session.snapshot(parent.now), child.session.snapshot(child.now));
    assert_eq!(child.token_left, parent.token_left);
    assert!(child.has_refresh_token);
}

#[test]
fn a_child_does_not_send_what_was_denied_to_its_parent() {
    let mut parent = Scenario::new();
    parent.new_caller().signs_in();
    parent.server().denies();
    let mut child = child_of(&parent, 8);
    child.new_caller().is_denied();
    child.no_caller_sends().has_sent(0, 0);
}

#[test]
fn a_sign_in_in_flight_has_an_unknown_outcome_in_the_child() {
    let mut parent = Scenario::new();
    parent.caller("ann").signs_in();
    let mut child = child_of(&parent, 8);
    // The account may have seen it, so the child waits for a second.
    child.no_caller_sends();
    child.after(1).new_caller().signs_in();
    parent.server().gives("first", 3600);
    parent.caller("ann").gets("first");
}

#[test]
fn a_refresh_in_flight_is_started_again_in_the_child() {
    let mut parent = Scenario::refreshable("first", 60);
    parent.at(60).new_caller().refreshes();
    child_of(&parent, 8).new_caller().refreshes();
}

#[test]
fn children_do_not_refresh_together() {
    let parent = Scenario::refreshable("first", 3600);
    let look = |seed| {
        let child = child_of(&parent, seed);
        child.session.snapshot(child.now).next_look.unwrap().time_left(child.now)
    };
    assert_ne!(look(8), look(9));
}

#[test]
fn a_permit_in_flight_is_an_unknown_outcome_in_the_ledger_of_a_child() {
    let now = Scenario::new().now;
    let mut parent = Ledger::new(&Policy::default()).with_limit(3);
    let permit = parent.ask(&jane(), now).unwrap();
    assert!(parent.start(&permit, now.monotonic, now));
    let mut child = parent.forked(now);
    assert_eq!((child.snapshot(now).permits, child.snapshot(now).unknown), (0, 1));
    assert!(child.ask(&jane(), now).is_ok());
    assert!(matches!(parent.ask(&jane(), now), Err(Rejected::Busy { .. })));
}
