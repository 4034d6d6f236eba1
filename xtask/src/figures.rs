//! Figures that take long to get. A command records them below `docs/figures` when it is told to,
//! with the date and the commit, and `cargo xtask conformance` prints them into the book.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::run::{self, Failure};

const FOLDER: &str = "docs/figures";

/// One file of figures: in each section, a row by each name.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    path: PathBuf,
    sections: Map<String, Value>,
}

impl Figures {
    /// What is recorded below this name, or nothing yet.
    pub(crate) fn read(root: &Path, name: &str) -> Result<Self, Failure> {
        let path = root.join(FOLDER).join(format!("{name}.json"));
        let failed = |why: String| Failure::new(format!("{}: {why}", path.display()));
        if !path.exists() {
            return Ok(Self { path, sections: Map::new() });
        }
        let text = fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
        match serde_json::from_str(&text) {
            Ok(Value::Object(sections)) => Ok(Self { path, sections }),
            Ok(_) => Err(failed("is no object".to_owned())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// The rows of a section, by name.
    pub(crate) fn rows(&self, section: &str) -> impl Iterator<Item = (&str, Row<'_>)> {
        let rows = self.sections.get(section).and_then(Value::as_object).into_iter().flatten();
        rows.map(|(name, row)| (name.as_str(), Row(row)))
    }

    /// Puts a row in the place of the one of this name, if there is one.
    pub(crate) fn record(
        &mut self,
        section: &str,
        name: &str,
        row: &[(&str, Value)],
        stamp: &Stamp,
    ) {
        let mut row: Map<String, Value> =
            row.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        row.insert("date".to_owned(), json!(stamp.date));
        row.insert("commit".to_owned(), json!(stamp.commit));
        let section = self.sections.entry(section).or_insert_with(|| json!({}));
        if let Some(rows) = section.as_object_mut() {
            rows.insert(name.to_owned(), Value::Object(row));
        }
    }

    /// Drops the rows of what there is no more.
    pub(crate) fn keep(&mut self, section: &str, is_there: impl Fn(&str) -> bool) {
        if let Some(rows) = self.sections.get_mut(section).and_then(Value::as_object_mut) {
            rows.retain(|name, _| is_there(name));
        }
    }

    pub(crate) fn write(&self) -> Result<(), Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(format!("{}: {error}", self.path.display()))
        };
        let text = serde_json::to_string_pretty(&self.sections).map_err(|error| failed(&error))?;
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        }
        fs::write(&self.path, text + "\n").map_err(|error| failed(&error))?;
        println!("recorded: {}", self.path.display());
        Ok(())
    }
}

/// The figures of one subject. What is not there is 0 or empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'f>(&'f Value);

impl<'f> Row<'f> {
    pub(crate) fn number(self, key: &str) -> u64 {
        self.0.get(key).and_then(Value::as_u64).unwrap_or_default()
    }

    pub(crate) fn text(self, key: &str) -> &'f str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// When it was recorded, and of which commit.
    pub(crate) fn recorded(self) -> String {
        format!("{}, {}", self.text("date"), self.text("commit"))
    }
}

/// When and of what figures are.
#[derive(Debug, Default)]
pub(crate) struct Stamp {
    date: String,
    commit: String,
}

impl Stamp {
    /// Today, and the commit that is checked out; it says so if the crates are not as committed,
    /// and if git knows of no commit.
    pub(crate) fn now(root: &Path) -> Self {
        let git = |arguments: &[&str]| {
            let output =
                run::output(Command::new("git").arg("-C").arg(root).args(arguments)).ok()?;
            Some(String::from_utf8_lossy(&output).trim().to_owned())
        };
        let changes = git(&["status", "--porcelain", "--", "crates"]);
        let with_changes =
            if changes.is_some_and(|changes| !changes.is_empty()) { " with changes" } else { "" };
        let commit =
            git(&["rev-parse", "--short", "HEAD"]).unwrap_or_else(|| "no commit".to_owned());
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self { date: date_of(seconds / (24 * 60 * 60)), commit: format!("{commit}{with_changes}") }
    }
}

/// The date so many days after the first of January 1970.
fn date_of(days: u64) -> String {
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let (mut year, mut rest) = (1970, days);
    while rest >= 365 + u64::from(is_leap(year)) {
        rest -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 1;
    for days in [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if rest < days {
            break;
        }
        rest -= days;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", rest + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        Stamp { date: "2026-01-02".to_owned(), commit: "abc1234".to_owned() }
    }

    #[test]
    fn a_row_is_put_in_the_place_of_the_one_before_and_the_others_stay() {
        let mut figures = Figures::default();
        for (name, number) in [("a", 1), ("b", 2), ("a", 3)] {
            figures.record("rows", name, &[("n", json!(number))], &stamp());
        }
        let rows: Vec<_> = figures
            .rows("rows")
            .map(|(name, row)| (name, row.number("n"), row.recorded()))
            .collect();
        let recorded = "2026-01-02, abc1234".to_owned();
        assert_eq!(rows, [("a", 3, recorded.clone()), ("b", 2, recorded)]);
        figures.keep("rows", |name| name == "b");
        assert_eq!(figures.rows("rows").count(), 1);
        assert_eq!(figures.rows("other").count(), 0);
    }

    #[test]
    fn what_is_written_is_read_again_and_what_is_no_object_is_refused() {
        let root = std::env::temp_dir().join(format!("point-auth-figures-{}", std::process::id()));
        let mut figures = Figures::read(&root, "some").unwrap();
        figures.record("rows", "a", &[("n", json!(7))], &stamp());
        figures.write().unwrap();
        let read = Figures::read(&root, "some").unwrap();
        assert_eq!(read.rows("rows").next().unwrap().1.number("n"), 7);
        fs::write(root.join(FOLDER).join("some.json"), "[]").unwrap();
        assert!(Figures::read(&root, "some").is_err());
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn where_there_is_no_commit_that_is_said() {
        let stamp = Stamp::now(&std::env::temp_dir().join("point-auth-no-such-folder"));
        assert_eq!(stamp.commit, "no commit");
        assert!(stamp.date.starts_with("20") && stamp.date.len() == 10, "{}", stamp.date);
    }

    #[test]
    fn days_are_dates() {
        let dates = [0, 30, 31, 59, 364, 365, 789, 790, 1095, 1096, 11_016, 20_513].map(date_of);
        let expected = [
            "1970-01-01",
            "1970-01-31",
            "1970-02-01",
            "1970-03-01",
            "1970-12-31",
            "1971-01-01",
            "1972-02-29",
            "1972-03-01",
            "1972-12-31",
            "1973-01-01",
            "2000-02-29",
            "2026-03-01",
        ];
        assert_eq!(dates, expected);
    }
}
