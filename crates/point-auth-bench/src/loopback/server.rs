//! The emulator in a process of its own: this program, started again.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use point_auth_testkit::Emulator;

use crate::sample::{PASSWORD, USERNAME};

/// The process. It ends when this is dropped.
pub struct Server {
    process: Child,
    base_url: String,
}

impl Server {
    /// Starts this program again with these arguments, which must lead to [`serve`].
    pub fn start(arguments: &[&str]) -> io::Result<Self> {
        let mut process = Command::new(env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut base_url = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut base_url)?;
        }
        Ok(Self { process, base_url: base_url.trim().to_owned() })
    }

    /// Where it is.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input is its sign to go.
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}

/// Serves until standard input ends.
pub fn serve() -> io::Result<()> {
    let emulator = Emulator::builder()
        .user(USERNAME, PASSWORD)
        .record_requests(false)
        .start()
        .map_err(io::Error::other)?;
    let mut stdout = io::stdout();
    writeln!(stdout, "{}", emulator.base_url())?;
    stdout.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
