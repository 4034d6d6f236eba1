//! A session that is built after a fork goes on with what the parent's session knew.
//!
//! The fork itself is tried out in the tests of the wrapper for Python. Here both sessions live in
//! one process, which makes no difference to what the second one knows.

use std::time::Duration;

use point_auth::{Credentials, Denial, ErrorKind, blocking};
use point_auth_testkit::{Emulator, Fault, Operation};

use super::support::{World, on_threads};
use super::transports::{LONG, wait_until};
use crate::support::{PASSWORD, USERNAME, credentials};

fn child_of(world: &World, parent: &blocking::Session) -> blocking::Session {
    let builder = blocking::Session::builder(world.blocking_client());
    builder.with_runtime(world.time.clone()).build_after_fork(parent.before_fork())
}

#[test]
fn a_child_has_the_tokens_of_its_parent_and_goes_on_by_itself() {
    let world = World::threads();
    let parent = world.blocking_session();
    let token = parent.access_token().unwrap();
    let child = child_of(&world, &parent);
    assert_eq!(child.access_token().unwrap(), token);
    child.invalidate(&token);
    assert_eq!(parent.current_token(), Some(token));
    assert_eq!(world.sign_ins(), 1);
}

#[test]
fn a_password_that_was_denied_to_the_parent_is_not_sent_by_a_child() {
    let world = World::threads();
    let parent = world.blocking_session();
    parent.set_credentials(Credentials::new(USERNAME, "wrong").unwrap());
    let denied = parent.access_token().unwrap_err();
    let child = child_of(&world, &parent);
    let error = child.access_token().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_eq!(error.denial().map(Denial::code), denied.denial().map(Denial::code));
    assert_eq!(world.sign_ins(), 1);
    child.set_credentials(credentials());
    assert!(child.access_token().is_ok());
}

#[test]
fn a_sign_in_in_flight_stays_with_the_parent_and_the_child_waits_a_second() {
    let world = World::threads();
    let parent = world.blocking_session();
    world.emulator.push_fault(Fault::silent());
    let waiting = on_threads(1, &parent, blocking::Session::access_token);
    assert!(world.emulator.wait_for_requests(1, LONG));
    let child = child_of(&world, &parent);
    let in_child = on_threads(1, &child, blocking::Session::access_token);
    wait_until("both sleep", || world.time.sleepers() >= 2);
    assert_eq!(world.sign_ins(), 1);
    world.time.advance(Duration::from_secs(1));
    assert!(in_child.into_iter().all(|thread| thread.join().unwrap().is_ok()));
    assert_eq!(world.sign_ins(), 2);
    drop(world);
    drop(waiting);
}

#[test]
fn the_sessions_of_a_child_know_each_alias_and_who_was_denied() {
    let builder = Emulator::builder().user_with_aliases(USERNAME, PASSWORD, ["jane", "joe"]);
    let world = World::of(builder.start().unwrap(), point_auth::ThreadRuntime::new());
    let build = || {
        let builder = blocking::Sessions::builder(world.blocking_client());
        builder.with_credentials(credentials()).with_runtime(world.time.clone())
    };
    let parent = build().build();
    let jane = parent.access_token("jane").unwrap();
    assert_eq!(parent.access_token("eve").unwrap_err().kind(), ErrorKind::Denied);
    let child = build().build_after_fork(parent.before_fork());
    assert_eq!(child.access_token("jane").unwrap(), jane);
    assert_eq!(child.access_token("eve").unwrap_err().kind(), ErrorKind::Denied);
    assert!(child.access_token("joe").is_ok());
    assert_eq!((child.len(), world.emulator.count(Operation::SignIn)), (3, 3));
}
