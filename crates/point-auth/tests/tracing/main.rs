//! What a session says by `tracing`: the page `reference/tracing.md` of the book, held against it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of a test fails the test")]

mod collector;

use std::time::Duration;

use point_auth::{BaseUrl, Client, Credentials, HyperTransport, Session};
use point_auth_testkit::{Emulator, Fault, Operation};
use tokio::runtime::Runtime;

use collector::{Collector, Span};

const USERNAME: &str = "jane-of-the-spans@example.com";
const PASSWORD: &str = "correct-horse-of-the-spans";

fn emulator() -> Emulator {
    Emulator::builder().user_with_aliases(USERNAME, PASSWORD, ["an-alias"]).start().unwrap()
}

fn credentials(password: &str) -> Credentials {
    let credentials = Credentials::new(USERNAME, password).unwrap();
    credentials.with_user_alias("an-alias").unwrap()
}

fn client(emulator: &Emulator) -> Client<HyperTransport> {
    let base_url = BaseUrl::parse(&emulator.base_url()).unwrap();
    Client::new(HyperTransport::new().unwrap()).with_base_url(base_url)
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// The page of the book.
const PAGE: &str = include_str!("../../../../docs/src/reference/tracing.md");

#[track_caller]
fn field<'s>(span: &'s Span, name: &str) -> &'s str {
    span.fields.get(name).unwrap_or_else(|| panic!("{name} in {:?}", span.fields))
}

#[test]
fn an_exchange_is_one_span_with_the_fields_of_the_page() {
    let collector = Collector::begin();
    let (emulator, runtime) = (emulator(), runtime());
    let _entered = runtime.enter();
    let session = Session::new(client(&emulator), credentials(PASSWORD));
    runtime.block_on(session.access_token()).unwrap();
    let spans = collector.spans_until(1);
    let span = &spans[0];
    assert_eq!(field(span, "otel.kind"), "client");
    assert_eq!(field(span, "http.request.method"), "POST");
    assert_eq!(field(span, "server.address"), "127.0.0.1");
    assert!(emulator.base_url().contains(field(span, "server.port")));
    assert_eq!(field(span, "http.response.status_code"), "200");
    assert_eq!(field(span, "point_auth.exchange.kind"), "sign_in");
    assert_eq!(field(span, "point_auth.exchange.attempt"), "1");
    assert_eq!(field(span, "point_auth.outcome"), "renewed");
    assert!(!span.fields.contains_key("error.type"));
    assert!(!span.fields.contains_key("otel.status_code"));
    for name in &span.declared {
        assert!(PAGE.contains(&format!("| `{name}` |")), "{name} is not on the page");
    }
    assert!(span.children > 0, "the client said nothing inside the span");
    // A good token is read without any.
    for _ in 0..10 {
        runtime.block_on(session.access_token()).unwrap();
    }
    assert_eq!(collector.spans_until(1).len(), 1);
    assert_eq!(collector.events_until(1), ["INFO point_auth: tokens renewed expires_in=3600"]);
}

#[test]
fn failures_say_their_type_and_what_follows() {
    let collector = Collector::begin();
    let (emulator, runtime) = (emulator(), runtime());
    let _entered = runtime.enter();
    let session = Session::new(client(&emulator), credentials("a-wrong-word"));
    emulator.push_fault_for(Operation::SignIn, Fault::respond(503));
    runtime.block_on(session.access_token()).unwrap_err();
    let spans = collector.spans_until(2);
    assert_eq!(field(&spans[0], "error.type"), "503");
    assert_eq!(field(&spans[0], "otel.status_code"), "ERROR");
    assert_eq!(field(&spans[0], "http.response.status_code"), "503");
    assert_eq!(field(&spans[0], "point_auth.outcome"), "retrying");
    assert_eq!(field(&spans[1], "error.type"), "denied");
    assert_eq!(field(&spans[1], "point_auth.outcome"), "denied");
    assert_eq!(field(&spans[1], "point_auth.exchange.attempt"), "2");
    let events = collector.events_until(2);
    assert!(
        events[0].starts_with("DEBUG point_auth: retrying error.type=503 until="),
        "{events:?}"
    );
    assert_eq!(events[1], "WARN point_auth: sign-in denied http.response.status_code=403");
}

#[test]
fn a_connection_that_is_refused_is_of_that_type() {
    let collector = Collector::begin();
    let runtime = runtime();
    let _entered = runtime.enter();
    let closed = point_auth_testkit::ClosedPort::reserve().unwrap();
    let base_url = BaseUrl::parse(&format!("http://{}", closed.addr())).unwrap();
    let client = Client::new(HyperTransport::new().unwrap()).with_base_url(base_url);
    let session = Session::new(client, credentials(PASSWORD));
    runtime.block_on(session.access_token_within(Duration::from_secs(15))).unwrap_err();
    let spans = collector.spans_until(3);
    assert!(spans.iter().all(|span| field(span, "error.type") == "connect"), "{spans:?}");
    assert_eq!(field(&spans[2], "point_auth.outcome"), "failed");
}

#[test]
fn a_401_is_said() {
    let collector = Collector::begin();
    let (emulator, runtime) = (emulator(), runtime());
    let _entered = runtime.enter();
    let session = Session::new(client(&emulator), credentials(PASSWORD));
    let token = runtime.block_on(session.access_token()).unwrap();
    session.invalidate(&token);
    session.invalidate(&token);
    let rejected = "DEBUG point_auth: token rejected by the API";
    let events = collector.events_until(2);
    assert_eq!(events.iter().filter(|event| *event == rejected).count(), 1);
}

#[test]
fn only_a_switch_shows_the_alias_and_nothing_shows_more() {
    let collector = Collector::begin();
    let (emulator, runtime) = (emulator(), runtime());
    let _entered = runtime.enter();
    for shows_alias in [false, true] {
        let builder = Session::builder(client(&emulator)).with_credentials(credentials(PASSWORD));
        let builder = if shows_alias { builder.with_aliases_in_spans() } else { builder };
        let session = builder.build();
        let token = runtime.block_on(session.access_token()).unwrap();
        let spans = collector.spans_until(1 + usize::from(shows_alias));
        let text = format!("{spans:?} {:?}", collector.events_until(1));
        for secret in [USERNAME, PASSWORD, token.expose(), "signInWithPassword"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert_eq!(text.contains("an-alias"), shows_alias, "{text}");
    }
}

#[test]
fn every_event_is_on_the_page() {
    let source = include_str!("../../src/driver/trace.rs");
    let messages = source.split('"').filter(|text| text.starts_with("point_auth: "));
    let mut count = 0;
    for message in messages {
        assert!(PAGE.contains(&format!("`{message}`")), "{message}");
        count += 1;
    }
    assert_eq!(count, 10);
}
