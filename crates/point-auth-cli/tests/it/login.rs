//! `login`, `logout` and `status`: what a person does at first and at last.

use point_auth_testkit::{ClosedPort, Operation};

use crate::support::{PASSWORD, World};

fn status(world: &World) -> (Option<i32>, serde_json::Value) {
    let ended = world.run(&["status", "--json"]);
    (ended.code, serde_json::from_str(&ended.stdout).unwrap())
}

#[test]
fn a_login_checks_the_password_even_if_there_is_a_good_token() {
    let world = World::new();
    world.sign_in();
    let token = world.run(&["token"]).succeeds().to_owned();
    world.run_with(&["login", "--password-stdin"], "wrong").fails(4, "denied");
    // The tokens of the right one stay.
    assert_eq!(world.run(&["token"]).succeeds(), token);
    let ended = world.run_with(&["login", "--password-stdin"], PASSWORD);
    ended.succeeds();
    assert!(ended.stderr.contains("signed in as user@example.com"), "{ended:?}");
    assert!(ended.stderr.contains("the password is not"), "{ended:?}");
    assert_ne!(world.run(&["token"]).succeeds(), token);
    assert_eq!(world.emulator.count(Operation::SignIn), 3);
}

#[test]
fn a_login_with_a_denied_password_sends_it_once() {
    let world = World::new();
    for _ in 0..3 {
        world.run_with(&["login", "--password-stdin"], "wrong").fails(4, "denied");
    }
    assert_eq!(world.emulator.count(Operation::SignIn), 1);
}

#[test]
fn a_login_that_reaches_no_server_is_temporary() {
    let world = World::new();
    let closed = ClosedPort::reserve().unwrap();
    let url = format!("https://{}", closed.addr());
    let arguments = ["login", "--password-stdin", "--base-url", &url];
    world.run_with(&arguments, PASSWORD).fails(5, "refused");
}

#[test]
fn a_logout_forgets_the_tokens() {
    let world = World::new();
    world.run(&["logout"]).succeeds();
    world.sign_in();
    world.run(&["logout"]).succeeds();
    world.run(&["token"]).fails(4, "no password");
    assert_eq!(world.emulator.count(Operation::SignIn), 1);
}

#[test]
fn a_status_sends_nothing_and_makes_nothing() {
    let world = World::new();
    let (code, json) = status(&world);
    assert_eq!((code, &json["way_to_a_token"]), (Some(4), &false.into()), "{json}");
    assert!(!world.home.path().join("state").exists());
    world.sign_in();
    let (code, json) = status(&world);
    assert_eq!((code, &json["way_to_a_token"]), (Some(0), &true.into()), "{json}");
    assert!(json["access_token"]["expires_on"].is_u64() && json["refresh_token"] == true);
    let text = world.run(&["status"]);
    assert!(text.succeeds().contains("access token   good for 5"), "{text:?}");
    assert!(!text.stdout.contains('\x1b'), "{text:?}");
    assert_eq!(world.emulator.requests().len(), 1);
}

#[test]
fn a_status_says_that_the_password_in_the_file_was_denied() {
    let world = World::new();
    let file = world.home.write("secret", "wrong", 0o600);
    world.configure(&format!("password.file = \"{}\"", file.display()));
    assert_eq!(status(&world).0, Some(0));
    world.run(&["token"]).fails(4, "denied");
    let (code, json) = status(&world);
    assert_eq!((code, &json["sign_in"]), (Some(4), &"denied".into()), "{json}");
    assert_eq!(json["last_denial"]["code"], "access_denied");
    // Another password has another fate.
    world.home.write("secret", PASSWORD, 0o600);
    assert_eq!(status(&world).0, Some(0));
}
