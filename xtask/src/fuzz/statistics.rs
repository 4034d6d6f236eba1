//! What libFuzzer says of a run.

use serde_json::{Value, json};

use crate::figures::{Figures, Row};
use crate::markdown::{Table, bold, thousands};

/// The section of the recorded figures.
pub(crate) const SECTION: &str = "targets";

/// Of one target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Statistics {
    seconds: u64,
    executions: u64,
    per_second: u64,
    edges: u64,
    features: u64,
    pub(crate) crashes: u64,
}

impl Statistics {
    /// Takes what a line has to say, if anything.
    pub(crate) fn read(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |word: Option<&&str>| word.and_then(|word| word.parse().ok());
        match words.as_slice() {
            ["stat::number_of_executed_units:", count] => {
                self.executions = number(Some(count)).unwrap_or_default();
            }
            ["stat::average_exec_per_sec:", count] => {
                self.per_second = number(Some(count)).unwrap_or_default();
            }
            // It is not said after a crash.
            ["Done", _, "runs", "in", seconds, ..] => {
                self.seconds = number(Some(seconds)).unwrap_or_default();
            }
            ["SUMMARY:", "libFuzzer:", ..] => self.crashes += 1,
            [status, ..] if status.starts_with('#') => {
                let behind = |label: &str| {
                    let position = words.iter().position(|word| *word == label)?;
                    number(words.get(position + 1))
                };
                self.edges = behind("cov:").unwrap_or(self.edges);
                self.features = behind("ft:").unwrap_or(self.features);
            }
            _ => {}
        }
    }

    pub(crate) fn figures(&self) -> [(&'static str, Value); 6] {
        [
            ("seconds", json!(self.seconds)),
            ("executions", json!(self.executions)),
            ("per_second", json!(self.per_second)),
            ("edges", json!(self.edges)),
            ("features", json!(self.features)),
            ("crashes", json!(self.crashes)),
        ]
    }
}

/// One line for each file that a corpus gains or loses, and the dictionary that it would like:
/// thousands of lines.
pub(crate) fn is_chatter(line: &str) -> bool {
    let event = line.split_whitespace().nth(1).unwrap_or_default();
    let is_event = line.starts_with('#') && ["NEW", "REDUCE", "RELOAD"].contains(&event);
    is_event
        || line.trim_start().starts_with("NEW_FUNC")
        || (line.starts_with('"') && line.contains("# Uses:"))
}

/// The recorded figures, as a table.
pub(crate) fn table(figures: &Figures) -> String {
    let head =
        ["target", "recorded", "seconds", "executions", "a second", "edges", "features", "crashes"];
    let mut table = Table::new(&head, 2);
    for (name, row) in figures.rows(SECTION) {
        let numbers = ["seconds", "executions", "per_second", "edges", "features", "crashes"];
        let mut cells = vec![name.to_owned(), row.recorded()];
        cells.extend(numbers.map(|key| thousands(row.number(key))));
        table.row(&cells);
    }
    let sum = |key| bold(&thousands(total(figures, key)));
    let all = [bold("all"), String::new(), sum("seconds"), sum("executions")];
    let end = [String::new(), String::new(), String::new(), sum("crashes")];
    table.row(&[all, end].concat());
    table.text().to_owned()
}

/// The sum of a figure over all targets.
pub(crate) fn total(figures: &Figures, key: &str) -> u64 {
    figures.rows(SECTION).map(|(_, row): (_, Row<'_>)| row.number(key)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Stamp;

    const SAID: &str = "INFO: Loaded 1 modules   (8882 inline 8-bit counters): 8882 [0x555ba3ab1198, 0x555ba3ab344a), \n\
        #495\tINITED cov: 3192 ft: 6101 corp: 494/127Kb exec/s: 0 rss: 36Mb\n\
        #131072\tpulse  cov: 3208 ft: 8492 corp: 1885/1520Kb lim: 4063 exec/s: 43690 rss: 36Mb\n\
        #141326\tDONE   cov: 3209 ft: 8533 corp: 1912/1534Kb lim: 4063 exec/s: 35331 rss: 36Mb\n\
        Done 141326 runs in 4 second(s)\n\
        stat::number_of_executed_units: 141326\n\
        stat::average_exec_per_sec:     35331\n\
        stat::new_units_added:          3059\n";

    fn read(said: &str) -> Statistics {
        let mut statistics = Statistics::default();
        said.lines().for_each(|line| statistics.read(line));
        statistics
    }

    #[test]
    fn the_last_coverage_and_the_final_counts_are_read() {
        let expected = Statistics {
            seconds: 4,
            executions: 141_326,
            per_second: 35_331,
            edges: 3209,
            features: 8533,
            crashes: 0,
        };
        assert_eq!(read(SAID), expected);
    }

    #[test]
    fn the_table_has_the_figures_and_their_sums() {
        let mut figures = Figures::default();
        for target in ["answers", "sessions"] {
            figures.record(SECTION, target, &read(SAID).figures(), &Stamp::default());
        }
        let table = table(&figures);
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(rows[0], "| answers | ,  | 4 | 141,326 | 35,331 | 3,209 | 8,533 | 0 |");
        assert_eq!(rows[2], "| **all** |  | **8** | **282,652** |  |  |  | **0** |");
    }

    #[test]
    fn a_crash_is_counted_and_so_is_what_ran_before() {
        let said = "#9\tNEW    cov: 10 ft: 20 corp: 1/1b lim: 4 exec/s: 0 rss: 36Mb\n\
                    ==1234== ERROR: libFuzzer: deadly signal\n\
                    SUMMARY: libFuzzer: deadly signal\n\
                    stat::number_of_executed_units: 17\n";
        let statistics = read(said);
        assert_eq!((statistics.crashes, statistics.executions, statistics.edges), (1, 17, 10));
    }

    #[test]
    fn what_is_said_for_each_file_is_left_out_and_nothing_else() {
        assert!(is_chatter("#17\tNEW    cov: 10 ft: 20 corp: 1/1b"));
        assert!(is_chatter("#1718\tREDUCE cov: 10 ft: 20 corp: 1/1b"));
        assert!(is_chatter("\"acc\" # Uses: 193"));
        for line in SAID.lines() {
            assert!(!is_chatter(line), "{line}");
        }
    }
}
