//! The table that the page opens with: what was tried, how much of it, and what was found.

use super::{Report, tables};
use crate::fuzz::{coverage, statistics};
use crate::markdown::{Table, thousands};
use crate::mutants::outcomes;

pub(crate) fn table(report: &Report) -> String {
    let tries = tables::tries(&report.checks, &report.passed);
    let mut table = Table::new(&["", "tried", "found"], 3);
    let transports = report.passed.transports().count();
    let of_suite = |what: &str, kinds: u64, times: u64| {
        let tried = format!("{kinds} kinds, {} times in all", thousands(times));
        [what.to_owned(), tried, "nothing".to_owned()]
    };
    let checks = format!("{} with {transports} transports", thousands(tries.checks));
    // One that fails is no table at all, but a failure of the command.
    table.row(&["checks".to_owned(), checks, "nothing".to_owned()]);
    table.row(&of_suite("faults", tries.kinds_of_faults, tries.faults));
    table.row(&of_suite("certificates", tries.kinds_of_certificates, tries.certificates));
    table.row(&["cuts".to_owned(), thousands(report.sweeps.cuts()), "nothing".to_owned()]);
    let canaries = &report.canaries;
    let (texts, failures) = (thousands(canaries.texts()), thousands(canaries.failures()));
    table.row(&[
        "secrets looked for".to_owned(),
        format!("in {texts} lines and texts of {failures} failures"),
        count("canary", "canaries", canaries.found()),
    ]);
    table.row(&[
        "fuzzing".to_owned(),
        format!("{} executions", thousands(statistics::total(&report.fuzz, "executions"))),
        count("crash", "crashes", statistics::total(&report.fuzz, "crashes")),
    ]);
    let (reached, lines) = coverage::totals(&report.fuzz);
    table.row(&[
        "lines of core that the corpora reach".to_owned(),
        format!("{} of {}", thousands(reached), thousands(lines)),
        String::new(),
    ]);
    let sum = |key| outcomes::sum(&report.mutants, key);
    let caught = thousands(sum("caught") + sum("timeouts"));
    let (justified, unviable) = (thousands(sum("justified")), thousands(sum("unviable")));
    table.row(&[
        "mutants".to_owned(),
        format!(
            "{} in {} files of core: {caught} caught, {unviable} do not compile, {justified} justified",
            thousands(outcomes::total(&report.mutants)),
            report.mutants.rows(outcomes::SECTION).count(),
        ),
        format!("{} missed", thousands(sum("missed"))),
    ]);
    table.text().to_owned()
}

fn count(one: &str, many: &str, number: u64) -> String {
    match number {
        0 => "nothing".to_owned(),
        1 => format!("1 {one}"),
        _ => format!("{} {many}", thousands(number)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::canaries::Canaries;
    use super::super::suite::checks_of;
    use super::super::suite::tests::passed;
    use super::super::sweeps::Sweeps;
    use super::*;
    use crate::figures::{Figures, Stamp};

    #[test]
    fn everything_that_was_tried_has_a_row() {
        let checks = checks_of(
            " once { it_is_sent_once }\n certificates { an_expired_certificate_is_refused }",
        );
        let (mut fuzz, mut mutants) = (Figures::default(), Figures::default());
        let stamp = Stamp::default();
        let run = [("executions", json!(1_500_000)), ("crashes", json!(1))];
        fuzz.record(statistics::SECTION, "answers", &run, &stamp);
        fuzz.record(
            coverage::SECTION,
            "a.rs",
            &[("reached", json!(8)), ("lines", json!(9))],
            &stamp,
        );
        let counts = [
            ("caught", json!(5)),
            ("timeouts", json!(1)),
            ("justified", json!(2)),
            ("missed", json!(0)),
        ];
        mutants.record(outcomes::SECTION, "a.rs", &counts, &stamp);
        let mut sweeps = Sweeps::default();
        let test = "conformance::with_rustls::plain::a_cut";
        let row = "| HTTP/1.1 | new | 3 | 4 | 2500 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 9 ms | 1 s |";
        sweeps.read("point-auth-hyper", &format!("sweep | point-auth-hyper {test} {row}\n"));
        let report = Report {
            passed: passed(&checks, &["plain::it_is_sent_once", "tls::it_is_sent_once"]),
            checks,
            sweeps,
            canaries: Canaries::read("canaries | a | 2 | 3 | 4 | 0 | 0 | \n"),
            fuzz,
            mutants,
        };
        let expected = "|  | tried | found |\n|---|---|---|\n\
            | checks | 2 with 1 transports | nothing |\n\
            | faults | 1 kinds, 2 times in all | nothing |\n\
            | certificates | 0 kinds, 0 times in all | nothing |\n\
            | cuts | 2,500 | nothing |\n\
            | secrets looked for | in 7 lines and texts of 2 failures | nothing |\n\
            | fuzzing | 1,500,000 executions | 1 crash |\n\
            | lines of core that the corpora reach | 8 of 9 |  |\n\
            | mutants | 8 in 1 files of core: 6 caught, 0 do not compile, 2 justified | 0 missed |";
        assert_eq!(table(&report), expected);
    }
}
