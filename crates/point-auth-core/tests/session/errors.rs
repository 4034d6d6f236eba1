//! The errors of callers, down to the cause of the cause, without repetition.

use point_auth_core::session::{AttemptError, ExchangeId, Failure, Outcome, SessionError};
use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::scenario::Scenario;

#[derive(Debug)]
struct Outer(Inner);

#[derive(Debug)]
struct Inner;

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection was lost")
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("reset by peer")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl Error for Inner {}

/// Returns the text of the error and of its sources.
fn texts(error: &SessionError) -> Vec<String> {
    let mut texts = Vec::new();
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        texts.push(error.to_string());
        next = error.source();
    }
    texts
}

#[test]
fn a_failure_shows_its_cause_and_the_cause_of_that() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in();
    scenario.server().fails(
        &Failure::maybe_sent().with_source(Box::<dyn Error + Send + Sync>::from(Outer(Inner))),
    );
    let error = scenario.caller("ann").reply.unwrap_err();
    assert_eq!(texts(&error), ["no access token", "the connection was lost", "reset by peer"]);
}

fn abandons(scenario: &mut Scenario, id: ExchangeId) -> Outcome {
    let failure = Failure::abandoned().with_source(Outer(Inner));
    scenario.session.handle_failure(id, scenario.now, &failure)
}

/// It counts like any other abandoned exchange.
#[test]
fn a_sender_that_abandons_an_exchange_may_give_a_cause() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in();
    let id = scenario.exchange().id;
    scenario.outcome = Some(abandons(&mut scenario, id));
    scenario.retries().caller("ann").waits_for(1);
    assert_eq!(scenario.snapshot().counts.abandoned, 1);
    scenario.after(1).caller("ann").signs_in();
    let id = scenario.exchange().id;
    scenario.outcome = Some(abandons(&mut scenario, id));
    scenario.after(1).caller("ann").signs_in();
    let id = scenario.exchange().id;
    scenario.outcome = Some(abandons(&mut scenario, id));
    let error = scenario.gives_up().backs_off_for(600).caller("ann").reply.unwrap_err();
    assert_eq!(texts(&error), ["no access token", "the connection was lost", "reset by peer"]);
    scenario.outcome = Some(abandons(&mut scenario, id));
    scenario.is_ignored();
}

/// An error that records when it is dropped.
#[derive(Debug)]
struct Mortal(Arc<AtomicBool>);

impl fmt::Display for Mortal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mortal")
    }
}

impl Error for Mortal {}

impl Drop for Mortal {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A driver may keep a session behind a lock. No call may drop a foreign error while the driver
/// holds the errors.
#[test]
fn held_errors_of_a_session_are_not_dropped_under_the_lock() {
    let fail = |scenario: &mut Scenario| {
        let dropped = Arc::new(AtomicBool::new(false));
        let mortal: Box<dyn Error + Send + Sync> = Box::new(Mortal(Arc::clone(&dropped)));
        scenario.server().fails(&Failure::not_sent().with_source(mortal));
        scenario.outcome = None;
        dropped
    };
    type Happens = fn(&mut Scenario);
    let all: [Happens; 4] = [
        |scenario| {
            scenario.after_the_backoff().new_caller().signs_in().server().gives("first", 3600);
        },
        |scenario| {
            scenario.after_the_backoff().new_caller().signs_in().server().denies();
        },
        |scenario| scenario.session.reset(scenario.now),
        |scenario| *scenario = Scenario::new(),
    ];
    for happens in all {
        let mut scenario = Scenario::new();
        let dropped = RefCell::new(Vec::new());
        scenario.round_fails(|scenario| dropped.borrow_mut().push(fail(scenario)));
        let mut dropped = dropped.into_inner();
        let last = dropped.pop().unwrap();
        assert!(dropped.iter().all(|dropped| dropped.load(Ordering::SeqCst)));
        let held = scenario.session.held_errors();
        happens(&mut scenario);
        assert!(!last.load(Ordering::SeqCst), "dropped in the middle");
        let still_held = scenario.session.held_errors().iter().any(Option::is_some);
        drop(held);
        assert_eq!(last.load(Ordering::SeqCst), !still_held);
    }
}

#[test]
fn a_failure_without_a_cause_has_a_text() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in();
    scenario.server().falls_silent();
    let error = scenario.caller("ann").reply.unwrap_err();
    assert_eq!(texts(&error), ["no access token", "there was no response"]);
}

#[test]
fn a_failure_says_whether_it_may_have_been_sent() {
    assert!(Failure::maybe_sent().may_have_been_sent());
    assert!(!Failure::not_sent().may_have_been_sent());
    assert!(Failure::not_sent().source().is_none());
    let failure = Failure::not_sent().with_source(Box::<dyn Error + Send + Sync>::from(Inner));
    assert_eq!(failure.source().unwrap().to_string(), "reset by peer");
    assert!(!failure.may_have_been_sent());
}

#[test]
fn a_response_without_a_token_has_a_text() {
    let mut scenario = Scenario::new();
    scenario.caller("ann").signs_in();
    scenario.server().answers(404, "<html>");
    let error = scenario.caller("ann").reply.unwrap_err();
    assert_eq!(texts(&error), ["no access token", "unexpected answer: status 404, not JSON"]);
}

#[test]
fn a_caller_that_timed_out_gets_the_last_failure() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    let error = scenario.new_caller_with(0).reply.unwrap_err();
    assert_eq!(texts(&error), ["no access token in time"]);
    scenario.server().is_unavailable();
    let error = scenario.new_caller_with(0).reply.unwrap_err();
    assert_eq!(
        texts(&error),
        ["no access token in time", "unexpected answer: status 503, not JSON"]
    );
}

#[test]
fn a_denial_shows_the_text_of_the_server_once() {
    let mut scenario = Scenario::new();
    scenario.new_caller().signs_in();
    scenario.server().denies();
    let error = scenario.new_caller().reply.unwrap_err();
    assert_eq!(
        texts(&error),
        [
            "denied by the server (status 403): access_denied: Invalid username / password combination"
        ]
    );
}

#[test]
fn a_needed_sign_in_has_a_text() {
    let session = point_auth_core::session::SessionMachine::without_credentials(
        point_auth_core::BaseUrl::production(),
        point_auth_core::session::Policy::default(),
        1,
    );
    let error = Scenario::of(session).new_caller().reply.unwrap_err();
    assert_eq!(
        texts(&error),
        ["sign-in needed: there are no credentials and no good refresh token"]
    );
}

#[test]
fn every_cause_of_a_failed_attempt_has_its_own_text() {
    let said = |error: AttemptError| {
        assert!(error.source().is_none());
        error.to_string()
    };
    assert_eq!(said(AttemptError::EndedOnArrival), "the access token had expired when it arrived");
    assert_eq!(said(AttemptError::SameToken), "the server gave the same access token again");
    assert_eq!(
        said(AttemptError::Rejected),
        "the API rejected an access token that had just been given"
    );
    assert_eq!(said(AttemptError::Abandoned), "the exchange was abandoned");
    assert_eq!(
        said(AttemptError::Request(point_auth_core::RequestError::Path)),
        point_auth_core::RequestError::Path.to_string()
    );
}

#[test]
fn an_outcome_has_the_tokens_and_their_kind_of_exchange() {
    use point_auth_core::session::ExchangeKind::{Refresh, SignIn};
    let mut scenario = Scenario::new();
    for (kind, token) in [(SignIn, "first"), (Refresh, "second")] {
        match kind {
            SignIn => scenario.new_caller().signs_in(),
            _ => scenario.at(3595).new_caller().refreshes(),
        };
        scenario.server().gives_refreshable(token, 3600);
        match &scenario.outcome {
            Some(Outcome::Renewed { kind: reported, tokens, .. }) => {
                assert_eq!(*reported, kind);
                assert_eq!(tokens.access_token().expose(), token);
            }
            other => panic!("{other:?}"),
        }
    }
}
