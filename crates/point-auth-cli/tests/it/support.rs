//! A home directory, an emulator of the API, and the program.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use point_auth_testkit::Emulator;

pub(crate) const USER: &str = "user@example.com";
/// No output, no argument and no file may repeat it.
pub(crate) const PASSWORD: &str = "cAnArY-correct-horse";

/// A directory that is removed in the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("point-auth-cli-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file with this mode, and returns its path.
    pub(crate) fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _is_removed = fs::remove_dir_all(&self.0);
    }
}

/// A user's machine, and the API.
pub(crate) struct World {
    pub(crate) emulator: Emulator,
    pub(crate) home: Folder,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Emulator::builder().user(USER, PASSWORD).with_tls().start().unwrap())
    }

    pub(crate) fn with(emulator: Emulator) -> Self {
        let home = Folder::new();
        home.write("ca.pem", emulator.ca_pem(), 0o644);
        let world = Self { emulator, home };
        world.configure("");
        world
    }

    /// Writes the configuration, with more lines for the profile.
    pub(crate) fn configure(&self, more: &str) {
        let text = format!(
            "[profiles.default]\nbase_url = \"{}\"\nusername = \"{USER}\"\n\
             tls.roots = \"ca-file\"\ntls.ca_file = \"{}\"\n{more}\n",
            self.emulator.base_url(),
            self.home.path().join("ca.pem").display(),
        );
        self.home.write("config/point-auth/config.toml", &text, 0o600);
    }

    /// The program with these arguments, and nothing of the environment of the tests.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_point-auth"));
        command.args(arguments);
        self.settle_in(&mut command);
        command
    }

    /// Gives a command the environment of this world.
    pub(crate) fn settle_in(&self, command: &mut Command) {
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("XDG_CONFIG_HOME", self.home.path().join("config"))
            .env("XDG_STATE_HOME", self.home.path().join("state"))
            .stdin(Stdio::null());
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.program(arguments).output().unwrap())
    }

    /// Runs the program with this text as its standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        let mut command = self.program(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that needs no input may have ended.
        let _is_written = child.stdin.take().unwrap().write_all(input.as_bytes());
        Ended::of(child.wait_with_output().unwrap())
    }

    /// Signs in, so that the store has good tokens.
    pub(crate) fn sign_in(&self) {
        let ended = self.run_with(&["token", "--password-stdin"], PASSWORD);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
}

/// What a process left behind. It never repeats the password.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    #[track_caller]
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ended = Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        assert!(!ended.stdout.contains("cAnArY"), "{ended:?}");
        assert!(!ended.stderr.contains("cAnArY"), "{ended:?}");
        ended
    }

    /// Checks the exit code, and that there is one line on standard error with this text.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, text: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{self:?}");
        assert!(self.stderr.contains(text), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
    }

    #[track_caller]
    pub(crate) fn succeeds(&self) -> &str {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout.as_str()
    }

    /// The only line on standard error, as JSON.
    #[track_caller]
    pub(crate) fn error(&self) -> serde_json::Value {
        let json: serde_json::Value = serde_json::from_str(&self.stderr).unwrap();
        json["error"].clone()
    }
}

/// A process that is killed in the end.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    pub(crate) fn signal(&self, name: &str) {
        let process = self.0.id().to_string();
        assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _is_killed = self.0.kill();
        let _status = self.0.wait();
    }
}
