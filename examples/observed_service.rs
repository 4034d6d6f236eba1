//! A service that is watched: its spans go to the console, in the form of an exporter for
//! OpenTelemetry, and its metrics to a Prometheus page on 127.0.0.1.
//!
//! A day passes in some seconds. The API is down in the morning, rejects a token at noon, and has
//! another password in the evening. `cargo run --example observed_service -- --record FILE` also
//! writes what it reads of its own page every two minutes, with the time, as Prometheus would.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::fmt::Write;
use std::net::{SocketAddr, TcpListener};
use std::pin::pin;
use std::time::{Duration, UNIX_EPOCH};
use std::{env, fs};

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use point_auth::{Client, Credentials, HyperTransport, Session, TokioRuntime};
use point_auth_examples::{Place, WhoAmI};
use point_auth_testkit::{Emulator, Fault, Operation, VirtualTime};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

// ANCHOR: spans
/// Prints each span of point-auth when it ends. A service that has a collector takes the exporter
/// of `opentelemetry-otlp` and a batch of spans instead.
fn print_spans() -> SdkTracerProvider {
    let exporter = opentelemetry_stdout::SpanExporter::default();
    let service = Resource::builder().with_service_name("observed_service").build();
    let provider =
        SdkTracerProvider::builder().with_resource(service).with_simple_exporter(exporter).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("observed_service"));
    let ours = Targets::new().with_target("point_auth", LevelFilter::TRACE);
    tracing_subscriber::registry().with(layer.with_filter(ours)).init();
    provider
}
// ANCHOR_END: spans

// ANCHOR: metrics
/// Serves the metrics of this process, to Prometheus on this machine. It has to be called before
/// the first session is built, and in a tokio runtime.
fn serve_metrics(address: SocketAddr) -> Result<(), BuildError> {
    PrometheusBuilder::new()
        .with_http_listener(address)
        .set_buckets(&[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])?
        .install()
}
// ANCHOR_END: metrics

// ANCHOR: session
/// A label tells the logins of one program apart. It is a name that you choose, not a username.
fn session(client: Client<HyperTransport>, credentials: Credentials, time: VirtualTime) -> Session {
    Session::builder(client)
        .with_credentials(credentials)
        .with_metrics_label("login", "lender-a")
        .with_runtime(time)
        .build()
}
// ANCHOR_END: session

const STEP: Duration = Duration::from_secs(2 * 60);
const STEPS_OF_AN_HOUR: u32 = 30;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let day = run().await?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {}
        ["--record", file] => fs::write(file, day.record + "# EOF\n")?,
        _ => return Err("usage: observed_service [--record FILE]".into()),
    }
    println!("\nWhat Prometheus reads at the end of the day:\n\n{}", day.page);
    println!("Of {} calls of the API {} had no token.", day.calls, day.failed_calls);
    Ok(())
}

/// What came of a day.
pub(crate) struct Day {
    /// The metrics at its end.
    pub(crate) page: String,
    /// The metrics every two minutes, each with its time.
    pub(crate) record: String,
    pub(crate) calls: u32,
    pub(crate) failed_calls: u32,
}

/// Lets a day pass.
pub(crate) async fn run() -> Result<Day, Box<dyn Error>> {
    let spans = print_spans();
    // A service has a port of its own. This is one that is free.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    serve_metrics(address)?;
    let place = Place::emulator()?;
    let emulator = place.emulator.as_ref().ok_or("the example is about the emulator")?;
    answers(emulator, &Fault::pass());
    let time = VirtualTime::new(emulator.clock(), TokioRuntime::new());
    let client = Client::new(HyperTransport::with_settings(&place.settings)?)
        .with_base_url(place.base_url.clone());
    let session = session(client, place.credentials.clone(), time.clone());

    let prometheus = reqwest::Client::new();
    let mut day = Day { page: String::new(), record: String::new(), calls: 0, failed_calls: 0 };
    for step in 0..24 * STEPS_OF_AN_HOUR {
        happens(step, emulator, &session)?;
        day.calls += 1;
        if call(&session, &time).await.is_err() {
            day.failed_calls += 1;
        }
        // The refresh in the background, if it is due.
        while session.snapshot().in_flight.is_some() {
            passes(&session, &time).await;
        }
        let answer = prometheus.get(format!("http://{address}/metrics")).send().await?;
        day.page =
            samples(&answer.text().await?).fold(String::new(), |page, line| page + line + "\n");
        let now = emulator.clock().now().duration_since(UNIX_EPOCH)?.as_secs();
        for line in day.page.lines() {
            writeln!(day.record, "{line} {now}")?;
        }
        time.advance(STEP);
    }
    spans.shutdown()?;
    Ok(day)
}

/// What goes wrong in the course of the day.
fn happens(step: u32, emulator: &Emulator, session: &Session) -> Result<(), Box<dyn Error>> {
    let is_at = |hour: u32, minute: u32| step == hour * STEPS_OF_AN_HOUR + minute / 2;
    if is_at(6, 0) {
        // The API is down for longer than a token lives.
        answers(emulator, &Fault::respond(503));
    } else if is_at(7, 44) {
        answers(emulator, &Fault::pass());
    } else if is_at(12, 0) {
        let token = session.current_token().ok_or("there is no token at noon")?;
        emulator.revoke(token.expose());
    } else if is_at(18, 0) {
        // The password is another one, and what was given for the old one has ended.
        emulator.change_password("user@example.com", "battery staple");
        let refused = r#"{"error":"access_denied","error_description":"no such token"}"#;
        emulator.push_fault_for(Operation::Refresh, Fault::respond(403).json(refused));
    } else if is_at(20, 0) {
        // An operator has been called, by the alarm for `point_auth_denied`.
        session.set_credentials(
            Credentials::new("user@example.com", "battery staple")?.with_user_alias("jane")?,
        );
    }
    Ok(())
}

/// Lets the API answer so from now on, with the delay of a server that is far away.
fn answers(emulator: &Emulator, answer: &Fault) {
    for operation in [Operation::SignIn, Operation::Refresh] {
        emulator.always_for(operation, answer.clone().delay(Duration::from_millis(20)));
    }
}

/// Calls the API, and lets time pass while the session waits for its next attempt.
async fn call(session: &Session, time: &VirtualTime) -> Result<String, point_auth::Error> {
    let operation = WhoAmI::default();
    let mut call = pin!(session.execute(&operation));
    loop {
        tokio::select! {
            biased;
            answer = &mut call => return answer,
            () = passes(session, time) => {}
        }
    }
}

/// Lets some time pass: less while an exchange is in flight, which has an end.
async fn passes(session: &Session, time: &VirtualTime) {
    tokio::time::sleep(Duration::from_millis(1)).await;
    let is_in_flight = session.snapshot().in_flight.is_some();
    time.advance(Duration::from_millis(if is_in_flight { 5 } else { 100 }));
}

/// The lines of the page with a value.
fn samples(page: &str) -> impl Iterator<Item = &str> {
    page.lines().filter(|line| line.starts_with("point_auth_"))
}
