//! nginx in front of the emulator, like a gateway: it ends TLS, speaks HTTP/2 with the client and
//! HTTP/1.x with the server.

mod connections;
mod pages;

use std::fmt::Write;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use point_auth_testkit::{CertificateAuthority, Emulator, Operation};

use crate::clients::{Site, upstream};
use crate::folder::Folder;
use crate::port::Port;
use crate::program::{self, Ready, Running};

/// The additional directives.
#[derive(Default)]
struct Config {
    http1_only: bool,
    /// In the block `http`.
    http: String,
    /// In the block `server`.
    server: String,
    /// In the block `location`.
    location: String,
}

impl Config {
    fn server(directives: &str) -> Self {
        Self { server: directives.to_owned(), ..Self::default() }
    }

    fn location(directives: &str) -> Self {
        Self { location: directives.to_owned(), ..Self::default() }
    }

    const fn http1_only(mut self) -> Self {
        self.http1_only = true;
        self
    }
}

struct Nginx {
    running: Running,
    plain: Port,
    authority: CertificateAuthority,
}

impl Nginx {
    fn start(server: SocketAddr, config: &Config) -> Option<Self> {
        let program = program::find("nginx")?;
        let (port, plain, folder) = (Port::free(), Port::free(), Folder::new());
        let authority = CertificateAuthority::new().unwrap();
        let issued = authority.issue(["127.0.0.1"]).unwrap();
        folder.write("certificate.pem", issued.certificate_pem());
        folder.write("key.pem", issued.private_key_pem());
        folder.write("authority.pem", authority.pem());
        let mut text = String::from(
            "daemon off; user root; pid nginx.pid;\nevents { worker_connections 256; }\nhttp {\n\
             access_log off; gzip on; gzip_proxied any; gzip_types application/json; gzip_min_length 1;\n",
        );
        for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
            writeln!(text, "{kind}_temp_path {kind};").unwrap();
        }
        let http2 = if config.http1_only { "" } else { " http2" };
        writeln!(
            text,
            "{}\nserver {{ listen {} ssl{http2}; listen {};\n\
             ssl_certificate certificate.pem; ssl_certificate_key key.pem;\n{}\n\
             location / {{ proxy_pass http://{server}; proxy_set_header x-was-spoken $server_protocol;\n{}\n}} }} }}",
            config.http,
            port.addr(),
            plain.addr(),
            config.server,
            config.location,
        )
        .unwrap();
        folder.write("nginx.conf", &text);
        let mut command = Command::new(program);
        command.arg("-p").arg(folder.path()).args(["-c", "nginx.conf", "-e", "stderr"]);
        command.args(["-g", "error_log stderr info;"]);
        let running = Running::start(command, port, folder, &Ready::Accepts);
        Some(Self { running, plain, authority })
    }

    fn site(&self) -> Site {
        Site::new(format!("https://{}", self.running.addr()), self.authority.pem())
    }

    /// Returns once all connections that are idle now have reached nginx's idle timeout: a later
    /// idle connection of our own has closed.
    fn close_idle_connections(&self) {
        let mut socket = TcpStream::connect(self.plain.addr()).unwrap();
        socket.set_read_timeout(Some(program::LONG)).unwrap();
        socket.write_all(b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 404"));
    }
}

/// Returns an emulator and nginx in front of it, or `None` without nginx.
fn in_front(config: &Config) -> Option<(Emulator, Nginx)> {
    let emulator = upstream();
    let nginx = Nginx::start(emulator.addr(), config)?;
    Some((emulator, nginx))
}

#[test]
fn nginx_passes_a_sign_in_and_a_refresh_on_over_http_2_and_http_1() {
    for config in [Config::default(), Config::default().http1_only()] {
        let Some((emulator, nginx)) = in_front(&config) else { return };
        for client in nginx.site().clients() {
            client.must_work();
            let requests = emulator.requests();
            let spoken = requests.last().unwrap().header("x-was-spoken");
            let expected =
                if client.is_blocking() || config.http1_only { "HTTP/1.1" } else { "HTTP/2.0" };
            assert_eq!(spoken, Some(expected), "{}", client.name);
        }
        let clients = nginx.site().clients().len();
        assert_eq!(emulator.count(Operation::SignIn), clients);
        assert_eq!(emulator.count(Operation::Refresh), clients);
    }
}
