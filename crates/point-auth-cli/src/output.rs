//! Standard output, and the words for times in it.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use crate::failure::{Failure, Result, whole_seconds};

/// Writes to standard output as a whole.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| Failure::io("could not write to standard output", &error))
}

/// Writes a line about the work to standard error.
pub(crate) fn note(line: &str) {
    complain(&format!("point-auth: {line}"));
}

/// Writes a line to standard error. Without standard error there is no place to report it.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Whether a report to standard output is colored: on a terminal, unless `NO_COLOR` is set.
fn has_color() -> bool {
    let is_off = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !is_off && io::stdout().is_terminal()
}

/// A time such as `58m 3s`, in whole seconds.
pub(crate) fn duration(time: Duration) -> String {
    humantime::format_duration(Duration::from_secs(whole_seconds(time))).to_string()
}

/// The color of a word in a report.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Color {
    Green,
    Yellow,
    Red,
}

/// The text in a color, where [colors](has_color) are shown.
pub(crate) fn paint(color: Color, text: &str) -> String {
    if !has_color() {
        return text.to_owned();
    }
    let code = match color {
        Color::Green => 32,
        Color::Yellow => 33,
        Color::Red => 31,
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}
