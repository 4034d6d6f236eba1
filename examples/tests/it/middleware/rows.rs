//! The rows of the table: what each middleware does.

use std::time::Duration;

use point_auth::{Credentials, ErrorKind};
use point_auth_testkit::{Emulator, Fault, Operation};

use super::subject::{
    Body, Call, Kind, MOVED, Outcome, PASSWORD, ROUTE, Setup, Subject, USER, arrived, emulator,
    last,
};

/// Old enough for a rejected token to be replaced at once.
const OLD: Duration = Duration::from_secs(31);

/// An API, and a client whose session has a token of that age.
fn with_old_token(kind: &Kind) -> (Emulator, Box<dyn Subject>) {
    let emulator = emulator();
    let subject = (kind.make)(&Setup::of(&emulator));
    assert_eq!(subject.ask(&Call::to(&emulator)).status(), 200);
    subject.time().advance(OLD);
    (emulator, subject)
}

/// Ends the token that came last, on the server.
fn revoke_last(emulator: &Emulator) {
    let request = last(emulator);
    let token = request.header("authorization").unwrap().strip_prefix("Bearer ").unwrap();
    assert!(emulator.revoke(token));
}

pub(super) fn a_good_token_is_put_on(kind: &Kind) {
    let emulator = emulator();
    let subject = (kind.make)(&Setup::of(&emulator));
    for _ in 0..2 {
        let whose = format!(r#"{{"useralias":null,"username":"{USER}"}}"#);
        assert_eq!(subject.ask(&Call::to(&emulator)), Outcome::Response(200, whose));
    }
    assert_eq!((arrived(&emulator), emulator.count(Operation::SignIn)), ((2, 2), 1));
    assert_eq!(last(&emulator).username(), Some(USER));
}

pub(super) fn an_expired_token_is_replaced_before_it_is_sent(kind: &Kind) {
    let (emulator, subject) = with_old_token(kind);
    subject.time().advance(Duration::from_secs(3600));
    assert_eq!(subject.ask(&Call::to(&emulator)).status(), 200);
    assert_eq!((arrived(&emulator), emulator.count(Operation::Refresh)), ((2, 2), 1));
}

pub(super) fn a_401_is_followed_by_one_more_attempt_with_another_token(kind: &Kind) {
    let (emulator, subject) = with_old_token(kind);
    revoke_last(&emulator);
    let call = Call { body: Body::Whole("whole"), ..Call::to(&emulator) };
    if !kind.repeats {
        assert_eq!(subject.ask(&call).status(), 401);
    }
    assert_eq!(subject.ask(&call).status(), 200);
    assert_eq!((arrived(&emulator), emulator.count(Operation::Refresh)), ((3, 3), 1));
    assert_eq!(last(&emulator).body().as_ref(), b"whole");
}

pub(super) fn a_second_401_is_returned_and_its_token_given_up(kind: &Kind) {
    let (emulator, subject) = with_old_token(kind);
    emulator.always_for(Operation::Protected, Fault::respond(401));
    assert_eq!(subject.ask(&Call::to(&emulator)).status(), 401);
    assert!(!subject.has_token());
    if !kind.repeats {
        assert_eq!(subject.ask(&Call::to(&emulator)).status(), 401);
        assert!(!subject.has_token());
    }
    // The second token was young, so a backoff follows, in which nothing is sent.
    assert_eq!(subject.ask(&Call::to(&emulator)).kind(), ErrorKind::UselessToken);
    assert_eq!((arrived(&emulator), emulator.count(Operation::Refresh)), ((3, 3), 1));
}

pub(super) fn nothing_is_sent_after_a_denied_sign_in(kind: &Kind) {
    let emulator = emulator();
    let credentials = Credentials::new(USER, "wrong").unwrap();
    let subject = (kind.make)(&Setup { credentials, ..Setup::of(&emulator) });
    for _ in 0..2 {
        assert_eq!(subject.ask(&Call::to(&emulator)).kind(), ErrorKind::Denied);
    }
    assert_eq!((arrived(&emulator), emulator.count(Operation::SignIn)), ((0, 0), 1));
}

pub(super) fn each_request_gets_the_token_of_its_alias(kind: &Kind) {
    let emulator = emulator();
    let subject = (kind.make)(&Setup { has_many_aliases: true, ..Setup::of(&emulator) });
    for alias in ["ann", "bob", "ann"] {
        let call = Call { alias: Some(alias), ..Call::to(&emulator) };
        assert_eq!(subject.ask(&call).status(), 200);
        assert_eq!(last(&emulator).user_alias(), Some(alias));
    }
    assert_eq!(emulator.count(Operation::SignIn), 2);

    // A 401 to one of them is about that one's token.
    subject.time().advance(OLD);
    revoke_last(&emulator);
    let call = Call { alias: Some("ann"), ..Call::to(&emulator) };
    if !kind.repeats {
        assert_eq!(subject.ask(&call).status(), 401);
    }
    assert_eq!(subject.ask(&call).status(), 200);
    assert_eq!(emulator.count(Operation::Refresh), 1);
    let call = Call { alias: Some("bob"), ..Call::to(&emulator) };
    assert_eq!(subject.ask(&call).status(), 200);
    assert_eq!(emulator.count(Operation::Refresh), 1);
}

pub(super) fn a_request_without_an_alias_gets_no_token_of_many(kind: &Kind) {
    let emulator = emulator();
    let subject = (kind.make)(&Setup { has_many_aliases: true, ..Setup::of(&emulator) });
    assert_eq!(subject.ask(&Call::to(&emulator)).kind(), ErrorKind::Credentials);
    assert_eq!(emulator.connections(), 0);
}

pub(super) fn a_request_with_another_alias_gets_no_token_of_one_session(kind: &Kind) {
    let emulator = emulator();
    let credentials = Credentials::new(USER, PASSWORD).unwrap().with_user_alias("ann").unwrap();
    let subject = (kind.make)(&Setup { credentials, ..Setup::of(&emulator) });
    let bob = Call { alias: Some("bob"), ..Call::to(&emulator) };
    assert_eq!(subject.ask(&bob).kind(), ErrorKind::Credentials);
    assert_eq!(emulator.connections(), 0);
    let ann = Call { alias: Some("ann"), ..Call::to(&emulator) };
    assert_eq!(subject.ask(&ann).status(), 200);
    assert_eq!(last(&emulator).user_alias(), Some("ann"));
}

pub(super) fn another_origin_is_not_shown_the_token(kind: &Kind) {
    let (api, other) = (emulator(), emulator());
    let subject = (kind.make)(&Setup::of(&api));
    assert_eq!(subject.ask(&Call::to(&other)).status(), 401);
    // The same server by another name is another origin.
    let call = Call { url: api.base_url_for("localhost") + ROUTE, ..Call::default() };
    assert_eq!(subject.ask(&call).status(), 401);
    assert_eq!((arrived(&other), arrived(&api)), ((1, 0), (1, 0)));
    assert_eq!(api.count(Operation::SignIn), 0);
}

pub(super) fn a_host_that_differs_from_the_url_is_not_shown_the_token(kind: &Kind) {
    let emulator = emulator();
    let subject = (kind.make)(&Setup::of(&emulator));
    let call = Call { host: Some("elsewhere.example"), ..Call::to(&emulator) };
    assert_eq!(subject.ask(&call).status(), 401);
    assert_eq!((arrived(&emulator), emulator.count(Operation::SignIn)), ((1, 0), 0));
}

pub(super) fn an_origin_that_was_added_gets_the_token(kind: &Kind) {
    let emulator = emulator();
    let added = emulator.base_url_for("localhost");
    let extra_origin = Some(point_auth::BaseUrl::parse(&added).unwrap());
    let subject = (kind.make)(&Setup { extra_origin, ..Setup::of(&emulator) });
    let call = Call { url: added + MOVED, ..Call::default() };
    assert_eq!(subject.ask(&call).status(), 200);

    // A 401 of that origin counts.
    subject.time().advance(OLD);
    revoke_last(&emulator);
    if !kind.repeats {
        assert_eq!(subject.ask(&call).status(), 401);
    }
    assert_eq!(subject.ask(&call).status(), 200);
    assert_eq!((arrived(&emulator), emulator.count(Operation::Refresh)), ((3, 3), 1));
}

pub(super) fn an_authorization_of_the_users_own_stays(kind: &Kind) {
    let emulator = emulator();
    let subject = (kind.make)(&Setup::of(&emulator));
    let call = Call { authorization: Some("Basic dTpw"), ..Call::to(&emulator) };
    assert_eq!(subject.ask(&call).status(), 401);
    let seen = last(&emulator);
    let values: Vec<_> = seen.headers().get_all("authorization").iter().collect();
    assert_eq!(values, ["Basic dTpw"]);
    assert_eq!((arrived(&emulator), emulator.count(Operation::SignIn)), ((1, 0), 0));
}

pub(super) fn an_authorization_is_replaced_where_the_user_says_so(kind: &Kind) {
    let emulator = emulator();
    let subject = (kind.make)(&Setup { replaces: true, ..Setup::of(&emulator) });
    let call = Call { authorization: Some("Basic dTpw"), ..Call::to(&emulator) };
    assert_eq!(subject.ask(&call).status(), 200);
    assert_eq!(last(&emulator).headers().get_all("authorization").iter().count(), 1);
}

pub(super) fn a_streaming_body_is_sent_once(kind: &Kind) {
    let (emulator, subject) = with_old_token(kind);
    revoke_last(&emulator);
    let call = Call { body: Body::Stream("streamed"), ..Call::to(&emulator) };
    assert_eq!(subject.ask(&call).status(), 401);
    assert_eq!((arrived(&emulator), subject.has_token()), ((2, 2), false));
    let seen = last(&emulator);
    assert_eq!(seen.body().as_ref(), b"streamed");
    assert_eq!(seen.header("content-length"), None);

    // It gave the token up, so the next one has another.
    assert_eq!(subject.ask(&call).status(), 200);
    assert_eq!((arrived(&emulator), emulator.count(Operation::Refresh)), ((3, 3), 1));
}

pub(super) fn a_caller_that_gives_up_costs_no_second_sign_in(kind: &Kind) {
    let emulator = emulator();
    let subject = (kind.make)(&Setup::of(&emulator));
    subject.give_up(&Call::to(&emulator), &emulator);
    assert_eq!(subject.ask(&Call::to(&emulator)).status(), 200);
    let exchanges = (emulator.count(Operation::SignIn), emulator.count(Operation::Refresh));
    assert_eq!(exchanges, (1, 0));
}

pub(super) fn a_request_that_fails_shows_and_costs_no_token(kind: &Kind) {
    let (emulator, subject) = with_old_token(kind);
    emulator.push_fault_for(Operation::Protected, Fault::close_after_request());
    let outcome = subject.ask(&Call { body: Body::Whole("whole"), ..Call::to(&emulator) });
    let Outcome::Failed(text) = outcome else { panic!("{outcome:?}") };
    let request = last(&emulator);
    let token = request.header("authorization").unwrap().strip_prefix("Bearer ").unwrap();
    assert!(!text.contains(token), "{text}");
    assert!(subject.has_token());
}
