//! Running a command so that a reader of the log can run it again, and what a step says when it is
//! over.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Output, Stdio};

/// A step that passed: what it had to leave out, one line each.
pub(crate) type Report = Result<Vec<String>, Failure>;

/// A step that failed: every complaint it has, since a list is mended faster than one thing at a
/// time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) complaints: Vec<String>,
}

impl Failure {
    pub(crate) fn new(complaint: impl Into<String>) -> Self {
        Self { complaints: vec![complaint.into()] }
    }
}

/// Passes when there is nothing to complain about.
pub(crate) fn verdict(complaints: Vec<String>) -> Report {
    if complaints.is_empty() { Ok(Vec::new()) } else { Err(Failure { complaints }) }
}

/// The cargo that runs this program, so that a toolchain chosen on the command line holds for every
/// step.
pub(crate) fn cargo<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// Runs the command with this program's own output.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let shown = shown(command);
    println!("$ {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::new(format!("`{shown}`: {status}"))),
        Err(error) => Err(Failure::new(format!("`{shown}` did not start: {error}"))),
    }
}

/// Runs the command and hands back what it printed.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let shown = shown(command);
    match command.output() {
        Ok(Output { status, stdout, .. }) if status.success() => Ok(stdout),
        Ok(Output { status, stdout, stderr }) => {
            // A test says on standard output why it failed.
            let [stdout, stderr] = [&stdout, &stderr].map(|said| String::from_utf8_lossy(said));
            Err(Failure::new(format!("`{shown}`: {status}\n{stdout}\n{stderr}")))
        }
        Err(error) => Err(Failure::new(format!("`{shown}` did not start: {error}"))),
    }
}

/// Runs the command, hands over each line that it prints as an error, and shows those that are to
/// be seen.
pub(crate) fn watched(
    command: &mut Command,
    mut is_to_be_seen: impl FnMut(&str) -> bool,
) -> Result<(), Failure> {
    let shown = shown(command);
    println!("$ {shown}");
    let failed = |error: std::io::Error| Failure::new(format!("`{shown}`: {error}"));
    let mut child = command.stderr(Stdio::piped()).spawn().map_err(failed)?;
    for line in
        child.stderr.take().into_iter().flat_map(|stderr| BufReader::new(stderr).split(b'\n'))
    {
        // A fuzzer may print anything.
        let line = line.map_err(failed)?;
        let line = String::from_utf8_lossy(&line);
        if is_to_be_seen(&line) {
            eprintln!("{line}");
        }
    }
    match child.wait().map_err(failed)? {
        status if status.success() => Ok(()),
        status => Err(Failure::new(format!("`{shown}`: {status}"))),
    }
}

/// Tells every complaint.
pub(crate) fn exit_code(result: Result<(), Failure>) -> ExitCode {
    let Err(failure) = result else { return ExitCode::SUCCESS };
    for complaint in &failure.complaints {
        eprintln!("error: {complaint}");
    }
    ExitCode::FAILURE
}

/// Whether the program is there and does what it is asked.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn shown(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!("{}={}", name.to_string_lossy(), quoted(&value.to_string_lossy())));
        }
    }
    let program = command.get_program().to_string_lossy();
    words.push(if program.contains("cargo") { "cargo".to_owned() } else { program.into_owned() });
    words.extend(command.get_args().map(|argument| quoted(&argument.to_string_lossy())));
    words.join(" ")
}

fn quoted(word: &str) -> String {
    if word.contains(' ') { format!("'{word}'") } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_says_is_handed_over_and_so_is_that_it_failed() {
        let mut said = Vec::new();
        let result = watched(&mut cargo(["there-is-no-such-command"]), |line| {
            said.push(line.to_owned());
            false
        });
        assert!(said.iter().any(|line| line.contains("there-is-no-such-command")), "{said:?}");
        assert_eq!(result.unwrap_err().complaints.len(), 1);
        assert_eq!(watched(&mut cargo(["--version"]), |_| false), Ok(()));
    }
}
