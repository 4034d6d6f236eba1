//! The emulator in a separate process: this program, started again.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use point_auth_testkit::{Emulator, Fault, HttpVersions};

use crate::sample::{PASSWORD, USERNAME};

/// The process. It ends on drop.
pub struct Server {
    process: Child,
    target: Target,
}

/// The address of a server, and the authority to trust.
#[derive(Clone)]
pub struct Target {
    /// The base URL.
    pub base_url: String,
    /// The certificate of its authority in PEM, if it uses TLS. It then closes each connection
    /// after one response.
    pub authority: Option<String>,
}

impl Server {
    /// Starts this program again with `serve`, and with `tls` if set. These arguments must lead to
    /// [`serve`].
    pub fn start(tls: bool) -> io::Result<Self> {
        let mut process = Command::new(env::current_exe()?)
            .arg("serve")
            .args(tls.then_some("tls"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut said = Vec::new();
        if let Some(stdout) = process.stdout.take() {
            let lines = BufReader::new(stdout).lines();
            said = lines
                .take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()))
                .collect::<io::Result<_>>()?;
        }
        let base_url = said.first().cloned().unwrap_or_default();
        let authority = said.get(1..).filter(|pem| !pem.is_empty()).map(|pem| pem.join("\n"));
        Ok(Self { process, target: Target { base_url, authority } })
    }

    /// Returns the address of the server.
    pub fn target(&self) -> &Target {
        &self.target
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input stops it.
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}

/// Prints the address and the authority, up to an empty line, and serves until standard input ends.
pub fn serve(tls: bool) -> io::Result<()> {
    let emulator = Emulator::builder().user(USERNAME, PASSWORD).record_requests(false);
    let emulator = if tls { emulator.http(HttpVersions::Http1Only).with_tls() } else { emulator };
    let emulator = emulator.start().map_err(io::Error::other)?;
    let mut stdout = io::stdout();
    writeln!(stdout, "{}", emulator.base_url())?;
    if tls {
        // A service that signs in once an hour has no connection left from the last time.
        emulator.always(Fault::pass().connection_close());
        writeln!(stdout, "{}", emulator.ca_pem().trim_end())?;
    }
    writeln!(stdout)?;
    stdout.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
