//! Running a command so that a reader of the log can run it again, and what a step says at its end.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, ExitCode, Output, Stdio};
use std::thread;

/// A step that passed: what it left out, one line each.
pub(crate) type Report = Result<Vec<String>, Failure>;

/// A step that failed, with all its complaints.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) complaints: Vec<String>,
}

impl Failure {
    pub(crate) fn new(complaint: impl Into<String>) -> Self {
        Self { complaints: vec![complaint.into()] }
    }
}

/// Passes without complaints.
pub(crate) fn verdict(complaints: Vec<String>) -> Report {
    if complaints.is_empty() { Ok(Vec::new()) } else { Err(Failure { complaints }) }
}

/// The cargo that runs this program, so that a toolchain on its command line holds for every step.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// A cargo subcommand, installed first in CI. Elsewhere its absence is what the step left out.
pub(crate) fn has_tool(name: &str, version: &str) -> Result<bool, Failure> {
    if output(&mut cargo([name, "--version"])).is_ok() {
        return Ok(true);
    }
    if env::var_os("CI").is_none() {
        return Ok(false);
    }
    // Unoptimized, since it runs for a second and builds for minutes.
    let package = format!("cargo-{name}@{version}");
    run(&mut cargo(["install", "--locked", "--debug", "--quiet", &package]))?;
    Ok(true)
}

/// Runs the command and shows what it prints. A failure has its first errors too.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    run_to_the_end(command).0
}

/// Runs the command likewise, and returns the last lines of its standard output too.
pub(crate) fn run_to_the_end(command: &mut Command) -> (Result<(), Failure>, Vec<String>) {
    let shown = shown(command);
    println!("$ {shown}");
    let mut child = match command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => {
            return (Err(Failure::new(format!("`{shown}` did not start: {error}"))), Vec::new());
        }
    };
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let errors = thread::spawn(|| pass_on(stderr, std::io::stderr()));
    let printed = pass_on(stdout, std::io::stdout());
    let errors = errors.join().unwrap_or_default();
    let result = match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let status = format!("`{shown}`: {status}");
            let first = first_errors(&errors).into_iter().chain(first_errors(&printed));
            Err(Failure { complaints: std::iter::once(status).chain(first).collect() })
        }
        Err(error) => Err(Failure::new(format!("`{shown}`: {error}"))),
    };
    let last = printed.len().saturating_sub(12);
    (result, printed.into_iter().skip(last).collect())
}

fn pass_on(from: Option<impl Read>, mut to: impl Write) -> Vec<String> {
    let mut lines = Vec::new();
    for line in from.into_iter().flat_map(|from| BufReader::new(from).split(b'\n')) {
        let Ok(line) = line else { break };
        let line = String::from_utf8_lossy(&line).into_owned();
        let _ = writeln!(to, "{line}");
        lines.push(line);
    }
    lines
}

/// Lines that say what is wrong, each with the few that say where.
fn first_errors(lines: &[String]) -> Vec<String> {
    const LINES: usize = 24;
    let begins = |line: &String| {
        line.starts_with("error") || line.starts_with("Diff in") || line.contains("panicked at")
    };
    let mut found = Vec::new();
    let mut rest = lines;
    while let Some(position) = rest.iter().position(begins)
        && found.len() < LINES
    {
        let (first, behind) = rest.split_at(rest.len().min(position + 8));
        found.extend(first.iter().skip(position).cloned());
        rest = behind;
    }
    found.truncate(LINES);
    found
}

/// Runs the command and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let shown = shown(command);
    match command.output() {
        Ok(Output { status, stdout, stderr }) => {
            let [stdout, stderr] =
                [stdout, stderr].map(|s| String::from_utf8_lossy(&s).into_owned());
            // A test says on standard output why it failed.
            let failed = || Failure::new(format!("`{shown}`: {status}\n{stdout}\n{stderr}"));
            if status.success() { Ok(stdout) } else { Err(failed()) }
        }
        Err(error) => Err(Failure::new(format!("`{shown}` did not start: {error}"))),
    }
}

/// Prints every complaint of a task.
pub(crate) fn exit_code(result: Report) -> ExitCode {
    match result {
        Ok(left_out) => {
            left_out.iter().for_each(|line| println!("LEFT OUT: {line}"));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            failure.complaints.iter().for_each(|complaint| eprintln!("error: {complaint}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether the program is there and does what it is asked.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn shown(command: &Command) -> String {
    let quoted = |word: &OsStr| {
        let word = word.to_string_lossy();
        if word.contains(' ') { format!("'{word}'") } else { word.into_owned() }
    };
    let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mut words: Vec<String> =
        set.map(|(name, value)| format!("{}={}", quoted(name), quoted(value))).collect();
    let program = quoted(command.get_program());
    words.push(if program.ends_with("/cargo") { "cargo".to_owned() } else { program });
    words.extend(command.get_args().map(quoted));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_repeats_the_first_errors_of_its_command() {
        let failure = run(&mut cargo(["there-is-no-such-command"])).unwrap_err();
        assert!(failure.complaints[0].contains("exit status"), "{failure:?}");
        assert!(failure.complaints[1].starts_with("error: no such command"), "{failure:?}");
        let (result, last) = run_to_the_end(&mut cargo(["--version"]));
        assert_eq!(result, Ok(()));
        assert!(last.last().is_some_and(|line| line.starts_with("cargo ")), "{last:?}");
    }

    #[test]
    fn the_first_errors_come_with_their_places_and_are_few() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let log =
            lines("Compiling a\nerror[E1]: wrong\n --> a.rs:1\n  |\n1 | a\nmore\nerror: last");
        assert_eq!(
            first_errors(&log),
            ["error[E1]: wrong", " --> a.rs:1", "  |", "1 | a", "more", "error: last"]
        );
        assert_eq!(first_errors(&lines(&"error: x\n".repeat(100))).len(), 24);
    }
}
