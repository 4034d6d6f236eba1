//! A prompt without echo, on a terminal.

use std::io::{self, IsTerminal};

use point_auth::Credentials;
use point_auth::secrecy::SecretString;
use zeroize::Zeroizing;

use crate::failure::{Exit, Failure, Result};

/// Whether there is a person to ask.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a password.
pub(super) fn ask(prompt: &str) -> Result<SecretString> {
    let refused = |why: &str| Failure::new(Exit::Other, "credentials", why);
    let failed = |error: io::Error| Failure::io("the prompt", &error);
    #[cfg(unix)]
    let quiet = quiet::Quiet::begin().map_err(failed)?;
    let read = rpassword::prompt_password(prompt);
    #[cfg(unix)]
    drop(quiet);
    let read = Zeroizing::new(read.map_err(failed)?);
    match read.len() {
        0 => Err(refused("no password was entered")),
        length if length > Credentials::MAX_PART_BYTES => {
            Err(refused("the password is longer than 4,096 bytes"))
        }
        _ => Ok(SecretString::from(read.as_str())),
    }
}

/// What rpassword leaves open: it prompts before it turns the echo off, so that a fast typist is
/// seen, and an interrupt ends the process before it turns the echo on again.
#[cfg(unix)]
mod quiet {
    use std::fs::File;
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
    use signal_hook::consts::SIGINT;
    use signal_hook::{SigId, flag, low_level};

    /// A terminal without echo, until it is dropped.
    pub(super) struct Quiet {
        terminal: File,
        before: Termios,
        interrupt: SigId,
    }

    impl Quiet {
        pub(super) fn begin() -> io::Result<Self> {
            let terminal = File::options().read(true).write(true).open("/dev/tty")?;
            let before = tcgetattr(&terminal)?;
            // An interrupt then is an error of the prompt.
            let interrupt = flag::register(SIGINT, Arc::new(AtomicBool::new(false)))?;
            let quiet = Self { terminal, before, interrupt };
            let mut modes = quiet.before.clone();
            // As rpassword will, so that nothing that is typed in between means something else.
            modes.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
            // What was typed before the prompt is dropped.
            tcsetattr(&quiet.terminal, OptionalActions::Flush, &modes)?;
            Ok(quiet)
        }
    }

    impl Drop for Quiet {
        fn drop(&mut self) {
            let _is_restored = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
            low_level::unregister(self.interrupt);
        }
    }
}
