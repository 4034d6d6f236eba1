//! tinyproxy in a chain: it passes every tunnel to a proxy of the testkit, which resolves the host.

use std::process::Command;

use point_auth::ErrorKind;
use point_auth_testkit::{ConnectProxy, Emulator};

use crate::clients::{PASSWORD, Site, USERNAME};
use crate::folder::Folder;
use crate::port::Port;
use crate::program::{self, Ready, Running};

const AUTHORITY: &str = "api.example.test:443";
const BASE_URL: &str = "https://api.example.test";

struct Chain {
    tinyproxy: Running,
    next: ConnectProxy,
    emulator: Emulator,
}

impl Chain {
    fn start(more: &str) -> Option<Self> {
        let program = program::find("tinyproxy")?;
        let emulator = Emulator::builder()
            .user(USERNAME, PASSWORD)
            .with_tls()
            .host_name("api.example.test")
            .start()
            .unwrap();
        let next = ConnectProxy::builder().map(AUTHORITY, emulator.addr()).start().unwrap();
        let (port, folder) = (Port::free(), Folder::new());
        folder.write(
            "tinyproxy.conf",
            &format!(
                "Port {}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nAllow 127.0.0.1\nLogLevel Connect\n\
                 Upstream http {}\n{more}\n",
                port.addr().port(),
                next.addr(),
            ),
        );
        let mut command = Command::new(program);
        command.arg("-d").arg("-c").arg(folder.path().join("tinyproxy.conf"));
        let tinyproxy = Running::start(command, port, folder, &Ready::Accepts);
        Some(Self { tinyproxy, next, emulator })
    }

    fn site(&self, userinfo: &str) -> Site {
        let proxy = format!("http://{userinfo}{}", self.tinyproxy.addr());
        Site::new(BASE_URL, self.emulator.ca_pem()).through(proxy)
    }
}

#[test]
fn a_sign_in_goes_encrypted_through_tinyproxy_and_the_proxy_behind_it() {
    let Some(chain) = Chain::start("") else { return };
    for client in chain.site("").clients() {
        client.must_work();
    }
    assert!(!chain.next.saw(PASSWORD.as_bytes()));
    assert!(!chain.tinyproxy.said().text().contains(PASSWORD));
}

#[test]
fn tinyproxy_accepts_clients_with_its_credentials() {
    let Some(chain) = Chain::start("BasicAuth proxy-user proxy-word-4711") else { return };
    for client in chain.site("proxy-user:proxy-word-4711@").clients() {
        client.must_work();
    }
}

#[test]
fn wrong_or_missing_credentials_for_tinyproxy_are_a_failure_to_connect_and_nothing_is_sent() {
    let Some(chain) = Chain::start("BasicAuth proxy-user proxy-word-4711") else { return };
    for userinfo in ["", "proxy-user:proxy-word-0815@"] {
        for client in chain.site(userinfo).clients() {
            let error = client.must_fail(ErrorKind::Connect);
            assert!(!error.may_have_been_sent(), "{} {userinfo}", client.name);
            assert!(!format!("{error:?}").contains("proxy-word"), "{}: {error:?}", client.name);
        }
    }
    assert_eq!(chain.emulator.connections(), 0);
}

#[test]
fn a_port_that_tinyproxy_does_not_allow_is_a_failure_to_connect() {
    let Some(chain) = Chain::start("ConnectPort 8443") else { return };
    for client in chain.site("").clients() {
        let error = client.must_fail(ErrorKind::Connect);
        assert!(!error.may_have_been_sent(), "{}", client.name);
    }
    assert_eq!(chain.emulator.connections(), 0);
}
