//! The tables of the stampede and of its failures.

use std::path::Path;

use super::{Failure, counted};
use crate::figures::{Chart, Table, number};
use crate::measure::median;
use crate::stampede::{CALLERS, Contestant, EXCHANGE, Outcome, contestants};

pub(super) fn tables(_: &Path) -> Result<Vec<Table>, Failure> {
    let counts = counted(&["stampede"])?;
    let [_, bare] = counts["bare"];

    let title = "How it grows: point-auth, on an empty session";
    let mut growth = Table::new(
        title,
        &[
            "callers",
            "exchanges",
            "served",
            "ms beyond the 50",
            "ns a caller",
            "bytes a waiting task",
        ],
    );
    for callers in [100, 1_000, 10_000, 100_000] {
        let (outcome, beyond) = repeated(&contestants()[0], callers);
        let [_, bytes] = counts[match callers {
            10_000 => contestants()[0].name.to_owned(),
            other => other.to_string(),
        }
        .as_str()];
        growth.push([
            number(callers as f64),
            number(outcome.exchanges as f64),
            number(outcome.served as f64),
            number(beyond),
            number(beyond * 1e6 / callers as f64),
            number(bytes),
        ]);
    }

    let title = "10,000 tasks on an empty cache";
    let head = [
        "",
        "exchanges",
        "served",
        "ms beyond the 50",
        "bytes a waiting task",
        "beyond a bare task",
    ];
    let mut stampede = Table::new(title, &head);
    let mut bars = Vec::new();
    for contestant in contestants() {
        let (outcome, beyond) = repeated(&contestant, 10_000);
        let [_, bytes] = counts[contestant.name];
        stampede.push([
            contestant.name.to_owned(),
            number(outcome.exchanges as f64),
            number(outcome.served as f64),
            number(beyond),
            number(bytes),
            number(bytes - bare),
        ]);
        bars.push((contestant.name.to_owned(), bytes));
    }
    stampede.push([
        "a task that waits for nothing".to_owned(),
        "–".to_owned(),
        "–".to_owned(),
        "–".to_owned(),
        number(bare),
        "0".to_owned(),
    ]);
    bars.push(("a bare task".to_owned(), bare));
    stampede.chart = Some(Chart {
        file: "stampede".to_owned(),
        title: "What a waiting task takes of the heap, bytes".to_owned(),
        bars,
    });
    Ok(vec![growth, stampede, failures()])
}

/// An outcome, and the milliseconds beyond one exchange: the median of some.
fn repeated(contestant: &Contestant, callers: usize) -> (Outcome, f64) {
    let outcomes: Vec<Outcome> = (0..7).map(|_| (contestant.stampede)(callers)).collect();
    let beyond =
        outcomes.iter().map(|outcome| milliseconds(outcome) - EXCHANGE.as_secs_f64() * 1e3);
    (outcomes[0], median(beyond.collect()))
}

fn milliseconds(outcome: &Outcome) -> f64 {
    outcome.took.as_secs_f64() * 1e3
}

fn failures() -> Table {
    let title = "When something fails: 1,000 callers who try up to three times more";
    let head = [
        "",
        "first caller cancelled: exchanges / others served / ms",
        "first exchange fails: exchanges / served",
        "2 s of failures: exchanges / still waiting",
    ];
    let mut table = Table::new(title, &head);
    for contestant in contestants() {
        let cancelled = (contestant.first_is_cancelled)();
        let hiccup = (contestant.first_exchange_fails)();
        let outage = (contestant.server_keeps_failing)();
        table.push([
            contestant.name.to_owned(),
            format!(
                "{} / {} of {} / {}",
                number(cancelled.exchanges as f64),
                number(cancelled.served as f64),
                CALLERS - 1,
                number(milliseconds(&cancelled))
            ),
            format!("{} / {}", number(hiccup.exchanges as f64), number(hiccup.served as f64)),
            format!("{} / {}", number(outage.exchanges as f64), number(outage.stuck as f64)),
        ]);
    }
    table
}
