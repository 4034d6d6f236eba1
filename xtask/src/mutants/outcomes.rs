//! What cargo-mutants wrote down, counted by file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::figures::{Figures, Row};
use crate::markdown::{Table, bold, thousands};
use crate::run::Failure;

/// The section of the recorded figures.
pub(crate) const SECTION: &str = "files";

/// One change of one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mutant {
    pub(crate) file: String,
    /// With the file, the line and the column.
    pub(crate) name: String,
}

impl Mutant {
    fn read(value: &Value) -> Option<Self> {
        let text = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(Self { file: text("file")?, name: text("name")? })
    }

    /// What it changes, wherever that stands.
    fn change(&self) -> &str {
        self.name.split_once(": ").map_or(&self.name, |(_, change)| change)
    }
}

/// What `--list --json` says.
pub(crate) fn read_list(text: &[u8]) -> Result<Vec<Mutant>, Failure> {
    let value: Value = serde_json::from_slice(text)
        .map_err(|error| Failure::new(format!("the list of mutants is no JSON: {error}")))?;
    let list = value.as_array().ok_or_else(|| Failure::new("the list of mutants is no list"))?;
    let read =
        |value| Mutant::read(value).ok_or_else(|| Failure::new("a mutant has no file or no name"));
    list.iter().map(read).collect()
}

/// What `outcomes.json` says: mutants with what became of each.
pub(crate) fn read(text: &[u8]) -> Result<Vec<(Mutant, String)>, Failure> {
    let value: Value = serde_json::from_slice(text)
        .map_err(|error| Failure::new(format!("outcomes.json is no JSON: {error}")))?;
    let outcomes = value.get("outcomes").and_then(Value::as_array);
    let outcomes = outcomes.ok_or_else(|| Failure::new("outcomes.json has no outcomes"))?;
    let read = |outcome: &Value| {
        // The baseline is no mutant.
        let mutant = Mutant::read(outcome.get("scenario")?.get("Mutant")?)?;
        Some((mutant, outcome.get("summary")?.as_str()?.to_owned()))
    };
    Ok(outcomes.iter().filter_map(read).collect())
}

/// What became of the mutants of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    caught: u64,
    timeouts: u64,
    unviable: u64,
    missed: u64,
    justified: u64,
}

impl Counts {
    pub(crate) fn figures(&self, source: &str) -> [(&'static str, Value); 6] {
        [
            ("caught", json!(self.caught)),
            ("timeouts", json!(self.timeouts)),
            ("unviable", json!(self.unviable)),
            ("missed", json!(self.missed)),
            ("justified", json!(self.justified)),
            ("source", json!(source)),
        ]
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counted<'a> {
    pub(crate) files: BTreeMap<&'a str, Counts>,
    pub(crate) complaints: Vec<String>,
}

/// Counts the outcomes of these files: of `all` mutants only those of `tried` were to be tried, and
/// the others are justified, as are those that are missed and whose change is `unnoticed`. A file
/// of which not all were tried is a complaint, and has no counts.
pub(crate) fn count<'a>(
    files: &[&'a str],
    all: &[Mutant],
    tried: &[Mutant],
    outcomes: &[(Mutant, String)],
    unnoticed: &[(&str, &str)],
) -> Counted<'a> {
    let mut counted = Counted::default();
    let mut missed = BTreeSet::new();
    for &file in files {
        let mut counts = Counts::default();
        let there = all.iter().filter(|mutant| mutant.file == file).count();
        let to_try: BTreeSet<&Mutant> = tried.iter().filter(|mutant| mutant.file == file).collect();
        counts.justified = (there - to_try.len().min(there)) as u64;
        let of_file: Vec<_> = outcomes.iter().filter(|(mutant, _)| mutant.file == file).collect();
        let was_tried: BTreeSet<&Mutant> = of_file.iter().map(|(mutant, _)| mutant).collect();
        if was_tried != to_try {
            let (tried, there) = (was_tried.len(), to_try.len());
            counted
                .complaints
                .push(format!("{file}: of {there} mutants {tried} were tried, or others"));
            continue;
        }
        for (mutant, summary) in of_file {
            match summary.as_str() {
                "CaughtMutant" => counts.caught += 1,
                "Timeout" => counts.timeouts += 1,
                "Unviable" => counts.unviable += 1,
                "MissedMutant"
                    if unnoticed.iter().any(|(change, _)| *change == mutant.change()) =>
                {
                    missed.insert(mutant.change());
                    counts.justified += 1;
                }
                "MissedMutant" => {
                    counts.missed += 1;
                    counted.complaints.push(format!("nothing notices {}", mutant.name));
                }
                other => {
                    counts.missed += 1;
                    counted
                        .complaints
                        .push(format!("{}: it is unknown what `{other}` is", mutant.name));
                }
            }
        }
        counted.files.insert(file, counts);
    }
    // An excuse that nothing needs hides what comes to need it.
    for (change, _) in unnoticed {
        let was_tried = outcomes.iter().any(|(mutant, _)| mutant.change() == *change);
        let is_stale = was_tried && !missed.contains(change);
        let is_unknown = !all.iter().any(|mutant| mutant.change() == *change);
        if is_stale || is_unknown {
            counted
                .complaints
                .push(format!("xtask/src/mutants.rs excuses what needs no excuse: {change}"));
        }
    }
    counted
}

/// The recorded figures, as a table, with a mark at each file that is not as it was then.
pub(crate) fn table(figures: &Figures, is_as_recorded: impl Fn(&str, &str) -> bool) -> String {
    let keys = ["caught", "timeouts", "unviable", "missed", "justified"];
    let mut head = vec!["file", "recorded", "mutants"];
    head.extend(keys);
    let mut table = Table::new(&head, 2);
    for (file, row) in figures.rows(SECTION) {
        let mark = if is_as_recorded(file, row.text("source")) { "" } else { "; changed since" };
        let short = file.strip_prefix("crates/point-auth-core/src/").unwrap_or(file);
        let mut cells = vec![
            format!("`{short}`"),
            format!("{}{mark}", row.recorded()),
            mutants(row).to_string(),
        ];
        cells.extend(keys.map(|key| row.number(key).to_string()));
        table.row(&cells);
    }
    let mut cells = vec![bold("all"), String::new(), bold(&thousands(total(figures)))];
    cells.extend(keys.map(|key| bold(&thousands(sum(figures, key)))));
    table.row(&cells);
    table.text().to_owned()
}

/// The sum of a figure over all files.
pub(crate) fn sum(figures: &Figures, key: &str) -> u64 {
    figures.rows(SECTION).map(|(_, row)| row.number(key)).sum()
}

/// How many mutants there are in all files.
pub(crate) fn total(figures: &Figures) -> u64 {
    figures.rows(SECTION).map(|(_, row)| mutants(row)).sum()
}

fn mutants(row: Row<'_>) -> u64 {
    ["caught", "timeouts", "unviable", "missed", "justified"]
        .map(|key| row.number(key))
        .iter()
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Stamp;

    fn mutant(name: &str) -> Mutant {
        let file = name.split_once(':').unwrap().0.to_owned();
        Mutant { file, name: name.to_owned() }
    }

    const CAUGHT: &str = "a.rs:1:2: replace + with -";
    const MISSED: &str = "a.rs:3:4: delete field x from struct S";
    const LEFT_OUT: &str = "a.rs:5:6: replace f with ()";

    fn counted(outcomes: &[(&str, &str)], unnoticed: &[(&str, &str)]) -> Counted<'static> {
        let outcomes: Vec<_> =
            outcomes.iter().map(|(name, end)| (mutant(name), (*end).to_owned())).collect();
        let all = [CAUGHT, MISSED, LEFT_OUT].map(mutant);
        count(&["a.rs"], &all, &all[..2], &outcomes, unnoticed)
    }

    #[test]
    fn outcomes_are_read_without_the_baseline() {
        let text = format!(
            r#"{{"outcomes": [{{"scenario": "Baseline", "summary": "Success"}},
            {{"scenario": {{"Mutant": {{"name": "{CAUGHT}", "file": "a.rs"}}}}, "summary": "CaughtMutant"}}], "total_mutants": 1}}"#
        );
        assert_eq!(read(text.as_bytes()).unwrap(), [(mutant(CAUGHT), "CaughtMutant".to_owned())]);
        assert!(read(b"{}").is_err() && read(b"[").is_err());
        let list = format!(r#"[{{"file": "a.rs", "name": "{MISSED}"}}]"#);
        assert_eq!(read_list(list.as_bytes()).unwrap(), [mutant(MISSED)]);
        assert!(read_list(b"{}").is_err() && read_list(b"[{}]").is_err());
    }

    #[test]
    fn a_missed_mutant_is_a_complaint_unless_it_is_excused() {
        let outcomes = [(CAUGHT, "CaughtMutant"), (MISSED, "MissedMutant")];
        let missed = counted(&outcomes, &[]);
        let expected = Counts { caught: 1, missed: 1, justified: 1, ..Counts::default() };
        assert_eq!(missed.files["a.rs"], expected);
        assert_eq!(missed.complaints, ["nothing notices a.rs:3:4: delete field x from struct S"]);
        let excused = counted(&outcomes, &[("delete field x from struct S", "no difference")]);
        assert_eq!(excused.files["a.rs"], Counts { caught: 1, justified: 2, ..Counts::default() });
        assert_eq!(excused.complaints, [""; 0]);
    }

    #[test]
    fn an_excuse_that_is_not_needed_is_a_complaint() {
        let outcomes = [(CAUGHT, "Timeout"), (MISSED, "CaughtMutant")];
        for change in ["delete field x from struct S", "delete field y from struct S"] {
            assert_eq!(counted(&outcomes, &[(change, "no difference")]).complaints.len(), 1);
        }
    }

    #[test]
    fn a_file_of_which_not_every_mutant_was_tried_has_no_counts() {
        let counted = counted(&[(CAUGHT, "CaughtMutant")], &[]);
        assert_eq!((counted.files.len(), counted.complaints.len()), (0, 1));
    }

    #[test]
    fn an_outcome_that_is_unknown_is_a_complaint() {
        let counted = counted(&[(CAUGHT, "CaughtMutant"), (MISSED, "Failure")], &[]);
        assert_eq!((counted.files["a.rs"].missed, counted.complaints.len()), (1, 1));
    }

    #[test]
    fn the_table_has_the_sums_and_says_what_has_changed_since() {
        let mut figures = Figures::default();
        let counts = Counts { caught: 1200, unviable: 2, justified: 1, ..Counts::default() };
        figures.record(
            SECTION,
            "crates/point-auth-core/src/a.rs",
            &counts.figures("17"),
            &Stamp::default(),
        );
        let text = table(&figures, |_, source| source == "17");
        assert!(text.contains("| `a.rs` |") && !text.contains("changed"), "{text}");
        assert!(
            text.ends_with(
                "| **all** |  | **1,203** | **1,200** | **0** | **2** | **0** | **1** |"
            ),
            "{text}"
        );
        assert!(table(&figures, |_, _| false).contains("; changed since |"));
    }
}
