//! Through a proxy, with and without credentials.

use point_auth_testkit::{ConnectProxy, ConnectProxyBuilder, Emulator};

use crate::support::{Ended, PASSWORD, USER, World};

/// A name that only the proxy resolves.
const HOST: &str = "api.example.test";

/// A world behind a proxy whose password is in no file.
fn behind(setup: impl FnOnce(ConnectProxyBuilder) -> ConnectProxyBuilder) -> (World, ConnectProxy) {
    let emulator = Emulator::builder().user(USER, PASSWORD).with_tls().host_name(HOST);
    let world = World::with(emulator.start().unwrap());
    let builder = ConnectProxy::builder().map(format!("{HOST}:443"), world.emulator.addr());
    (world, setup(builder).start().unwrap())
}

fn run(world: &World, command: &str, variable: (&str, &str)) -> Ended {
    let url = format!("https://{HOST}");
    let mut program = world.program(&[command, "--base-url", &url]);
    program.env("POINT_AUTH_PASSWORD", PASSWORD).env(variable.0, variable.1);
    Ended::of(program.output().unwrap())
}

#[test]
fn the_proxy_of_the_environment_carries_what_it_cannot_read() {
    let (world, proxy) = behind(|builder| builder);
    run(&world, "token", ("https_proxy", &proxy.url())).succeeds();
    assert_eq!(proxy.count(&format!("{HOST}:443")), 1);
    assert!(!proxy.saw(PASSWORD));
}

#[test]
fn the_doctor_goes_the_same_way() {
    let (world, proxy) = behind(|builder| builder.credentials("joe", "cAnArY-proxy"));
    let url = proxy.url_with_userinfo("joe:cAnArY-proxy");
    let ended = run(&world, "doctor", ("POINT_AUTH_PROXY", &url));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains(&proxy.addr().port().to_string()), "{ended:?}");
    let wrong = run(&world, "doctor", ("POINT_AUTH_PROXY", &proxy.url()));
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.stdout.contains("the proxy refuses its user name or password"), "{wrong:?}");
}

#[test]
fn a_password_of_a_proxy_stands_in_no_file_and_on_no_command_line() {
    let world = World::new();
    world.configure("proxy = \"http://joe:cAnArY@127.0.0.1:1\"");
    world.run(&["token"]).fails(2, "a password may not stand here");
    world.configure("");
    let ended = world.run(&["token", "--proxy", "http://joe:cAnArY@127.0.0.1:1"]);
    ended.fails(2, "a password may not stand here");
}
