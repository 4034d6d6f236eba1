//! Real processes over one directory: this test program, started again with a part to play.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, SystemTime};
use std::{env, io};

use point_auth_core::session::SignInResult;
use point_auth_store::blocking::TokenStore;
use point_auth_store::{EntryName, FileStore, Refusal, Settlement, Verdict};
use pollster::block_on;

use super::scratch::Scratch;
use super::{load, name, shared, sign_in};

/// Set in a child: its part.
const PART: &str = "POINT_AUTH_TEST_PART";
/// Set in a child: the directory of the store.
const DIRECTORY: &str = "POINT_AUTH_TEST_DIRECTORY";
/// Before what a child says.
const SAYS: &str = "child says ";

/// What a child does. In the parent, which is no child, it does nothing.
#[test]
fn a_child_plays_its_part() {
    let (Ok(part), Some(directory)) = (env::var(PART), env::var_os(DIRECTORY)) else { return };
    let opened = FileStore::open(directory);
    let say = |what: String| println!("{SAYS}{what}");
    match (part.as_str(), opened) {
        ("open", opened) => say(name(&opened.unwrap(), "jane").to_string()),
        ("count", opened) => {
            let store = opened.unwrap();
            count(&store, &name(&store, "counter"), 25);
            say("counted".to_owned());
        }
        ("hold", opened) => {
            let verdict = sign_in(&opened.unwrap());
            assert!(matches!(verdict, Verdict::Granted(_)), "{verdict:?}");
            say("granted".to_owned());
            wait_for_the_end();
        }
        ("settle", opened) => {
            let store = opened.unwrap();
            let Verdict::Granted(grant) = sign_in(&store) else { panic!("not granted") };
            let wall = SystemTime::now();
            let sign_in = SignInResult::Accepted;
            let settlement = Settlement { tokens: None, sign_in, wall };
            block_on(shared(&store).settle(grant, settlement)).unwrap();
            say("settled".to_owned());
            wait_for_the_end();
        }
        ("write", opened) => {
            let store = opened.unwrap();
            let name = name(&store, "large");
            let mut old = load(&store, &name);
            say("writing".to_owned());
            for round in 0.. {
                let value = vec![u8::try_from(round % 251).unwrap(); 256 * 1024];
                assert!(store.swap(&name, old.as_deref(), &value, None).unwrap().done);
                old = Some(value);
            }
        }
        ("fill", opened) => {
            let store = opened.unwrap();
            let name = name(&store, "jane");
            let error = store.swap(&name, Some(b"old"), &[7; 4096], None).err().unwrap();
            say(format!("{error}: {}", std::error::Error::source(&error).unwrap()));
        }
        (part, _) => panic!("there is no part {part}"),
    }
}

/// Blocks until the parent kills this process, or is gone itself.
fn wait_for_the_end() {
    let _nothing = io::stdin().read_line(&mut String::new());
}

/// Adds one to a number, so many times.
pub(super) fn count(store: &FileStore, name: &EntryName, times: u32) {
    for _ in 0..times {
        loop {
            let old = load(store, name);
            let number =
                old.as_deref().map_or(0, |old| u32::from_be_bytes(old.try_into().unwrap()));
            let new = (number + 1).to_be_bytes();
            if store.swap(name, old.as_deref(), &new, None).unwrap().done {
                break;
            }
        }
    }
}

/// A child process. It is killed when this is dropped.
struct Process {
    child: Child,
    says: BufReader<ChildStdout>,
}

impl Process {
    fn start(part: &str, directory: &Path) -> Self {
        Self::spawn(Command::new(env::current_exe().unwrap()), part, directory)
    }

    fn spawn(mut command: Command, part: &str, directory: &Path) -> Self {
        command.args(["--exact", "file::processes::a_child_plays_its_part", "--nocapture"]);
        command.env(PART, part).env(DIRECTORY, directory);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let says = BufReader::new(child.stdout.take().unwrap());
        Self { child, says }
    }

    /// Waits for what it says next.
    #[track_caller]
    fn says(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.says.read_line(&mut line).unwrap() > 0, "the child ended in silence");
            // The test harness may have begun the line.
            if let Some((_, what)) = line.split_once(SAYS) {
                return what.trim().to_owned();
            }
        }
    }

    /// Kills it as `kill -9` does.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    #[track_caller]
    fn ends_well(mut self) {
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _is_killed = self.child.kill();
        let _has_ended = self.child.wait();
    }
}

#[test]
fn eight_processes_that_open_at_once_agree_on_one_key() {
    let scratch = Scratch::new("p-open");
    let directory = scratch.path("store");
    let mut all: Vec<_> = (0..8).map(|_| Process::start("open", &directory)).collect();
    let names: Vec<_> = all.iter_mut().map(Process::says).collect();
    assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
    assert_eq!(name(&scratch.open(), "jane").to_string(), names[0]);
}

#[test]
fn no_write_of_eight_processes_is_lost() {
    let scratch = Scratch::new("p-count");
    let directory = scratch.path("store");
    let mut all: Vec<_> = (0..8).map(|_| Process::start("count", &directory)).collect();
    for process in &mut all {
        assert_eq!(process.says(), "counted");
    }
    all.into_iter().for_each(Process::ends_well);
    let store = scratch.open();
    let count = load(&store, &name(&store, "counter")).unwrap();
    assert_eq!(count, 200_u32.to_be_bytes());
}

#[test]
fn a_holder_that_is_killed_is_followed_at_once_and_its_password_counts_as_unknown() {
    let scratch = Scratch::new("p-kill");
    let store = scratch.open();
    for _ in 0..3 {
        let mut holder = Process::start("hold", &scratch.path("store"));
        assert_eq!(holder.says(), "granted");
        assert!(matches!(sign_in(&store), Verdict::InUse(left) if left > Duration::from_secs(10)));
        holder.kill();
    }
    // Three sign-ins in a row had an unknown outcome, of which the last one shows now.
    let verdict = sign_in(&store);
    assert!(matches!(verdict, Verdict::Rejected(Refusal::TooManyUnknown(_))), "{verdict:?}");
}

#[test]
fn a_holder_that_is_killed_after_it_has_settled_leaves_nothing_to_wait_for() {
    let scratch = Scratch::new("p-settled");
    let mut holder = Process::start("settle", &scratch.path("store"));
    assert_eq!(holder.says(), "settled");
    holder.kill();
    assert!(matches!(sign_in(&scratch.open()), Verdict::Granted(_)));
}

#[test]
fn a_process_that_is_killed_while_it_writes_leaves_an_old_or_a_new_value() {
    let scratch = Scratch::new("p-write");
    let store = scratch.open();
    let name = name(&store, "large");
    let mut killed = 0;
    while killed < 10 {
        let mut writer = Process::start("write", &scratch.path("store"));
        assert_eq!(writer.says(), "writing");
        // So many values are read meanwhile, and each is whole.
        for _ in 0..killed * 3 {
            is_whole(load(&store, &name).as_deref());
        }
        writer.kill();
        killed += 1;
        let old = load(&store, &name);
        is_whole(old.as_deref());
        // The lock has ended with the process.
        assert!(store.swap(&name, old.as_deref(), &[0; 256 * 1024], None).unwrap().done);
    }
}

#[track_caller]
fn is_whole(value: Option<&[u8]>) {
    let Some(value) = value else { return };
    assert_eq!(value.len(), 256 * 1024);
    assert!(value.iter().all(|byte| *byte == value[0]));
}

/// A limit of the size of files does what a full disk does: a write ends with an error.
#[test]
fn a_full_disk_is_an_error_that_names_the_file_and_the_old_value_stays() {
    let scratch = Scratch::new("p-full");
    let store = scratch.open();
    let jane = name(&store, "jane");
    assert!(store.swap(&jane, None, b"old", None).unwrap().done);
    let mut shell = Command::new("sh");
    // The signal is ignored, and stays so in what is executed.
    shell.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\""]);
    shell.arg(env::current_exe().unwrap());
    let mut process = Process::spawn(shell, "fill", &scratch.path("store"));
    let said = process.says();
    process.ends_well();
    let new = format!("store/logins/{}/.new", jane.login());
    assert!(said.contains(scratch.path(&new).to_str().unwrap()), "{said}");
    assert_eq!(load(&store, &jane).unwrap(), b"old");
    assert!(!scratch.path(&new).exists());
    assert!(store.swap(&jane, Some(b"old"), b"new", None).unwrap().done);
}
