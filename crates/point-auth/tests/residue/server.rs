//! The server in another process, which is this test binary with an environment variable set.
//!
//! Its standard input has the responses to send, one line each. It prints a line when it is ready
//! for each.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use point_auth_testkit::{Certificate, ConnectProxy, Emulator, Fault, HttpVersions};

const VARIABLE: &str = "POINT_AUTH_RESIDUE_SERVER";
const SAYS: &str = "server: ";
const HOST: &str = "api.example.test";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// HTTP/1.1 without TLS.
    Plain,
    /// HTTP/1.1 in TLS.
    Tls,
    /// HTTP/2 in TLS.
    Http2,
    /// Like `Tls`, through a proxy that requires credentials.
    Proxy,
}

/// A handle to the other process, which ends on drop.
pub(crate) struct Server {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    pub(crate) base_url: String,
    pub(crate) ca_pem: String,
    pub(crate) proxy: String,
}

impl Server {
    /// `proxy_password` is the password that its proxy requires.
    pub(crate) fn start(wire: Wire, proxy_password: &'static str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "server::serves_the_other_tests_when_it_is_asked_to", "--nocapture"])
            .env(VARIABLE, format!("{wire:?}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) =
            (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut server = Self {
            child,
            stdin,
            stdout,
            base_url: String::new(),
            ca_pem: String::new(),
            proxy: String::new(),
        };
        server.send(&[proxy_password]);
        server.base_url = server.hear();
        server.proxy = server.hear();
        server.ca_pem = server.hear().replace('|', "\n");
        server
    }

    /// Sends it a line, without a copy of the words here.
    pub(crate) fn send(&mut self, words: &[&str]) {
        for word in words {
            self.stdin.write_all(word.as_bytes()).unwrap();
            self.stdin.write_all(b" ").unwrap();
        }
        self.stdin.write_all(b"\n").unwrap();
    }

    /// Returns the next line that it prints.
    pub(crate) fn hear(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.stdout.read_line(&mut line).unwrap() > 0, "the server is gone");
            // The test runner also prints, and may have begun the line.
            if let Some((_, said)) = line.split_once(SAYS) {
                return said.trim_end().to_owned();
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn say(line: &str) {
    println!("{SAYS}{line}");
}

/// Does nothing unless another test has started this process.
#[test]
fn serves_the_other_tests_when_it_is_asked_to() {
    let Ok(wire) = env::var(VARIABLE) else { return };
    let mut lines = std::io::stdin().lines().map(|line| line.unwrap().trim_end().to_owned());
    let builder = Emulator::builder().host_name(HOST);
    let emulator = match wire.as_str() {
        "Plain" => builder,
        "Http2" => builder.http(HttpVersions::Http2Only).with_tls(),
        _ => builder.http(HttpVersions::Http1Only).with_tls(),
    };
    let emulator = emulator.start().unwrap();
    let untrusted = Emulator::builder().tls(Certificate::UnknownCa).start().unwrap();
    let proxy = ConnectProxy::builder()
        .map(format!("{HOST}:443"), emulator.addr())
        .credentials("proxy-user", lines.next().unwrap())
        .start()
        .unwrap();
    say(&match wire.as_str() {
        "Proxy" => format!("https://{HOST}"),
        _ => emulator.base_url(),
    });
    say(&proxy.url());
    say(&emulator.ca_pem().replace('\n', "|"));
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let [what, access, refresh] = words[..] else { panic!("not a command") };
        let good = format!(
            r#"{{"access_token":"{access}{}","refresh_token":"{refresh}{}","expires_in":3600}}"#,
            "x".repeat(900 - access.len()),
            "x".repeat(200 - refresh.len()),
        );
        emulator.clear_faults();
        emulator.always(match what {
            "good" => Fault::respond(200).json(good),
            "denied" => Fault::respond(403).json(good.replacen(
                '{',
                r#"{"error":"access_denied","error_description":"no","#,
                1,
            )),
            "error" => Fault::respond(500).json(good),
            "malformed" => Fault::respond(200).json(good.replace("3600", "[]")),
            "large" => Fault::respond(200).json(good.repeat(80)),
            "cut" => Fault::respond(200).json(good).content_length(1 << 20),
            "reset" => Fault::reset(),
            "silent" => Fault::silent(),
            _ => panic!("not a command"),
        });
        say(&untrusted.base_url());
    }
}
