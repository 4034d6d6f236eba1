//! Two programs by hand, which share their tokens in a store: no async, no threads, and virtual
//! time. Each asks for a token every ten minutes of a virtual day.
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::time::{Duration, SystemTime};

use point_auth::session::{
    Action, Call, Exchange, ExchangeKind, Failure, Moment, Now, Outcome, Policy, Rejected,
    SessionMachine, SignInResult,
};
use point_auth::token_store::{
    AnyStore, Grant, Intent, Known, Owner, Refusal, Settled, Settlement, SharedTokens, Verdict,
};
use point_auth::transport::{BlockingTransport, SendLimits};
use point_auth::{AccessToken, Credentials, MemoryStore, UreqTransport};
use point_auth_examples::Place;
use point_auth_testkit::Clock;

/// One program.
struct Program {
    session: SessionMachine,
    shared: SharedTokens,
    known: Known,
    credentials: Credentials,
    sent: u32,
}

impl Program {
    fn token(
        &mut self,
        transport: &impl BlockingTransport,
        time: &Time,
    ) -> Result<AccessToken, Box<dyn Error>> {
        let mut call = Call::new();
        loop {
            match self.session.poll(time.now(), &mut call)? {
                Action::Ready(lease) => return Ok(lease.token),
                Action::WaitUntil(until) => time.pass_until(until),
                Action::Send(exchange) => self.exchange(*exchange, transport, time)?,
                Action::GetCredentials(_) => return Err("the session has credentials".into()),
            }
        }
    }

    // ANCHOR: consult
    /// Consults the store first. The session was built with `with_deferred_start`, so that the
    /// exchange has not started yet.
    fn exchange(
        &mut self,
        exchange: Exchange,
        transport: &impl BlockingTransport,
        time: &Time,
    ) -> Result<(), Box<dyn Error>> {
        let (id, now) = (exchange.id, time.now());
        let owner = Owner {
            username: self.credentials.username(),
            user_alias: self.credentials.user_alias(),
        };
        let intent = match exchange.kind {
            ExchangeKind::SignIn => Intent::SignIn(&self.credentials),
            _ => Intent::Refresh,
        };
        // A store without I/O answers at once.
        let asking = self.shared.consult(owner, intent, self.known, now.wall);
        let consultation = pollster::block_on(asking)?;
        match consultation.verdict {
            Verdict::Granted(grant) => self.send(exchange, grant, transport, time)?,
            Verdict::Newer(newer) => {
                self.known.version = Some(newer.version);
                let _outcome = self.session.adopt(id, now, newer.tokens);
            }
            Verdict::InUse(left) | Verdict::Busy(left) => {
                self.session.postpone(id, now, left.min(Duration::from_secs(1)));
            }
            Verdict::Rejected(refusal) => {
                let at = |left| Moment::after(now, left);
                let rejected = match refusal {
                    Refusal::Denied(denial) => Rejected::Denied { denial, ask_again: None },
                    Refusal::Held(left) => Rejected::Held { until: left.map(at) },
                    Refusal::TooManyUnknown(left) => Rejected::TooManyUnknown { until: at(left) },
                };
                let _outcome = self.session.reject(id, now, rejected);
            }
            Verdict::Alone(reason) => return Err(reason.into()),
        }
        Ok(())
    }

    /// Sends the exchange, and settles the permit with what came of it.
    fn send(
        &mut self,
        exchange: Exchange,
        grant: Grant,
        transport: &impl BlockingTransport,
        time: &Time,
    ) -> Result<(), Box<dyn Error>> {
        let Ok(deadline) = self.session.start(exchange.id, time.now()) else {
            let settlement = Settlement {
                tokens: None,
                sign_in: SignInResult::Inconclusive,
                wall: time.now().wall,
            };
            pollster::block_on(self.shared.settle(grant, settlement))?;
            return Ok(());
        };
        self.sent += 1;
        let left = deadline.saturating_sub(time.now().monotonic);
        let limits = SendLimits::new().with_total_timeout(left);
        let outcome = match transport.send(exchange.request, &limits) {
            Ok(response) => self.session.handle_response(exchange.id, time.now(), &response),
            Err(error) => {
                let failure = match error.may_have_been_sent() {
                    true => Failure::maybe_sent(),
                    false => Failure::not_sent(),
                };
                self.session.handle_failure(exchange.id, time.now(), &failure.with_source(error))
            }
        };
        // What the session has now, where the exchange has changed that.
        let has_changed =
            matches!(outcome, Outcome::Renewed { .. } | Outcome::RefreshRefused { .. });
        let now = time.now();
        let tokens = has_changed.then(|| self.session.stored_tokens(now)).flatten();
        let settlement = Settlement {
            tokens: tokens.as_ref(),
            sign_in: SignInResult::of(&outcome),
            wall: now.wall,
        };
        if let Settled::InTime(version) = pollster::block_on(self.shared.settle(grant, settlement))?
            && has_changed
        {
            self.known.version = Some(version);
        }
        Ok(())
    }
    // ANCHOR_END: consult
}

fn main() -> Result<(), Box<dyn Error>> {
    let place = Place::emulator()?;
    let Some(emulator) = &place.emulator else { return Err("there is no emulator".into()) };
    let transport = UreqTransport::with_settings(&place.settings)?;
    let clock = emulator.clock().clone();
    let start = clock.now();
    let time = Time { clock: clock.clone(), start };
    let since = move || clock.now().duration_since(start).unwrap_or_default();
    let store = AnyStore::blocking(MemoryStore::new()?.with_clock(since));
    let mut programs: Vec<Program> = (0..2)
        .map(|seed| Program {
            session: SessionMachine::new(
                place.base_url.clone(),
                place.credentials.clone(),
                Policy::default(),
                seed,
            )
            .with_deferred_start(),
            shared: SharedTokens::new(store.clone(), &place.base_url, Policy::default()),
            known: Known::default(),
            credentials: place.credentials.clone(),
            sent: 0,
        })
        .collect();
    for minute in (0..24 * 60).step_by(10) {
        time.pass_until(Duration::from_secs(minute * 60));
        for program in &mut programs {
            program.token(&transport, &time)?;
        }
    }
    for (number, program) in programs.iter().enumerate() {
        let counts = program.session.snapshot(time.now()).counts;
        println!(
            "program {number}: {} exchanges sent, {} times the tokens of the other",
            program.sent, counts.adopted
        );
    }
    Ok(())
}

/// Virtual time: that of the emulator.
struct Time {
    clock: Clock,
    start: SystemTime,
}

impl Time {
    fn now(&self) -> Now {
        let wall = self.clock.now();
        Now::new(wall.duration_since(self.start).unwrap_or_default(), wall)
    }

    fn pass_until(&self, until: Duration) {
        self.clock.advance(until.saturating_sub(self.now().monotonic));
    }
}
