//! The sweeps: what their tests print of the cuts that they made.

use super::suite::transport_and_check;
use crate::markdown::Table;

const HEAD: [&str; 13] = [
    "transport",
    "wire",
    "connection",
    "bytes there",
    "back",
    "cuts",
    "whole answers",
    "Connect",
    "Protocol",
    "Timeout",
    "of these not sent",
    "sign-ins afterwards",
    "of these stale",
];
/// Where the cuts stand.
const CUTS: usize = 5;

/// One row for each transport, wire and connection.
#[derive(Debug, Default)]
pub(crate) struct Sweeps(Vec<Vec<String>>);

impl Sweeps {
    /// Takes what the tests of a package printed.
    pub(crate) fn read(&mut self, package: &str, output: &str) {
        let rows = output.lines().filter_map(|line| line.split_once("sweep | "));
        self.0.extend(rows.filter_map(|(_, row)| read_row(package, row)));
        self.0.sort();
    }

    pub(crate) fn table(&self) -> String {
        let mut table = Table::new(&HEAD, 3);
        self.0.iter().for_each(|row| table.row(row));
        table.text().to_owned()
    }

    pub(crate) fn cuts(&self) -> u64 {
        self.0.iter().filter_map(|row| row.get(CUTS)?.parse::<u64>().ok()).sum()
    }
}

/// A row without what differs from machine to machine, which are the last two columns.
fn read_row(package: &str, row: &str) -> Option<Vec<String>> {
    let (test, figures) = row.split_once(" | ")?;
    let test = test.rsplit(' ').next()?;
    let (transport, _) = transport_and_check(package, test)?;
    let figures =
        figures.trim().trim_matches('|').split('|').map(|figure| figure.trim().to_owned());
    let mut cells: Vec<String> = std::iter::once(transport).chain(figures).collect();
    if cells.len() != HEAD.len() + 2 {
        return None;
    }
    cells.truncate(HEAD.len());
    // A transport that keeps no connection has none to cut.
    (cells.get(CUTS).map(String::as_str) != Some("0")).then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(connection: &str, cuts: &str) -> Sweeps {
        let row = format!(
            "| HTTP/1.1 | {connection} | 368 | 1405 | {cuts} | 2 | 0 | 3548 | 0 | 0 | 900 | 0 | 9 ms | 3.5 s |"
        );
        let test = "device::conformance::with_plain_sockets::plain::a_cut";
        let mut sweeps = Sweeps::default();
        sweeps.read(
            "point-auth-examples",
            &format!("...sweep | point-auth-examples {test} {row}\nother\n"),
        );
        sweeps
    }

    #[test]
    fn a_sweep_is_a_row_without_its_times() {
        let sweeps = read("new", "3550");
        let row = "| device, with plain sockets | HTTP/1.1 | new | 368 | 1405 | 3550 | 2 | 0 | 3548 | 0 | 0 | 900 | 0 |";
        assert_eq!(sweeps.table().lines().nth(2), Some(row));
        assert_eq!(sweeps.cuts(), 3550);
    }

    #[test]
    fn a_cut_by_silence_is_a_connection_of_its_own() {
        for connection in ["new, silence", "kept, silence"] {
            assert!(read(connection, "17").table().contains(&format!("| {connection} | 368 |")));
        }
    }

    #[test]
    fn where_nothing_is_cut_there_is_no_row() {
        assert_eq!(read("kept", "0").table().lines().count(), 2);
        let mut short = Sweeps::default();
        short.read(
            "point-auth-ureq",
            "sweep | point-auth-ureq conformance::a::plain::b | HTTP/1.1 | new |\n",
        );
        assert_eq!(short.table().lines().count(), 2);
    }
}
