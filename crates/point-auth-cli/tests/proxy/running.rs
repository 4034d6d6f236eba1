//! The program, started in a directory of its own with the emulator as its API.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use std::sync::Arc;

use point_auth_testkit::{Emulator, Fault, Operation};

pub(crate) const PASSWORD: &str = "correct horse battery";
/// More than any step takes on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// An emulator, and a directory with a configuration, a password and a store.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    directory: PathBuf,
}

impl World {
    pub(crate) fn new(name: &str) -> Self {
        let emulator =
            Emulator::builder().user("user@example.com", PASSWORD).with_tls().start().unwrap();
        emulator.always_for(Operation::Other, Fault::respond(200).body("from the API"));
        let id = std::process::id();
        let directory = std::env::temp_dir().join(format!("point-auth-proxy-{id}-{name}"));
        drop(fs::remove_dir_all(&directory));
        fs::create_dir_all(&directory).unwrap();
        let world = Self { emulator, directory };
        let ca = world.file("ca.pem", world.emulator.ca_pem(), 0o644);
        let password = world.file("password", PASSWORD, 0o600);
        let config = format!(
            "[profiles.default]\nbase_url = '{}'\nusername = 'user@example.com'\n\
             password.file = '{password}'\nstore.directory = '{}'\n\
             tls.roots = 'ca-file'\ntls.ca_file = '{ca}'\n",
            world.emulator.base_url(),
            world.path("store"),
        );
        world.file("config.toml", &config, 0o600);
        world
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn file(&self, name: &str, text: &str, mode: u32) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    /// Returns the program with this world's configuration, and nothing else of the environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_point-auth"));
        command.args(arguments).env_clear().stdin(Stdio::null());
        command.env("POINT_AUTH_CONFIG", self.path("config.toml")).env("PATH", "/usr/bin:/bin");
        command
    }

    /// Runs the command `proxy` to its end, and returns the exit code and what it said.
    pub(crate) fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.command(&["proxy"]).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    /// Starts the command `proxy`, and returns once it listens.
    pub(crate) fn start(&self, arguments: &[&str]) -> Program {
        let mut command = self.command(&["proxy"]);
        command.args(arguments);
        let program = Program::start(command);
        program.wait_until_it_says("listening");
        program
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.directory));
    }
}

/// A running program, which is killed on drop.
pub(crate) struct Program {
    child: Mutex<Child>,
    said: Arc<(Mutex<String>, Condvar)>,
    /// Closed once it says no more.
    silent: Mutex<Receiver<()>>,
}

impl Program {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let said = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let heard = Arc::clone(&said);
        let (says, silent) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let (text, changed) = &*heard;
                let mut text = text.lock().unwrap();
                text.push_str(&line);
                text.push('\n');
                changed.notify_all();
            }
            drop::<std::sync::mpsc::Sender<()>>(says);
            heard.1.notify_all();
        });
        Self { child: Mutex::new(child), said, silent: Mutex::new(silent) }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    pub(crate) fn said(&self) -> String {
        self.said.0.lock().unwrap().clone()
    }

    pub(crate) fn wait_until_it_says(&self, what: &str) {
        let (text, changed) = &*self.said;
        let waiting =
            changed.wait_timeout_while(text.lock().unwrap(), LONG, |text| !text.contains(what));
        let (text, result) = waiting.unwrap();
        assert!(!result.timed_out(), "it does not say {what:?} but {text:?}");
    }

    fn address_after(&self, what: &str) -> String {
        let said = self.said();
        let line = said.lines().find_map(|line| line.split_once(what));
        line.unwrap_or_else(|| panic!("no {what:?} in {said:?}")).1.to_owned()
    }

    pub(crate) fn address(&self) -> String {
        self.address_after("listening on http://")
    }

    pub(crate) fn status_address(&self) -> String {
        self.address_after("status on http://")
    }

    /// Sends a signal, by its name without `SIG`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits for its end, and returns the exit code and what it said.
    pub(crate) fn ended(&self) -> (Option<i32>, String) {
        // Its standard error closes at the end.
        let waiting = self.silent.lock().unwrap().recv_timeout(LONG);
        assert_eq!(waiting, Err(std::sync::mpsc::RecvTimeoutError::Disconnected), "it runs on");
        let code = self.child.lock().unwrap().wait().unwrap().code();
        (code, self.said())
    }

    /// Sends SIGTERM, checks that it ends well, and returns what it said.
    pub(crate) fn ends_on_sigterm(&self) -> String {
        self.signal("TERM");
        let (code, said) = self.ended();
        assert_eq!(code, Some(0), "{said}");
        said
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Ok(child) = self.child.get_mut() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}
