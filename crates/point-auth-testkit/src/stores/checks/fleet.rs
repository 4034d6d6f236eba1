//! A fleet over the store behaves as one session.

use std::time::Duration;

use point_auth_core::session::{Policy, SignInResult};
use point_auth_store::{Grant, Intent, Refusal, SealError, Settled, Verdict};

use super::super::bench::Bench;
use super::super::violation::{Outcome, Rule, Violation, ensure};
use super::super::worker::{Fleet, Worker, asked_at, denial, granted, newer, seconds};

pub(in super::super) const RULE: Rule = Rule::Fleet;

pub(in super::super) fn one_process_exchanges_and_the_others_take_up_its_tokens(
    bench: &Bench<'_>,
) -> Outcome {
    let fleet = Fleet::new(bench);
    let (mut one, mut other) = (fleet.worker()?, fleet.worker()?);
    let right = fleet.password("right")?;
    let grant = granted(one.sign_in(&right)?)?;
    // As long as the grant is held, also where the store notices the end of a process.
    for worker in [&one, &other] {
        is_in_use(worker.sign_in(&right)?)?;
        is_in_use(worker.refresh()?)?;
    }
    let settled = one.renew(grant)?;
    ensure!(settled != Settled::Late, "a settlement in time counts as late");
    other.known.version = Some(newer(other.sign_in(&right)?)?.version);
    ensure!(other.known.version == one.known.version, "the version of the tokens is another");
    let grant = granted(other.refresh()?)?;
    is_in_use(one.refresh()?)?;
    other.renew(grant)?;
    newer(one.refresh()?)?;
    Ok(())
}

pub(in super::super) fn of_many_processes_at_once_one_is_granted(bench: &Bench<'_>) -> Outcome {
    for _ in 0..5 {
        let bench = Bench::new(bench.candidate)?;
        let fleet = Fleet::new(&bench);
        let right = fleet.password("right")?;
        fleet.meet_after_first_load(8);
        let verdicts = bench.at_once(8, |_, handle| fleet.worker_with(handle).sign_in(&right))?;
        let is_granted = |verdict: &&Verdict| matches!(verdict, Verdict::Granted(_));
        let count = verdicts.iter().filter(is_granted).count();
        ensure!(count == 1, "of 8 processes at once, {count} may send the password");
    }
    Ok(())
}

pub(in super::super) fn a_permit_outlives_its_exchange(bench: &Bench<'_>) -> Outcome {
    let fleet = Fleet::new(bench);
    let (one, other) = (fleet.worker()?, fleet.worker()?);
    let grant = granted(one.refresh()?)?;
    let left = is_in_use(other.refresh()?)?;
    let exchange = Policy::default().exchange_timeout().saturating_add(Policy::GRACE);
    ensure!(left >= exchange, "a permit ends after {left:?}, and an exchange after {exchange:?}");
    fleet.passes(exchange);
    is_in_use(other.refresh()?)?;
    fleet.passes(Grant::START_WITHIN.saturating_add(Duration::from_secs(1)));
    let _ended = granted(other.refresh()?)?;
    drop(grant);
    Ok(())
}

pub(in super::super) fn a_late_settlement_changes_no_tokens(bench: &Bench<'_>) -> Outcome {
    let fleet = Fleet::new(bench);
    let (mut one, mut other) = (fleet.worker()?, fleet.worker()?);
    let right = fleet.password("right")?;
    let late = granted(one.sign_in(&right)?)?;
    permit_ends(&fleet);
    let grant = granted(other.sign_in(&right)?)?;
    other.renew(grant)?;
    let settled = one.renew(late)?;
    ensure!(settled == Settled::Late, "a late settlement counts as one in time");
    let found = newer(fleet.worker()?.refresh()?)?;
    let is_kept = other.known.version == Some(found.version);
    ensure!(is_kept, "a late settlement has overwritten newer tokens");
    Ok(())
}

pub(in super::super) fn a_late_denial_is_believed(bench: &Bench<'_>) -> Outcome {
    let fleet = Fleet::new(bench);
    let (one, other) = (fleet.worker()?, fleet.worker()?);
    let wrong = fleet.password("wrong")?;
    let late = granted(one.sign_in(&wrong)?)?;
    permit_ends(&fleet);
    let grant = granted(other.sign_in(&wrong)?)?;
    one.settle(late, SignInResult::Denied(&denial()), None)?;
    other.settle(grant, SignInResult::Inconclusive, None)?;
    is_denied(&fleet.worker()?, "wrong", &fleet)
}

pub(in super::super) fn a_wrong_password_is_sent_once(bench: &Bench<'_>) -> Outcome {
    let fleet = Fleet::new(bench);
    let (one, other) = (fleet.worker()?, fleet.worker()?);
    let grant = granted(one.sign_in(&fleet.password("wrong")?)?)?;
    one.settle(grant, SignInResult::Denied(&denial()), None)?;
    is_denied(&one, "wrong", &fleet)?;
    is_denied(&other, "wrong", &fleet)?;
    fleet.passes(Duration::from_secs(100 * 24 * 60 * 60));
    is_denied(&fleet.worker()?, "wrong", &fleet)?;
    let _grant = granted(other.sign_in(&fleet.password("right")?)?)?;
    Ok(())
}

pub(in super::super) fn a_reset_is_for_all_processes(bench: &Bench<'_>) -> Outcome {
    let fleet = Fleet::new(bench);
    let (one, other) = (fleet.worker()?, fleet.worker()?);
    let grant = granted(one.sign_in(&fleet.password("wrong")?)?)?;
    one.settle(grant, SignInResult::Denied(&denial()), None)?;
    is_denied(&other, "wrong", &fleet)?;
    other.reset()?;
    let _grant = granted(one.sign_in(&fleet.password("wrong")?)?)?;
    Ok(())
}

pub(in super::super) fn ages_are_those_of_the_store(bench: &Bench<'_>) -> Outcome {
    let fleet = Fleet::new(bench);
    let (mut one, mut other) = (fleet.worker()?, fleet.worker()?);
    one.wall += Duration::from_secs(3600);
    other.wall -= Duration::from_secs(3600);
    let grant = granted(one.sign_in(&fleet.password("right")?)?)?;
    one.renew(grant)?;
    fleet.passes(Duration::from_secs(600));
    let found = newer(other.refresh()?)?;
    let age = asked_at(&found.tokens).map(|asked_at| seconds(other.wall).abs_diff(asked_at));
    // The calls themselves take some time.
    let is_right = age.is_some_and(|age| (599..660).contains(&age));
    if !is_right {
        let message = format!("tokens that are 600 s old are {age:?} s old to another process");
        return Err(Violation::of(Rule::Clock, message));
    }
    Ok(())
}

pub(in super::super) fn a_damaged_value_counts_as_no_tokens(bench: &Bench<'_>) -> Outcome {
    for damage in [&b""[..], b"{}", &[1; 100], b"\xff\0 garbage"] {
        let bench = Bench::new(bench.candidate)?;
        let fleet = Fleet::new(&bench);
        let worker = worker_with_tokens(&fleet)?;
        let name = worker.name(None);
        let old = worker.handle.value(&name)?;
        worker.handle.put(&name, old.as_deref(), damage)?;
        let consulted = fleet.worker()?.consult(None, Intent::Refresh)?;
        let is_seen = match (consulted.problem, &consulted.verdict) {
            (Some(SealError::Damaged), Verdict::Granted(_)) => true,
            // Bytes that look like a newer format or another key are left alone.
            (_, Verdict::Alone(_)) => true,
            _ => false,
        };
        ensure!(is_seen, "a value that was changed gives {:?}", consulted.verdict);
    }
    Ok(())
}

pub(in super::super) fn a_value_of_another_alias_counts_as_no_tokens(bench: &Bench<'_>) -> Outcome {
    let fleet = Fleet::new(bench);
    let worker = worker_with_tokens(&fleet)?;
    let copied = worker.handle.value(&worker.name(None))?.unwrap_or_default();
    worker.handle.put(&worker.name(Some("ann")), None, &copied)?;
    let consulted = fleet.worker()?.consult(Some("ann"), Intent::Refresh)?;
    let is_seen = consulted.problem == Some(SealError::Damaged);
    let verdict = &consulted.verdict;
    ensure!(is_seen, "a value that was copied from another alias is taken: {verdict:?}");
    let _grant = granted(consulted.verdict)?;
    Ok(())
}

pub(in super::super) fn a_reply_that_is_lost_does_no_harm(bench: &Bench<'_>) -> Outcome {
    let fleet = Fleet::new(bench);
    let (mut one, other) = (fleet.worker()?, fleet.worker()?);
    fleet.loses_next_reply();
    let grant = granted(one.sign_in(&fleet.password("right")?)?)?;
    is_in_use(other.refresh()?)?;
    fleet.loses_next_reply();
    let settled = one.renew(grant)?;
    ensure!(settled != Settled::Late, "a settlement whose reply was lost counts as late");
    newer(other.refresh()?)?;
    Ok(())
}

/// The permit that is out has ended when this returns.
fn permit_ends(fleet: &Fleet<'_>) {
    let exchange = Policy::default().exchange_timeout().saturating_add(Policy::GRACE);
    let permit = exchange.saturating_add(Grant::START_WITHIN);
    // The ledger lets a sign-in end a little after its permit.
    fleet.passes(permit.saturating_add(Policy::GRACE).saturating_add(Duration::from_secs(1)));
}

fn worker_with_tokens(fleet: &Fleet<'_>) -> Result<Worker, Violation> {
    let mut worker = fleet.worker()?;
    let grant = granted(worker.sign_in(&fleet.password("right")?)?)?;
    worker.renew(grant)?;
    Ok(worker)
}

fn is_in_use(verdict: Verdict) -> Result<Duration, Violation> {
    match verdict {
        Verdict::InUse(left) => Ok(left),
        other => Err(Violation::new(format!("while another process exchanges, it says {other:?}"))),
    }
}

fn is_denied(worker: &Worker, password: &str, fleet: &Fleet<'_>) -> Outcome {
    match worker.sign_in(&fleet.password(password)?)? {
        Verdict::Rejected(Refusal::Denied(_)) => Ok(()),
        other => Err(Violation::new(format!("of a password that was denied, it says {other:?}"))),
    }
}
