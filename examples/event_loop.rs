//! Core's session machine in a single-threaded loop: no async, no threads, and virtual time.
//!
//! Three jobs want a token every ten minutes of a virtual day. For twenty minutes the server is
//! down.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::time::Duration;

use point_auth::session::{Action, Call, Failure, Now, Outcome, Policy, SessionMachine};
use point_auth::transport::{BlockingTransport, SendLimits};
use point_auth::{AccessToken, UreqTransport};
use point_auth_examples::Place;
use point_auth_testkit::Fault;

// ANCHOR: drive
/// Gets a token for one job. In a single-threaded loop no other caller sends, so only time has to
/// be awaited.
fn token(
    session: &mut SessionMachine,
    transport: &impl BlockingTransport,
    clock: &mut Clock<'_>,
) -> Result<AccessToken, Box<dyn Error>> {
    let mut call = Call::new();
    loop {
        match session.poll(clock.now(), &mut call)? {
            Action::Ready(lease) => return Ok(lease.token),
            Action::WaitUntil(time) => clock.sleep_until(time),
            Action::Send(exchange) => {
                // After this deadline, the session treats the exchange as abandoned.
                let left = exchange.deadline.saturating_sub(clock.since_start);
                let limits = SendLimits::new().with_total_timeout(left);
                let outcome = match transport.send(exchange.request, &limits) {
                    Ok(response) => session.handle_response(exchange.id, clock.now(), &response),
                    Err(error) if error.may_have_been_sent() => session.handle_failure(
                        exchange.id,
                        clock.now(),
                        &Failure::maybe_sent().with_source(error),
                    ),
                    Err(error) => session.handle_failure(
                        exchange.id,
                        clock.now(),
                        &Failure::not_sent().with_source(error),
                    ),
                };
                clock.tell(&outcome);
            }
            // Only a session made by `SessionMachine::on_demand` requests them.
            Action::GetCredentials(_) => {
                return Err("this session was given its credentials".into());
            }
        }
    }
}
// ANCHOR_END: drive

fn main() -> Result<(), Box<dyn Error>> {
    let place = Place::emulator()?;
    let transport = UreqTransport::with_settings(&place.settings)?;
    // The seed spreads the refreshes of many processes. Here a fixed one suffices.
    let mut session = SessionMachine::new(
        place.base_url.clone(),
        place.credentials.clone(),
        Policy::default(),
        7,
    );
    let mut clock = Clock { place: &place, since_start: Duration::ZERO };

    for minute in (0..24 * 60).step_by(10) {
        clock.sleep_until(Duration::from_secs(minute * 60));
        match (minute, &place.emulator) {
            (600, Some(emulator)) => emulator.always(Fault::html(502)),
            (620, Some(emulator)) => emulator.clear_faults(),
            _ => {}
        }
        for job in ["policies", "claims", "reports"] {
            if let Err(error) = token(&mut session, &transport, &mut clock) {
                let cause = error.source().map(ToString::to_string).unwrap_or_default();
                println!(
                    "{:>5} min  {job} goes without: {error}: {cause}",
                    clock.since_start.as_secs() / 60
                );
            }
        }
    }

    let snapshot = session.snapshot(clock.now());
    println!("\nAfter a day: {:?}, {:?}", snapshot.state, snapshot.counts);
    Ok(())
}

/// Virtual time, set by the loop, here and at the emulator.
struct Clock<'a> {
    place: &'a Place,
    since_start: Duration,
}

impl Clock<'_> {
    fn now(&self) -> Now {
        let wall = self
            .place
            .emulator
            .as_ref()
            .map_or(std::time::SystemTime::UNIX_EPOCH, |one| one.clock().now());
        Now::new(self.since_start, wall)
    }

    fn sleep_until(&mut self, time: Duration) {
        let passes = time.saturating_sub(self.since_start);
        self.since_start += passes;
        if let Some(emulator) = &self.place.emulator {
            emulator.clock().advance(passes);
        }
    }

    fn tell(&self, outcome: &Outcome) {
        let minute = self.since_start.as_secs() / 60;
        match outcome {
            Outcome::Renewed { kind, .. } => println!("{minute:>5} min  {kind:?}: a new token"),
            Outcome::RefreshRefused { error, .. } => {
                println!("{minute:>5} min  refresh refused: {error}");
            }
            Outcome::Retrying { error, .. } => {
                println!("{minute:>5} min  retrying soon: {error}");
            }
            Outcome::Failed { error, .. } => {
                println!("{minute:>5} min  backing off: {error}");
            }
            other => println!("{minute:>5} min  {other:?}"),
        }
    }
}
