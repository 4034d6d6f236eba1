//! OpenSSL's `s_server`, with many TLS settings. It handles only TLS: it prints what it receives
//! and sends its input, so the HTTP is written here.

mod refused;
mod spoken;

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use point_auth::{Error, TokenSet};
use point_auth_testkit::{CertificateAuthority, IssuedCertificate};

use crate::clients::{AnyClient, PASSWORD, Site};
use crate::folder::Folder;
use crate::port::Port;
use crate::program::{self, Ready, Running};

/// A certificate with its key, and the root to trust for it.
struct Identity {
    certificate_pem: String,
    key_pem: String,
    ca_pem: String,
}

impl Identity {
    /// ECDSA P-256, of an authority of the testkit.
    fn ecdsa() -> Self {
        let authority = CertificateAuthority::new().unwrap();
        Self::issued(&authority, &authority.issue(["127.0.0.1"]).unwrap())
    }

    fn issued(authority: &CertificateAuthority, issued: &IssuedCertificate) -> Self {
        Self {
            certificate_pem: issued.certificate_pem().to_owned(),
            key_pem: issued.private_key_pem().to_owned(),
            ca_pem: authority.pem().to_owned(),
        }
    }

    /// RSA, made by OpenSSL, and trusted itself.
    fn rsa(openssl: &Path, bits: u32) -> Self {
        let folder = Folder::new();
        let output = Command::new(openssl)
            .current_dir(folder.path())
            .args(["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=a peer", "-newkey"])
            .arg(format!("rsa:{bits}"))
            .args(["-keyout", "key.pem", "-out", "certificate.pem"])
            .args(["-addext", "subjectAltName=IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        let certificate_pem = read("certificate.pem");
        Self { ca_pem: certificate_pem.clone(), certificate_pem, key_pem: read("key.pem") }
    }
}

/// OpenSSL 3, whose options the tests use; `LibreSSL` has this name too, but other options.
fn openssl() -> Option<std::path::PathBuf> {
    let path = program::find("openssl")?;
    let output = Command::new(&path).arg("version").output().unwrap();
    if output.stdout.starts_with(b"OpenSSL 3.") {
        return Some(path);
    }
    program::missing("openssl", "is not OpenSSL 3");
    None
}

struct SServer {
    running: Running,
    ca_pem: String,
}

impl SServer {
    fn start(openssl: &Path, identity: &Identity, arguments: &[&str]) -> Self {
        let (port, folder) = (Port::free(), Folder::new());
        folder.write("certificate.pem", &identity.certificate_pem);
        folder.write("key.pem", &identity.key_pem);
        let mut command = Command::new(openssl);
        command.args(["s_server", "-accept", &port.addr().to_string()]);
        command.args(["-cert", "certificate.pem", "-key", "key.pem"]).args(arguments);
        let running = Running::start(command, port, folder, &Ready::Says("ACCEPT"));
        Self { running, ca_pem: identity.ca_pem.clone() }
    }

    fn site(&self) -> Site {
        Site::new(format!("https://{}", self.running.addr()), &self.ca_pem)
    }

    /// The one sign-in that it answers.
    fn sign_in(&mut self, client: &AnyClient) -> Result<TokenSet, Error> {
        const BODY: &str =
            r#"{"access_token":"a-token-by-openssl","refresh_token":"another","expires_in":3600}"#;
        // Held until the client is done, because its end would stop the server.
        let mut stdin = self.running.take_stdin();
        let said = self.running.said();
        thread::scope(|scope| {
            let signing_in = scope.spawn(|| client.sign_in());
            while !signing_in.is_finished() && !has_password(&said.text()) {
                said.wait_for_more(Duration::from_millis(20));
            }
            if has_password(&said.text()) {
                let length = BODY.len();
                let head =
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
                write!(stdin, "{head}Content-Length: {length}\r\n\r\n{BODY}").unwrap();
            }
            signing_in.join().unwrap()
        })
    }

    /// Returns whether the password arrived.
    fn was_sent_the_password(&self) -> bool {
        has_password(&self.running.said().text())
    }
}

/// The password is also the end of the request.
fn has_password(said: &str) -> bool {
    said.contains(&format!("{PASSWORD}\"}}"))
}
