//! The tables of a fleet with one login.

use std::path::Path;
use std::time::Duration;

use super::{Failure, counted, instructions};
use crate::figures::{Table, number, times};
use crate::fleet::{LIVES, Outcome, Sharing, Use, WORKERS, readers, run};
use crate::measure::nanoseconds;

const QUICK: Duration = Duration::from_millis(200);
const SLOW: Duration = Duration::from_secs(12);

pub(super) fn tables(_: &Path) -> Result<Vec<Table>, Failure> {
    let steady =
        format!("{} workers that always need a token, {LIVES} hours", number(WORKERS as f64));
    let at_once = format!(
        "{} workers that come at once after the token has ended, {LIVES} times",
        number(WORKERS as f64)
    );
    Ok(vec![fleet(&steady, Use::Steady), fleet(&at_once, Use::AtOnce), reading()?])
}

fn fleet(title: &str, how: Use) -> Table {
    let head = [
        "",
        "server takes, s",
        "exchanges a life",
        "at once",
        "store commands a worker and life",
        "median worker, s after the answer",
        "last worker, s",
        "calls without a token",
    ];
    let mut table = Table::new(title, &head);
    let rows = [
        ("point-auth with a store", Sharing::Store, QUICK),
        ("point-auth with a store", Sharing::Store, SLOW),
        ("lock by hand", Sharing::HandMade, QUICK),
        ("lock by hand", Sharing::HandMade, SLOW),
        ("point-auth, nothing shared", Sharing::Nothing, SLOW),
    ];
    for (name, sharing, takes) in rows {
        let outcome = run(sharing, how, takes);
        let Outcome { exchanges, at_once, commands, served: (_, failed), .. } = outcome;
        let delay = |delay: f64| match sharing {
            Sharing::Nothing => "–".to_owned(),
            _ => number(delay),
        };
        table.push([
            name.to_owned(),
            number(takes.as_secs_f64()),
            number(exchanges),
            number(at_once as f64),
            match sharing {
                Sharing::Nothing => "–".to_owned(),
                _ => number(commands),
            },
            delay(outcome.median()),
            delay(outcome.last()),
            number(failed as f64),
        ]);
    }
    table
}

fn reading() -> Result<Table, Failure> {
    let counts = counted(&["fleet"])?;
    let cases = readers();
    let taken = nanoseconds(&cases);
    let head = ["", "× without", "allocations", "instructions"];
    let mut table = Table::new("Reading a token that is good, of a session", &head);
    for (case, &ns) in cases.iter().zip(&taken) {
        let [allocations, _] = counts[&format!("fleet, {}", case.name)];
        table.push([
            case.name.clone(),
            times(ns, taken[0]),
            number(allocations),
            instructions("fleet", case)?,
        ]);
    }
    Ok(table)
}
