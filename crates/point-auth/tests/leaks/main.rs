//! No log and no error shows a secret.
//!
//! Every adapter, through a client and through a session, signs in, refreshes and fails in every
//! way. All logs, spans and events at the most verbose level are kept, and the names and labels of
//! all metrics. Every error is printed in every way.
//!
//! This is a separate binary, because a logger is for the whole process. The one exception is
//! ureq-proto, which logs what it reads; the tests check that it logs only that. A server that
//! repeats a password also gets it into some logs, but not into an error.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it has counted"
)]

mod canaries;
mod drivers;
mod heard;
mod scenes;
mod shown;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use point_auth::transport::{ProxySettings, TransportSettings};
use point_auth_testkit::HttpVersions;

use crate::canaries::{ACCESS, ECHOED, PASSWORD, PROXY_PASSWORD, REFRESH};
use crate::drivers::{ADAPTERS, Adapter, Driver};
use crate::heard::{Heard, Line};
use crate::scenes::{Scene, Wire};

/// The log target of ureq-proto.
const UREQ_PROTO: &str = "ureq_proto::util";
/// Other targets that repeat server text, and so a secret if the server does: ureq a response's
/// `Content-Type` and `Location` among other headers, h2 the debug data of a GOAWAY.
const REPEAT: [&str; 2] = ["ureq::run", "h2::"];

fn goes_through_everything(adapter: Adapter, asker: &str, make: fn(Adapter) -> Driver) {
    let heard = heard::begin();
    shown::texts_so_far();
    let driver = make(adapter);
    let mut ways = 0;
    for wire in [Wire::Plain, Wire::Tls(HttpVersions::Http1Only), Wire::Tls(HttpVersions::Both)] {
        ways += Scene::new(wire).play(&driver);
    }
    let (excepted, found): (Vec<_>, Vec<_>) =
        heard.secrets().into_iter().partition(|(target, name)| is_an_exception(target, name));
    assert!(found.is_empty(), "{adapter:?}: {found:#?}");
    let (lines, texts) = (heard.len(), shown::texts_so_far());
    // Each error is searched itself and in the four forms.
    assert!(
        ways > 60 && lines > 100 && texts >= 7 * ways,
        "{ways} failures, {lines} lines, {texts} texts"
    );
    let adapter = format!("{adapter:?}").to_lowercase();
    print_row(&format!(
        "{adapter}, by a {asker} | {ways} | {lines} | {texts} | {} | {} | {}",
        found.len(),
        excepted.len(),
        by_speaker(&excepted)
    ));
}

/// ureq-proto logs what it reads, and a server that repeats a password gets it into some logs.
/// There is no other exception.
fn is_an_exception(target: &str, name: &str) -> bool {
    let repeated = name == ECHOED.name && REPEAT.iter().any(|who| target.starts_with(who));
    let read = [ACCESS.name, REFRESH.name, ECHOED.name].contains(&name) && target == UREQ_PROTO;
    repeated || read
}

/// Returns the target of each secret, as text.
fn by_speaker(found: &[(String, &str)]) -> String {
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (target, name) in found {
        names.entry(target).or_default().insert(name);
    }
    let words = names.iter().map(|(target, names)| {
        let names: Vec<&str> = names.iter().copied().collect();
        format!("`{target}`: {}", names.join(", "))
    });
    words.collect::<Vec<_>>().join("; ")
}

/// Prints a row for the book. It bypasses the harness, which shows output only on failure, and uses
/// one write, because others print too.
fn print_row(row: &str) {
    io::stdout().lock().write_all(format!("canaries | {row}\n").as_bytes()).unwrap();
}

#[test]
fn reqwest_leaks_nothing_by_a_client() {
    goes_through_everything(Adapter::Reqwest, "client", Driver::client);
}

#[test]
fn reqwest_leaks_nothing_by_a_session() {
    goes_through_everything(Adapter::Reqwest, "session", Driver::session);
}

#[test]
fn hyper_leaks_nothing_by_a_client() {
    goes_through_everything(Adapter::Hyper, "client", Driver::client);
}

#[test]
fn hyper_leaks_nothing_by_a_session() {
    goes_through_everything(Adapter::Hyper, "session", Driver::session);
}

#[test]
fn ureq_leaks_nothing_by_a_client() {
    goes_through_everything(Adapter::Ureq, "client", Driver::client);
}

#[test]
fn ureq_leaks_nothing_by_a_session() {
    goes_through_everything(Adapter::Ureq, "session", Driver::session);
}

/// If this fails because ureq-proto has stopped, the exception can be removed, here and in the
/// security chapter.
#[test]
fn what_ureq_proto_logs_is_what_it_reads_and_never_the_password() {
    let heard = heard::begin();
    Scene::new(Wire::Plain).play(&Driver::client(Adapter::Ureq));
    let mut found = heard.secrets_of(UREQ_PROTO);
    // If a server repeats a password, it is logged with the rest of the response.
    found.retain(|name| *name != ECHOED.name);
    assert_eq!(found, [ACCESS.name, REFRESH.name]);
}

/// The tests above would find nothing if no log was heard.
#[test]
fn all_loggers_are_heard() {
    let heard = heard::begin();
    for adapter in ADAPTERS {
        Scene::new(Wire::Tls(HttpVersions::Both)).play(&Driver::client(adapter));
    }
    let targets = heard.targets();
    for who in ["h2::", "hyper_util::", "reqwest::", "rustls::", "ureq::", "ureq_proto::"] {
        assert!(targets.iter().any(|target| target.starts_with(who)), "{who} in {targets:?}");
    }
}

#[test]
fn spans_and_metrics_of_a_session_are_heard_and_say_whose_it_is_in_none() {
    let heard = heard::begin();
    Scene::new(Wire::Plain).play(&Driver::session(Adapter::Hyper));
    let metrics = heard.texts_of(heard::METRICS);
    assert!(metrics.iter().any(|text| text.contains("outcome = denied")), "{metrics:?}");
    let spans = heard.texts_of("point_auth");
    assert!(spans.iter().any(|text| text.starts_with("point_auth.exchange")), "{spans:?}");
    for text in metrics.iter().chain(&spans) {
        assert!(!text.contains(scenes::USERNAME) && !text.contains("://"), "{text}");
    }
    assert_eq!(heard.secrets(), []);
}

#[test]
fn a_secret_is_found_in_whatever_form_it_is_logged() {
    let secret = PASSWORD.text();
    let bytes = secret.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let rows = bytes.chunks(16).map(|row| {
        let hex: Vec<String> = row
            .chunks(2)
            .map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect())
            .collect();
        format!("{}  {}", hex.join(" "), String::from_utf8_lossy(row))
    });
    let only_hex =
        bytes.chunks(16).map(|row| row.iter().map(|byte| format!("{byte:02X} ")).collect());
    let logs: [Vec<String>; 7] = [
        vec![format!("x{secret}y")],
        vec![format!("{:?}", secret.as_bytes())],
        vec![format!("{:#?}", secret.as_bytes())],
        vec![hex],
        rows.collect(),
        only_hex.collect(),
        secret
            .as_bytes()
            .chunks(5)
            .map(|piece| String::from_utf8_lossy(piece).into_owned())
            .collect(),
    ];
    for log in logs {
        let lines: Vec<Line> = log.into_iter().map(|text| Line::new("speaker", text)).collect();
        let found = Heard::of(lines.clone()).secrets();
        assert_eq!(found, [("speaker".to_owned(), PASSWORD.name)], "{lines:#?}");
    }
    let basic =
        format!("Basic {}", canaries::base64(&format!("proxy-user:{}", PROXY_PASSWORD.text())));
    assert_eq!(Heard::of(vec![Line::new("a", basic)]).secrets_of("a"), [PROXY_PASSWORD.name]);
    assert!(
        Heard::of(vec![Line::new("a", "POST /signInWithPassword 200".to_owned())])
            .secrets_of("a")
            .is_empty()
    );
}

#[test]
fn settings_with_a_password_for_the_proxy_show_none() {
    let url = format!("http://proxy-user:{}@127.0.0.1:3128", PROXY_PASSWORD.text());
    let settings = TransportSettings::new().with_proxy(ProxySettings::url(&url).unwrap());
    for adapter in ADAPTERS {
        let shown = format!("{settings:?} {settings:#?} {}", adapter.shown(&settings));
        assert_eq!(canaries::in_text(&shown), Vec::<&str>::new(), "{adapter:?}: {shown}");
    }
}
