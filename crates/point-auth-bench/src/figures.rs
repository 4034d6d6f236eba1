//! The measured figures, as stored in `figures.json` and shown: sections of tables, some with a
//! chart.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

/// All sections, by name. A section that is not measured again stays.
#[derive(Default, Serialize, Deserialize)]
pub struct Figures {
    sections: BTreeMap<String, Section>,
}

/// The tables of one run.
#[derive(Serialize, Deserialize)]
pub struct Section {
    /// The machine and the tools.
    pub machine: String,
    /// The tables, in the order of the page.
    pub tables: Vec<Table>,
}

/// One table.
#[derive(Serialize, Deserialize)]
pub struct Table {
    /// The title above the table.
    pub title: String,
    /// The columns, the first of which names the row.
    pub head: Vec<String>,
    /// The rows, as wide as the head.
    pub rows: Vec<Vec<String>>,
    /// The notes below the table.
    pub chart: Option<Chart>,
}

/// A bar chart, where shorter is better.
#[derive(Serialize, Deserialize)]
pub struct Chart {
    /// The name of the file, without `.svg`.
    pub file: String,
    /// The title of the chart.
    pub title: String,
    /// The named bars.
    pub bars: Vec<(String, f64)>,
}

impl Figures {
    /// Loads the figures of earlier runs, or none.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn load(file: &Path) -> io::Result<Self> {
        match fs::read(file) {
            Ok(json) => serde_json::from_slice(&json).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Stores the figures.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, file: &Path) -> io::Result<()> {
        let json = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        fs::write(file, json + "\n")
    }

    /// Replaces a section.
    pub fn set(&mut self, name: &str, section: Section) {
        self.sections.insert(name.to_owned(), section);
    }

    /// Returns a section, if it was ever measured.
    pub fn get(&self, name: &str) -> Option<&Section> {
        self.sections.get(name)
    }

    /// Returns all charts.
    pub fn charts(&self) -> impl Iterator<Item = &Chart> {
        self.sections
            .values()
            .flat_map(|section| &section.tables)
            .filter_map(|table| table.chart.as_ref())
    }
}

impl Table {
    /// Creates an empty table.
    pub fn new(title: impl Into<String>, head: &[&str]) -> Self {
        let head = head.iter().map(|&column| column.to_owned()).collect();
        Self { title: title.into(), head, rows: Vec::new(), chart: None }
    }

    /// Adds a row.
    pub fn push<const N: usize>(&mut self, row: [String; N]) {
        debug_assert_eq!(N, self.head.len());
        self.rows.push(row.into());
    }

    /// Returns the table as Markdown, in columns.
    pub fn markdown(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().chain([&self.head]);
            cells.map(|row| row[column].chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let line = |cells: &[String]| {
            let mut line = String::from("|");
            for (column, (cell, &width)) in cells.iter().zip(&widths).enumerate() {
                // Names are left-aligned, numbers right-aligned.
                let written = match column {
                    0 => write!(line, " {cell:<width$} |"),
                    _ => write!(line, " {cell:>width$} |"),
                };
                debug_assert!(written.is_ok());
            }
            line + "\n"
        };
        let rule: Vec<String> = widths
            .iter()
            .enumerate()
            .map(|(column, &width)| match column {
                0 => "-".repeat(width.max(3)),
                _ => "-".repeat(width.max(2) - 1) + ":",
            })
            .collect();
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        line(&self.head) + &line(&rule) + &rows
    }
}

/// Formats a number for readers: few digits, with thousands separators.
pub fn number(value: f64) -> String {
    if value.abs() < 10.0 && value.fract().abs() > 0.005 {
        return format!("{value:.1}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if value <= -0.5 { format!("-{grouped}") } else { grouped }
}

/// Formats the ratio of a value to a reference.
pub fn times(value: f64, reference: f64) -> String {
    format!("{:.2}×", value / reference)
}
