//! squid as a corporate proxy: it requires credentials, and allows only some hosts.

use std::fs;
use std::process::Command;

use point_auth::ErrorKind;
use point_auth_testkit::{Certificate, ClosedPort, Emulator};

use crate::clients::{PASSWORD, Site, USERNAME};
use crate::folder::Folder;
use crate::port::Port;
use crate::program::{self, Ready, Running};

/// Only squid resolves it, because this machine's own names are never reached through a proxy.
const HOST: &str = "api.example.test";
const PROXY_USER: &str = "proxy-user";
const PROXY_PASSWORD: &str = "proxy-word-4711";

struct Squid(Running);

impl Squid {
    fn start(wants_credentials: bool) -> Option<Self> {
        let program = program::find("squid")?;
        let (port, folder) = (Port::free(), Folder::new());
        folder.write("hosts", &format!("127.0.0.1 {HOST}\n"));
        // squid asks on its standard input, one line for each question.
        folder.write(
            "helper.sh",
            &format!(
                "while read -r user password; do\n\
                 if [ \"$user $password\" = '{PROXY_USER} {PROXY_PASSWORD}' ]; then echo OK; else echo ERR; fi\n\
                 done\n"
            ),
        );
        let path = folder.path().display();
        let who = if wants_credentials {
            format!(
                "auth_param basic program /bin/sh {path}/helper.sh\nauth_param basic children 1 startup=1 idle=1\n\
                 acl known proxy_auth REQUIRED\nhttp_access deny !known\n"
            )
        } else {
            String::new()
        };
        folder.write(
            "squid.conf",
            &format!(
                "http_port {}\nhosts_file {path}/hosts\ndns_nameservers 127.0.0.1\npid_filename none\n\
                 cache_log {path}/cache.log\naccess_log stdio:{path}/access.log\nlog_mime_hdrs on\ncoredump_dir {path}\n\
                 netdb_filename none\npinger_enable off\ncache deny all\ncache_mem 1 MB\nmemory_pools off\n\
                 shutdown_lifetime 0 seconds\nmax_filedescriptors 256\nvisible_hostname proxy.example.test\n\
                 acl allowed dstdomain {HOST}\n{who}http_access allow CONNECT allowed\nhttp_access deny all\n",
                port.addr(),
            ),
        );
        let mut command = Command::new(program);
        command.args(["-N", "-d", "1", "-f"]).arg(folder.path().join("squid.conf"));
        Some(Self(Running::start(command, port, folder, &Ready::Accepts)))
    }

    fn url(&self, userinfo: &str) -> String {
        format!("http://{userinfo}{}", self.0.addr())
    }

    /// Returns squid's log of each request, with its headers.
    fn log(&self) -> String {
        fs::read_to_string(self.0.folder().path().join("access.log")).unwrap_or_default()
    }
}

fn emulator(certificate: Certificate) -> Emulator {
    Emulator::builder().user(USERNAME, PASSWORD).tls(certificate).host_name(HOST).start().unwrap()
}

#[test]
fn a_sign_in_goes_through_squid_which_sees_a_host_and_a_port() {
    let Some(squid) = Squid::start(false) else { return };
    let emulator = emulator(Certificate::Valid);
    let site = Site::new(emulator.base_url_for(HOST), emulator.ca_pem()).through(squid.url(""));
    for client in site.clients() {
        client.must_work();
        let requests = emulator.requests();
        assert_eq!(requests.last().unwrap().server_name(), Some(HOST), "{}", client.name);
    }
    drop(site);
    let log = squid.log();
    assert!(!log.contains("signInWithPassword") && !log.contains(PASSWORD), "{log}");
}

#[test]
fn squid_accepts_clients_with_its_credentials() {
    let Some(squid) = Squid::start(true) else { return };
    let emulator = emulator(Certificate::Valid);
    let userinfo = format!("{PROXY_USER}:{PROXY_PASSWORD}@");
    let site =
        Site::new(emulator.base_url_for(HOST), emulator.ca_pem()).through(squid.url(&userinfo));
    for client in site.clients() {
        client.must_work();
    }
    assert!(
        emulator.requests().iter().all(|request| request.header("proxy-authorization").is_none())
    );
}

#[test]
fn wrong_or_missing_credentials_for_squid_are_a_failure_to_connect_and_nothing_is_sent() {
    let Some(squid) = Squid::start(true) else { return };
    let emulator = emulator(Certificate::Valid);
    for userinfo in ["", "proxy-user:proxy-word-0815@", "somebody:proxy-word-4711@", "proxy-user@"]
    {
        let site =
            Site::new(emulator.base_url_for(HOST), emulator.ca_pem()).through(squid.url(userinfo));
        for client in site.clients() {
            let error = client.must_fail(ErrorKind::Connect);
            assert!(!error.may_have_been_sent(), "{} {userinfo}", client.name);
            let shown = format!("{error} {error:?} {error:#?}");
            assert!(
                !shown.contains("proxy-word") && !shown.contains("cHJveHkt"),
                "{}: {shown}",
                client.name
            );
        }
    }
    assert_eq!(emulator.connections(), 0);
}

#[test]
fn a_host_that_squid_does_not_allow_is_a_failure_to_connect() {
    let Some(squid) = Squid::start(false) else { return };
    let emulator = emulator(Certificate::Valid);
    let site = Site::new(emulator.base_url_for("other.example.test"), emulator.ca_pem())
        .through(squid.url(""));
    for client in site.clients() {
        let error = client.must_fail(ErrorKind::Connect);
        assert!(!error.may_have_been_sent() && error.is_retryable(), "{}", client.name);
    }
    assert_eq!(emulator.connections(), 0);
}

#[test]
fn a_server_that_is_down_behind_squid_is_a_failure_to_connect() {
    let Some(squid) = Squid::start(false) else { return };
    let (port, emulator) = (ClosedPort::reserve().unwrap(), emulator(Certificate::Valid));
    let base_url = format!("https://{HOST}:{}", port.addr().port());
    for client in Site::new(base_url, emulator.ca_pem()).through(squid.url("")).clients() {
        let error = client.must_fail(ErrorKind::Connect);
        assert!(!error.may_have_been_sent() && error.is_retryable(), "{}", client.name);
    }
}

#[test]
fn a_certificate_is_checked_through_squid_too() {
    let Some(squid) = Squid::start(false) else { return };
    for certificate in [Certificate::UnknownCa, Certificate::WrongHost, Certificate::Expired] {
        let emulator = emulator(certificate);
        let site = Site::new(emulator.base_url_for(HOST), emulator.ca_pem()).through(squid.url(""));
        for client in site.clients() {
            let error = client.must_fail(ErrorKind::Tls);
            assert!(!error.may_have_been_sent() && !error.is_retryable(), "{}", client.name);
        }
        assert_eq!(emulator.bytes_received(), 0);
    }
}
