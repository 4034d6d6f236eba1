//! [`Fleet`]: the processes as a test sees them.

use std::collections::BTreeSet;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use point_auth_testkit::Emulator;
use serde_json::{Value, json};

use crate::place::Place;
use crate::worker::{SAYS, SETUP};

pub(crate) const USERNAME: &str = "user@example.com";
pub(crate) const RIGHT: &str = "correct horse battery staple";
pub(crate) const WRONG: &str = "wrong horse battery staple";

pub(crate) fn emulator() -> Emulator {
    Emulator::builder().user(USERNAME, RIGHT).start().unwrap()
}

/// What each process of a fleet does.
pub(crate) struct Setup {
    pub(crate) password: &'static str,
    pub(crate) sessions: usize,
    /// Whether each session has an alias of its own.
    pub(crate) has_aliases: bool,
    /// Where the process stops for good: `before` a request is sent, or `after` its answer.
    pub(crate) stops: Option<&'static str>,
    pub(crate) exchange_timeout: Duration,
}

impl Setup {
    pub(crate) fn of(password: &'static str, sessions: usize) -> Self {
        let exchange_timeout = Duration::from_secs(30);
        Self { password, sessions, has_aliases: false, stops: None, exchange_timeout }
    }
}

/// One worker. It is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    tell: ChildStdin,
    says: BufReader<ChildStdout>,
}

impl Process {
    /// Starts one with this number, and returns when it is ready.
    pub(crate) fn start(emulator: &Emulator, place: &Place, setup: &Setup, number: usize) -> Self {
        let setup = json!({
            "base_url": emulator.base_url(),
            "store": place.to_json(),
            "username": USERNAME,
            "password": setup.password,
            "sessions": setup.sessions,
            "first_alias": setup.has_aliases.then_some(number * setup.sessions),
            "stops": setup.stops,
            "exchange_timeout": setup.exchange_timeout.as_secs(),
        });
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "worker::a_worker_does_what_it_is_told", "--nocapture"]);
        command.env(SETUP, setup.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let tell = child.stdin.take().unwrap();
        let says = BufReader::new(child.stdout.take().unwrap());
        let mut process = Self { child, tell, says };
        assert_eq!(process.says(), "ready");
        process
    }

    pub(crate) fn tell(&mut self, what: &str) {
        writeln!(self.tell, "{what}").unwrap();
    }

    /// Waits for what it says next.
    #[track_caller]
    pub(crate) fn says(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.says.read_line(&mut line).unwrap() > 0, "the worker ended in silence");
            // The test runner may have begun the line.
            if let Some((_, what)) = line.split_once(SAYS) {
                return what.trim().to_owned();
            }
        }
    }

    /// Lets each session get a token and use it.
    #[track_caller]
    pub(crate) fn get(&mut self) -> Got {
        self.tell("get");
        let mut got = Got::default();
        got.add(&self.says());
        got
    }

    /// Kills it as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _is_killed = self.child.kill();
        let _has_ended = self.child.wait();
    }
}

/// What came of it when sessions got a token and used it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Got {
    /// The tokens that they were given, by a hash.
    pub(crate) tokens: BTreeSet<u64>,
    /// So many were served with their first token, and so many after a 401.
    pub(crate) served: u64,
    pub(crate) served_anew: u64,
    /// So many got no token, by the kind of the error.
    pub(crate) denied: u64,
    pub(crate) held: u64,
    pub(crate) timed_out: u64,
    /// Whatever else went wrong.
    pub(crate) errors: Vec<String>,
}

impl Got {
    fn add(&mut self, said: &str) {
        let said: Value = serde_json::from_str(said).unwrap();
        let list = |name: &str| said[name].as_array().unwrap().clone();
        self.tokens.extend(list("tokens").iter().map(|token| token.as_u64().unwrap()));
        self.errors.extend(list("errors").iter().map(|error| error.as_str().unwrap().to_owned()));
        let count = |name: &str| said[name].as_u64().unwrap_or_default();
        self.served += count("served");
        self.served_anew += count("served anew");
        self.denied += count("denied");
        self.held += count("held");
        self.timed_out += count("timed out");
    }
}

/// Many processes of one login.
pub(crate) struct Fleet(Vec<Process>);

impl Fleet {
    pub(crate) fn start(emulator: &Emulator, place: &Place, setup: &Setup, count: usize) -> Self {
        let start = |number| Process::start(emulator, place, setup, number);
        Self((0..count).map(start).collect())
    }

    /// Lets all sessions of all processes get a token at once, and use it.
    #[track_caller]
    pub(crate) fn get(&mut self) -> Got {
        let mut got = Got::default();
        for said in self.all("get") {
            got.add(&said);
        }
        got
    }

    /// Advances the clocks of all processes and of the server.
    #[track_caller]
    pub(crate) fn jump(&mut self, emulator: &Emulator, seconds: u64) {
        emulator.clock().advance(Duration::from_secs(seconds));
        for said in self.all(&format!("jump {seconds}")) {
            assert_eq!(said, "jumped");
        }
    }

    pub(crate) fn one(&mut self) -> &mut Process {
        self.0.first_mut().unwrap()
    }

    #[track_caller]
    fn all(&mut self, what: &str) -> Vec<String> {
        for process in &mut self.0 {
            process.tell(what);
        }
        self.0.iter_mut().map(Process::says).collect()
    }
}
