//! Tables for the book.

use std::fmt::Write as _;

/// A table, of which the first columns are words and the others numbers.
#[derive(Debug)]
pub(crate) struct Table {
    columns: usize,
    text: String,
}

impl Table {
    /// The first `words` columns are words.
    pub(crate) fn new<S: AsRef<str>>(head: &[S], words: usize) -> Self {
        let mut table = Self { columns: head.len(), text: String::new() };
        table.row(head);
        table.text.push('|');
        for column in 0..head.len() {
            table.text.push_str(if column < words { "---|" } else { "--:|" });
        }
        table.text.push('\n');
        table
    }

    /// A row that is too short is filled up.
    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: &[S]) {
        self.text.push('|');
        for cell in cells {
            write!(self.text, " {} |", cell.as_ref()).unwrap_or_default();
        }
        self.text.push_str(&" |".repeat(self.columns.saturating_sub(cells.len())));
        self.text.push('\n');
    }

    pub(crate) fn text(&self) -> &str {
        self.text.trim_end()
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(crate) fn bold(text: &str) -> String {
    format!("**{text}**")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_on_the_right_and_a_short_row_is_filled_up() {
        let mut table = Table::new(&["a", "b", "c"], 1);
        table.row(&["x", "1"]);
        assert_eq!(table.text(), "| a | b | c |\n|---|--:|--:|\n| x | 1 | |");
    }

    #[test]
    fn a_long_number_is_divided_from_the_right() {
        let divided = [0, 999, 1000, 20_000, 1_234_567].map(thousands);
        assert_eq!(divided, ["0", "999", "1,000", "20,000", "1,234,567"]);
    }
}
