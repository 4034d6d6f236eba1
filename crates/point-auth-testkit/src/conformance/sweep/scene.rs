//! [`SweepScene`]: an emulator, a proxy that cuts the way to it, and one cut after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Response;
use point_auth_core::{BaseUrl, Credentials, Operation as _, SecretBody, SignIn};
use point_auth_transport::{SendLimits, TransportError, TransportErrorKind};

use super::plan::{Carried, Plan, PlannedCut};
use super::report::SweepReport;
use super::silence::{self, Seen};
use super::usage::{Before, Usage};
use super::{Means, SweepExtent, SweptConnection};
use crate::conformance::attempt::Attempt;
use crate::conformance::bench::{AMPLE, Bench, SOON, Transport, setup, sign_in_at};
use crate::conformance::canary;
use crate::conformance::candidate::Setup;
use crate::conformance::check::Wire;
use crate::conformance::violation::{Outcome, Rule, Violation};
use crate::{Cut, Direction, Emulator, FaultProxy, Flow, LinkFaults, Operation};

/// A cut is to be noticed when it happens, not when the time is over.
const LIMITS: SendLimits = AMPLE.with_total_timeout(Duration::from_secs(3));

/// How many cuts may be waited out all the same. A client on several threads may miss one that
/// comes in the very moment in which it hands the request over; that is a typed error by the
/// deadline, too.
const MOST_WAITED_OUT: usize = 3;

/// A transport that takes so long to be made, as one does that reads all the certificates of the
/// system, cannot be made anew for thousands of cuts.
const COSTLY: Duration = Duration::from_millis(15);

/// For what may happen or not, and is only better if it does.
const A_MOMENT: Duration = Duration::from_millis(100);

pub(super) struct SweepScene<'a> {
    bench: &'a Bench<'a>,
    emulator: Arc<Emulator>,
    proxy: FaultProxy,
    setup: Setup,
    base: BaseUrl,
    credentials: Credentials,
    /// The transport for the next cut, if not a new one.
    keeper: Option<Transport>,
}

/// What came of an exchange that was to be cut.
struct Exchange {
    attempt: Attempt,
    usage: Usage,
    /// How many requests arrived whole.
    posts: usize,
    was_cut: bool,
    took: Duration,
}

impl<'a> SweepScene<'a> {
    pub(super) fn new(bench: &'a Bench<'a>) -> Result<Self, Violation> {
        let emulator = bench.unwitnessed_emulator()?;
        let proxy = FaultProxy::start(emulator.addr())?;
        let credentials = Credentials::new(canary::USERNAME, canary::PASSWORD);
        Ok(Self {
            setup: setup(&emulator)?,
            base: bench.base_at(proxy.addr())?,
            credentials: credentials.map_err(|error| Violation::new(error.to_string()))?,
            keeper: None,
            bench,
            emulator,
            proxy,
        })
    }

    /// Learns from an exchange without a fault how many bytes there are to cut after.
    pub(super) fn plan(
        &self,
        connection: SweptConnection,
        extent: SweepExtent,
        means: Means,
    ) -> Result<Plan, Violation> {
        let started = Instant::now();
        let transport = self.bench.transport(&self.setup)?;
        let is_costly = started.elapsed() > COSTLY;
        let mut before = self.look();
        self.must_work(&transport)?;
        if connection == SweptConnection::Kept {
            // A client may be a moment late to put its connection back.
            for _ in 0..5 {
                before = self.look();
                self.must_work(&transport)?;
                if self.usage(&before, connection).is_kept() {
                    break;
                }
            }
            // A connection for each request is no violation, and leaves nothing to cut here.
            if !self.usage(&before, connection).is_kept() {
                return Ok(Plan::empty());
            }
        }
        let usage = self.usage(&before, connection);
        let Some((number, begin)) = usage.carrier(&before) else { return Ok(Plan::empty()) };
        let links = self.proxy.links_since(number);
        let carried = |direction| {
            let bytes = links.first().map(|link| link.passed(direction)).unwrap_or_default();
            let begin = usize::try_from(begin.passed(direction)).unwrap_or(usize::MAX);
            bytes.get(begin..).unwrap_or_default().to_vec()
        };
        let carried = Carried {
            to_server: carried(Direction::ToServer),
            to_client: carried(Direction::ToClient),
        };
        let end = carried.to_server.windows(4).position(|window| window == b"\r\n\r\n");
        let wire = self.bench.wire();
        let head = end.map(|end| end as u64 + 4).filter(|_| wire == Wire::Plain);
        Ok(match means {
            Means::End => Plan::new(wire, connection, extent, is_costly, &carried, head),
            Means::Silence => Plan::of_silence(wire, extent, &carried, head, |stream| {
                silence::places(wire, stream)
            }),
        })
    }

    /// Makes one cut, looks at what comes of it, and signs in once more.
    pub(super) fn cut(
        &mut self,
        connection: SweptConnection,
        cut: PlannedCut,
        plan: &Plan,
        report: &mut SweepReport,
    ) -> Outcome {
        let transport = self.transport(connection)?;
        let mut exchange = self.exchange(&transport, connection, cut, plan, report)?;
        // A client may be a moment late to put its connection back, and have made another one
        // meanwhile.
        for _ in 0..5 {
            let is_missed = connection == SweptConnection::Kept && exchange.usage.is_all_new();
            if !is_missed || exchange.was_cut {
                break;
            }
            exchange = self.exchange(&transport, connection, cut, plan, report)?;
        }
        let Exchange { attempt, usage, posts, was_cut, took } = exchange;

        let requests = usage.requests(plan);
        if requests > 1 || posts > 1 || (usage.is_cut_off(plan) && posts > 0) {
            let message = format!(
                "one request was written to {requests} connections, and {posts} arrived whole"
            );
            return Err(Violation::of(Rule::SentOnce, message));
        }
        let is_whole = attempt.0.is_ok();
        match attempt.0 {
            Ok(response) => {
                self.look_at_the_answer(&response, was_cut)?;
                if posts != 1 {
                    return Err(Violation::new(format!(
                        "there is an answer, and {posts} requests arrived"
                    )));
                }
            }
            Err(error) if cut.is_silent() => {
                let is_new = connection == SweptConnection::New;
                let is_body_written = posts > 0 || usage.writes_the_body(plan);
                let is_before_the_handshake =
                    is_new && self.bench.wire() != Wire::Plain && usage.is_unanswered();
                let seen = Seen { was_cut, is_body_written, is_before_the_handshake, took };
                silence::look_at_the_error(&error, &seen)?;
                if was_cut {
                    report.count_error(&error);
                }
            }
            Err(error) => {
                look_at_the_error(&error, was_cut, posts > 0 || usage.reaches_the_body(plan))?;
                report.count_error(&error);
                if report.errors(TransportErrorKind::Timeout) > MOST_WAITED_OUT {
                    let message = "this cut was not noticed, like others before it, but waited out";
                    return Err(Violation::of(Rule::Kinds, message));
                }
            }
        }
        let mut may_be_stale = is_whole && was_cut;
        if may_be_stale {
            report.count_whole();
        }
        if cut.is_silent() {
            may_be_stale |= self.end_of_silence(is_whole);
        } else if may_be_stale {
            // Clients may notice or not. If they do, then soon.
            let _ = self.proxy.wait_for_closed_connections(self.proxy.connections(), A_MOMENT);
        }
        let is_followed_up = may_be_stale || plan.is_followed_up(&cut);
        if is_followed_up {
            let limits = if cut.is_silent() { silence::AFTERWARDS } else { AMPLE };
            self.follow_up(&transport, limits, may_be_stale, report)?;
        }
        // One that has failed on its only connection needs a new one anyway. With TLS it might make
        // that with what it learnt from the last, and there would be no whole handshake to cut.
        let has_none = !is_whole && !is_followed_up && self.bench.wire() == Wire::Plain;
        if connection == SweptConnection::Kept || has_none {
            self.keeper = Some(transport);
        } else {
            drop(transport);
            let _ = self.proxy.wait_for_closed_connections(self.proxy.connections(), A_MOMENT);
        }
        Ok(())
    }

    /// Sends a sign-in that is cut, and waits until it is settled what arrived.
    fn exchange(
        &self,
        transport: &Transport,
        connection: SweptConnection,
        cut: PlannedCut,
        plan: &Plan,
        report: &mut SweepReport,
    ) -> Result<Exchange, Violation> {
        if connection == SweptConnection::New {
            // One of the sign-in before it that the emulator closes only now would be taken for
            // this one.
            let _ =
                self.emulator.wait_for_closed_connections(self.emulator.connections(), A_MOMENT);
        }
        let before = self.look();
        match connection {
            SweptConnection::New => self.proxy.push_faults(cut.faults()),
            SweptConnection::Kept => self.proxy.set_faults_of_open_connections(cut.faults()),
        }
        let started = Instant::now();
        let limits = if cut.is_silent() { silence::LIMITS } else { LIMITS };
        let attempt = transport.send(sign_in_at(&self.base)?, limits)?;
        let took = started.elapsed();
        report.count_time(took);

        let was_cut = self.usage(&before, connection).reaches(&cut);
        if cut.is_silent() {
            if self.proxy.pending_faults() > 0 {
                self.proxy.clear_faults();
            }
        } else {
            if was_cut || (connection == SweptConnection::New && plan.is_certain(&cut)) {
                self.wait_for_the_cut(&before)?;
            }
            self.proxy.clear_faults();
        }
        Ok(Exchange {
            attempt,
            // Once more, since a connection is read to its end after the cut.
            usage: self.usage(&before, connection),
            posts: self.emulator.count(Operation::SignIn) - before.posts,
            was_cut,
            took,
        })
    }

    fn transport(&mut self, connection: SweptConnection) -> Result<Transport, Violation> {
        if let Some(transport) = self.keeper.take() {
            return Ok(transport);
        }
        let transport = self.bench.transport(&self.setup)?;
        if connection == SweptConnection::Kept {
            self.must_work(&transport)?;
        }
        Ok(transport)
    }

    fn look(&self) -> Before {
        Before::look(&self.emulator, &self.proxy)
    }

    fn usage(&self, before: &Before, connection: SweptConnection) -> Usage {
        Usage::since(before, connection, &self.proxy)
    }

    /// Until both sides were told, and the emulator has taken in what it was sent before.
    fn wait_for_the_cut(&self, before: &Before) -> Outcome {
        if !self.proxy.wait_for_cuts(before.cuts + 1, SOON) {
            return Err(Violation::new("nothing of it was sent as far as to be cut"));
        }
        let cuts = self.proxy.cuts() - before.cuts;
        if !self.emulator.wait_for_closed_connections(before.closed + cuts, SOON) {
            return Err(Violation::new(
                "the emulator of the check did not notice that it was cut off",
            ));
        }
        Ok(())
    }

    /// Makes the next sign-in possible for a transport that is right, and tells whether it may
    /// still meet the old connection.
    fn end_of_silence(&self, is_whole: bool) -> bool {
        if is_whole {
            // A client cannot tell that a connection fell silent while it was idle.
            self.proxy.clear_faults();
            return false;
        }
        if self.bench.wire() != Wire::Http2 {
            // It stays silent: a client that uses it again after an exchange that was not over waits for
            // ever.
            return false;
        }
        // A stream that got no answer says nothing of the connection, so that the client may well
        // keep it.
        let close = Flow::new().cut_after(0, Cut::Close);
        let both =
            LinkFaults::new().with(Direction::ToServer, close).with(Direction::ToClient, close);
        self.proxy.set_faults_of_open_connections(both);
        let _ = self.proxy.wait_for_closed_connections(self.proxy.connections(), SOON);
        true
    }

    /// A sign-in that nothing happens to.
    fn follow_up(
        &self,
        transport: &Transport,
        limits: SendLimits,
        may_be_stale: bool,
        report: &mut SweepReport,
    ) -> Outcome {
        report.count_follow_up();
        let after_it = |violation: Violation| violation.when("the sign-in after it");
        let posts = self.emulator.count(Operation::SignIn);
        let Attempt(answer) = transport.send(sign_in_at(&self.base)?, limits).map_err(after_it)?;
        let arrived = self.emulator.count(Operation::SignIn) - posts;
        match answer {
            Ok(response) => {
                self.look_at_the_answer(&response, false).map_err(after_it)?;
                if arrived != 1 {
                    let message = format!("the sign-in after it arrived {arrived} times");
                    return Err(Violation::of(Rule::SentOnce, message));
                }
                Ok(())
            }
            Err(error) if may_be_stale && error.kind().is_retryable() => {
                report.count_stale();
                self.must_work(transport)
                    .map_err(|violation| violation.when("the second sign-in after it"))
            }
            Err(error) => Err(Violation::of(
                Rule::Exchange,
                format!("the sign-in after it failed: {}", canary::describe(&error)),
            )),
        }
    }

    fn must_work(&self, transport: &Transport) -> Outcome {
        let response = transport.send(sign_in_at(&self.base)?, AMPLE)?.response();
        let response = response.map_err(|violation| violation.or_of(Rule::Exchange))?;
        self.look_at_the_answer(&response, false)
    }

    /// It has to be the emulator's, and all of it.
    fn look_at_the_answer(&self, response: &Response<SecretBody>, was_cut: bool) -> Outcome {
        let rule = if was_cut { Rule::Kinds } else { Rule::Exchange };
        let wrong = |message: String| Violation::of(rule, message);
        let bytes = response.body().len();
        if response.status() != 200 {
            return Err(wrong(format!("there is a {} of {bytes} bytes", response.status())));
        }
        let tokens = SignIn::new(&self.credentials).parse_response(response).map_err(|error| {
            wrong(format!("{bytes} bytes that are no answer were taken for a whole one: {error}"))
        })?;
        let refresh_token = tokens.refresh_token().map(|token| token.expose());
        if !self.emulator.revoke(tokens.access_token().expose())
            || !refresh_token.is_some_and(|token| self.emulator.revoke(token))
        {
            return Err(Violation::of(
                Rule::Exchange,
                "the tokens are not those that the server gave out",
            ));
        }
        Ok(())
    }
}

fn look_at_the_error(error: &TransportError, was_cut: bool, was_seen: bool) -> Outcome {
    let told = canary::describe(error);
    let is_timeout = error.kind() == TransportErrorKind::Timeout;
    if !was_cut && !is_timeout {
        return Err(Violation::of(Rule::Exchange, format!("nothing was cut, and there is {told}")));
    }
    // What a cut looks like is worth another try.
    if !error.kind().is_retryable() {
        let message = format!("instead of Connect or Protocol there is {told}");
        return Err(Violation::of(Rule::Kinds, message));
    }
    if was_seen && !error.may_have_been_sent() {
        let message =
            format!("the server got of the body, but the error says that nothing was sent: {told}");
        return Err(Violation::of(Rule::Kinds, message));
    }
    Ok(())
}
