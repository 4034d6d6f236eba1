//! The search for secrets: what its tests print of what they read and found.

use crate::markdown::{Table, thousands};

/// The package and the test that print it.
pub(crate) const TEST: [&str; 4] = ["--package", "point-auth", "--test", "leaks"];

const HEAD: [&str; 7] = [
    "adapter",
    "failures",
    "lines logged",
    "texts of errors",
    "canaries found",
    "documented exceptions",
    "by whom, and what",
];

/// One row for each adapter and who asks it.
#[derive(Debug, Default)]
pub(crate) struct Canaries(Vec<Vec<String>>);

impl Canaries {
    /// Takes what the tests printed.
    pub(crate) fn read(output: &str) -> Self {
        let rows = output.lines().filter_map(|line| line.split_once("canaries | "));
        let cells =
            |(_, row): (_, &str)| row.split('|').map(|cell| cell.trim().to_owned()).collect();
        let mut rows: Vec<Vec<String>> =
            rows.map(cells).filter(|cells: &Vec<String>| cells.len() == HEAD.len()).collect();
        rows.sort();
        Self(rows)
    }

    pub(crate) fn table(&self) -> String {
        // The words at the end are last on purpose: they are long.
        let mut table = Table::new(&HEAD, 1);
        for row in &self.0 {
            let cells =
                row.iter().map(|cell| cell.parse().map_or_else(|_| cell.clone(), thousands));
            table.row(&cells.collect::<Vec<_>>());
        }
        table.text().to_owned()
    }

    /// How many texts were read, logged and of errors.
    pub(crate) fn texts(&self) -> u64 {
        self.sum(2) + self.sum(3)
    }

    pub(crate) fn failures(&self) -> u64 {
        self.sum(1)
    }

    pub(crate) fn found(&self) -> u64 {
        self.sum(4)
    }

    fn sum(&self, column: usize) -> u64 {
        self.0.iter().filter_map(|row| row.get(column)?.parse::<u64>().ok()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_wherever_it_begins_and_summed() {
        let canaries = Canaries::read(
            "test a ... canaries | ureq, by a client | 264 | 44969 | 2696 | 0 | 1 | `ureq::run`: echoed password\n\
             canaries | hyper, by a session | 264 | 31 | 4 | 2 | 0 | \ncanaries | short | 1 |\nother\n",
        );
        let table = canaries.table();
        let rows: Vec<&str> = table.lines().skip(2).collect();
        let expected = [
            "| hyper, by a session | 264 | 31 | 4 | 2 | 0 |  |",
            "| ureq, by a client | 264 | 44,969 | 2,696 | 0 | 1 | `ureq::run`: echoed password |",
        ];
        assert_eq!(rows, expected);
        assert_eq!((canaries.failures(), canaries.texts(), canaries.found()), (528, 47_700, 2));
    }
}
