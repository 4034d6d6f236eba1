//! What a session records by `metrics`: the page `reference/metrics.md` of the book, held against
//! it.

mod recorder;

use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};

use point_auth::session::Policy;
use point_auth::transport::async_trait;
use point_auth::{
    BaseUrl, BoxError, Client, CredentialSource, Credentials, ErrorKind, HyperTransport, Session,
    Sessions,
};
use point_auth_testkit::{ClosedPort, Fault, Operation};

use super::stores::Store;
use super::support::{World, single_thread};
use crate::support::{PASSWORD, USERNAME, credentials};
use recorder::Recorded;

const DURATION: &str = "point_auth.exchange.duration";
const EXPIRY: &str = "point_auth.token.expiry";
const DENIED: &str = "point_auth.denied";

/// The page of the book.
const PAGE: &str = include_str!("../../../../../docs/src/reference/metrics.md");

/// Runs what a test does on one thread, whose recorder is the test's.
fn recorded<F: Future<Output = ()>>(scene: impl FnOnce(Recorded) -> F) -> Recorded {
    let recorded = Recorded::default();
    let runtime = single_thread();
    let entered = runtime.enter();
    metrics::with_local_recorder(&recorded, || runtime.block_on(scene(recorded.clone())));
    drop(entered);
    recorded
}

fn wrong() -> Credentials {
    Credentials::new(USERNAME, "a wrong password").unwrap()
}

fn real_time(world: &World) -> Client<HyperTransport> {
    Client::new(HyperTransport::new().unwrap()).with_base_url(world.base_url())
}

struct EmptyVault;

#[async_trait]
impl CredentialSource for EmptyVault {
    async fn credentials(&self) -> Result<Credentials, BoxError> {
        Err("the vault is empty".into())
    }
}

/// Lets the exchanges of this thread tell the store what came of them, which they do after their
/// callers have the token.
async fn settled() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Lets sessions do all that is recorded.
async fn everything(_: Recorded) {
    let world = World::new();
    let store = Store::new(&world);
    let builder = || world.builder().with_credentials(credentials()).with_store(store.clone());
    let session = builder().build();
    session.access_token().await.unwrap();
    settled().await;
    world.time.advance(Duration::from_secs(3601));
    let token = session.access_token().await.unwrap();
    settled().await;
    session.invalidate(&token);
    // Another process finds the tokens of the first one.
    let other = builder().build();
    other.access_token().await.unwrap();

    let session = world.builder().with_credentials(wrong()).build();
    session.access_token().await.unwrap_err();
    let once = Policy::builder().with_attempts(1).build().unwrap();
    let builder = world.builder().with_credential_source(EmptyVault).with_policy(once.clone());
    assert_eq!(builder.build().access_token().await.unwrap_err().kind(), ErrorKind::Credentials);

    let session = Session::new(real_time(&world), credentials());
    world.emulator.push_fault_for(Operation::SignIn, Fault::respond(503));
    session.access_token().await.unwrap();

    let closed = ClosedPort::reserve().unwrap();
    let base_url = BaseUrl::parse(&format!("http://{}", closed.addr())).unwrap();
    let client = Client::new(HyperTransport::new().unwrap()).with_base_url(base_url);
    let builder =
        Session::builder(client).with_credentials(credentials()).with_policy(once.clone());
    builder.build().access_token().await.unwrap_err();

    store.breaks();
    let builder = world.builder().with_credentials(wrong()).with_store(store);
    let builder = builder.with_policy(once);
    builder.build().access_token().await.unwrap_err();
}

#[test]
fn the_page_lists_what_is_recorded_and_nothing_else() {
    let recorded = recorded(everything);
    let mut names = BTreeSet::new();
    for entry in recorded.entries() {
        let (kind, unit, description) = recorded.described(&entry.name);
        let row = PAGE.lines().find(|line| line.starts_with(&format!("| `{}` |", entry.name)));
        let row = row.unwrap_or_else(|| panic!("{} is not on the page", entry.name));
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert_eq!((cells[2], cells[3], cells[5]), (kind, unit, description.as_str()), "{row}");
        for label in &entry.labels {
            let (name, value) = label.split_once('=').unwrap();
            assert!(cells[4].contains(&format!("`{name}`")), "{label} in {row}");
            assert!(is_listed(name, value), "{label} is not on the page");
        }
        names.insert(entry.name);
    }
    let rows = PAGE.lines().filter(|line| line.starts_with("| `point_auth.")).count();
    assert_eq!(names.len(), rows, "{names:?}");
}

/// Whether the table of labels has this value.
fn is_listed(name: &str, value: &str) -> bool {
    let row = PAGE.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap();
    let is_status = name == "error.type" && value.len() == 3 && value.parse::<u16>().is_ok();
    is_status || row.contains(&format!("`{value}`"))
}

#[test]
fn every_value_that_a_label_can_have_is_on_the_page() {
    let names = include_str!("../../../src/driver/names.rs");
    let meter = include_str!("../../../src/driver/meter.rs");
    let (_, events) = meter.split_once("StoreEvent::Unavailable").unwrap();
    let (events, _) = events.split_once('}').unwrap();
    let mut count = 0;
    for value in names.split('"').skip(1).step_by(2).filter(|text| *text != "store") {
        assert!(PAGE.contains(&format!("`{value}`")), "{value}");
        count += 1;
    }
    for value in events.split('"').skip(1).step_by(2) {
        assert!(is_listed("event", value), "{value}");
        count += 1;
    }
    assert!(count > 20, "{count} values");
}

#[test]
fn exchanges_are_counted_by_what_they_were_for_and_what_came_of_them() {
    let recorded = recorded(everything);
    let renewed = |kind| recorded.value(DURATION, &[kind, "outcome=renewed"]);
    assert_eq!(renewed("kind=sign_in"), Some(2.0));
    assert_eq!(renewed("kind=refresh"), Some(1.0));
    let of = |outcome, error| recorded.value(DURATION, &["kind=sign_in", outcome, error]);
    assert_eq!(of("outcome=denied", "error.type=denied"), Some(1.0));
    assert_eq!(of("outcome=retrying", "error.type=503"), Some(1.0));
    assert_eq!(of("outcome=failed", "error.type=connect"), Some(1.0));
    let withheld = |error| recorded.value("point_auth.exchange.withheld", &[error]);
    assert_eq!(withheld("error.type=credentials"), Some(1.0));
    assert_eq!(withheld("error.type=store"), Some(1.0));
    let events = |event| recorded.value("point_auth.store.events", &[event]);
    assert_eq!(events("event=unavailable"), Some(1.0));
    assert_eq!(recorded.value("point_auth.token.rejected", &[]), Some(1.0));
    assert_eq!(recorded.value("point_auth.token.adopted", &[]), Some(1.0));
}

#[test]
fn the_expiry_is_the_time_at_which_the_token_ends_and_zero_without_one() {
    recorded(async |recorded: Recorded| {
        let world = World::new();
        let session = world.session();
        let expiry = || recorded.value(EXPIRY, &[]).unwrap();
        assert_eq!(expiry(), 0.0);
        session.access_token().await.unwrap();
        let lease = session.current_lease().unwrap();
        let ends = lease.expires_at.duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        assert!((expiry() - ends).abs() < 0.01, "{} and not {ends}", expiry());
        session.invalidate(&lease.token);
        assert_eq!(expiry(), 0.0);
        // It is restored, as after a restart.
        let before = world.session();
        before.access_token().await.unwrap();
        let session = world.session();
        assert_eq!(expiry(), 0.0);
        session.restore(before.stored_tokens().unwrap()).unwrap();
        assert!(expiry() > ends - 1.0);
        // Another user's token is not this one's.
        session.set_credentials(Credentials::new("another@example.com", PASSWORD).unwrap());
        assert_eq!(expiry(), 0.0);
    });
}

#[test]
fn a_denial_counts_until_it_is_cleared_or_its_session_is_gone() {
    recorded(async |recorded: Recorded| {
        let world = World::new();
        let denied = || recorded.value(DENIED, &[]).unwrap();
        let one = world.builder().with_credentials(wrong()).build();
        assert_eq!(denied(), 0.0);
        one.access_token().await.unwrap_err();
        assert_eq!(denied(), 1.0);
        one.access_token().await.unwrap_err();
        assert_eq!(denied(), 1.0);
        let other = world.builder().with_credentials(wrong()).build();
        other.access_token().await.unwrap_err();
        assert_eq!(denied(), 2.0);
        one.set_credentials(credentials());
        assert_eq!(denied(), 1.0);
        other.reset();
        assert_eq!(denied(), 0.0);
        other.access_token().await.unwrap_err();
        assert_eq!(denied(), 1.0);
        drop(other);
        assert_eq!(denied(), 0.0);
    });
}

#[test]
fn of_many_aliases_only_the_number_of_those_denied_is_shown() {
    let recorded = recorded(async |recorded: Recorded| {
        let world = World::new();
        let sessions: Sessions = world.sessions_builder().with_credentials(wrong()).build();
        for alias in ["ann", "bob"] {
            sessions.access_token(alias).await.unwrap_err();
        }
        assert_eq!(recorded.value(DENIED, &[]), Some(2.0));
        sessions.reset();
        assert_eq!(recorded.value(DENIED, &[]), Some(0.0));
        sessions.set_credentials(credentials());
        sessions.access_token("ann").await.unwrap();
    });
    assert_eq!(recorded.value(EXPIRY, &[]), None);
    assert_eq!(recorded.value(DURATION, &["kind=sign_in", "outcome=renewed"]), Some(1.0));
}

#[test]
fn labels_of_the_program_are_on_all_metrics_and_nothing_else_is() {
    let recorded = recorded(async |_| {
        let world = World::new();
        let credentials = credentials().with_user_alias("an-alias").unwrap();
        let builder = world.builder().with_credentials(credentials);
        let builder =
            builder.with_metrics_label("login", "another").with_metrics_label("kind", "x");
        let session = builder.with_metrics_label("login", "lender-a").build();
        session.access_token().await.unwrap();
    });
    let entries = recorded.entries();
    assert_eq!(entries.len(), 5, "{entries:?}");
    for entry in &entries {
        let is_own =
            |label: &&String| !label.starts_with("kind=") && !label.starts_with("outcome=");
        let rest: Vec<&String> = entry.labels.iter().filter(is_own).collect();
        assert_eq!(rest, ["login=lender-a"], "{entry:?}");
    }
}

#[test]
fn an_exchange_whose_runtime_ends_is_recorded() {
    let world = World::new();
    world.emulator.push_fault(Fault::silent());
    let recorded = Recorded::default();
    metrics::with_local_recorder(&recorded, || {
        let runtime = single_thread();
        let entered = runtime.enter();
        let session = Session::new(real_time(&world), credentials());
        runtime.block_on(async {
            let sent = async {
                while world.sign_ins() == 0 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                _ = session.access_token() => panic!("there was an answer"),
                () = sent => {}
            }
        });
        drop(entered);
        drop(runtime);
    });
    let labels = ["kind=sign_in", "outcome=retrying", "error.type=outcome_unknown"];
    assert_eq!(recorded.value(DURATION, &labels), Some(1.0), "{:?}", recorded.entries());
}

#[test]
fn a_recorder_that_comes_late_does_not_count_below_zero() {
    let world = World::new();
    let runtime = single_thread();
    let _entered = runtime.enter();
    let session = world.builder().with_credentials(wrong()).build();
    runtime.block_on(session.access_token()).unwrap_err();
    let recorded = Recorded::default();
    metrics::with_local_recorder(&recorded, || {
        let _other = world.session();
        session.reset();
    });
    assert_eq!(recorded.value(DENIED, &[]), Some(0.0));
}

#[test]
fn a_recorder_that_panics_costs_no_token() {
    let world = World::new();
    let runtime = single_thread();
    let _entered = runtime.enter();
    let session = metrics::with_local_recorder(&recorder::Panics, || {
        let session = world.session();
        runtime.block_on(session.access_token()).unwrap();
        session
    });
    assert!(session.current_token().is_some());
    assert_eq!(world.sign_ins(), 1);
}
