//! `doctor`: each step, the first that fails, and no password on the way.

use point_auth_testkit::{ClosedPort, Emulator, Fault, Operation};

use crate::support::{Ended, PASSWORD, USER, World};

/// The state of each step by name.
fn steps(ended: &Ended) -> Vec<(String, String)> {
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let steps = json["steps"].as_array().unwrap();
    steps.iter().map(|step| (text(&step["name"]), text(&step["state"]))).collect()
}

fn last(ended: &Ended) -> (String, String) {
    steps(ended).pop().unwrap()
}

#[test]
fn all_is_well_and_no_password_was_sent() {
    let world = World::new();
    let file = world.home.write("secret", PASSWORD, 0o600);
    world.configure(&format!("password.file = \"{}\"", file.display()));
    let ended = world.run(&["doctor", "--json"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let names: Vec<String> = steps(&ended).into_iter().map(|(name, _)| name).collect();
    let expected =
        ["configuration", "password", "store", "proxy", "DNS", "TCP", "TLS", "API", "clock"];
    assert_eq!(names, expected);
    assert!(steps(&ended).iter().all(|(_, state)| state == "ok"), "{ended:?}");
    let requests = world.emulator.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(&requests[0].body()[..], b"{}");
}

#[test]
fn a_sign_in_is_sent_where_it_is_asked_for() {
    let world = World::new();
    let ended = world.run_with(&["doctor", "--sign-in", "--password-stdin"], PASSWORD);
    assert!(ended.succeeds().contains("sign-in       the access token is good for"), "{ended:?}");
    assert_eq!(world.emulator.count_for(USER, Operation::SignIn), 1);
    let ended = world.run_with(&["doctor", "--sign-in", "--password-stdin"], "wrong");
    assert_eq!(ended.code, Some(4), "{ended:?}");
}

#[test]
fn a_certificate_that_is_not_trusted_is_shown_with_its_names() {
    let world = World::new();
    let other = Emulator::builder().with_tls().start().unwrap();
    world.home.write("ca.pem", other.ca_pem(), 0o644);
    let ended = world.run(&["doctor"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let tls = ended.stdout.lines().find(|line| line.contains(" TLS ")).unwrap();
    assert!(tls.starts_with("failed") && tls.contains("127.0.0.1"), "{ended:?}");
    assert!(ended.stdout.contains("fix: if the authority is to be trusted"), "{ended:?}");
    assert_eq!(world.emulator.requests().len(), 0);
}

#[test]
fn a_port_where_nothing_listens_is_found() {
    let world = World::new();
    let closed = ClosedPort::reserve().unwrap();
    let url = format!("https://{}", closed.addr());
    let ended = world.run(&["doctor", "--json", "--base-url", &url]);
    assert_eq!((ended.code, last(&ended)), (Some(5), ("TCP".into(), "failed".into())));
}

#[test]
fn a_name_that_is_unknown_is_found() {
    let world = World::new();
    // This name exists nowhere, by RFC 6761.
    let url = "https://point-auth.invalid";
    let ended = world.run(&["doctor", "--json", "--proxy", "none", "--base-url", url]);
    assert_eq!((ended.code, last(&ended)), (Some(5), ("DNS".into(), "failed".into())));
}

#[test]
fn a_gateway_that_answers_in_the_place_of_the_api_is_found() {
    let world = World::new();
    world.emulator.push_fault(Fault::html(200));
    let ended = world.run(&["doctor", "--json"]);
    assert_eq!((ended.code, last(&ended)), (Some(1), ("API".into(), "failed".into())));
    world.emulator.push_fault(Fault::html(502));
    let ended = world.run(&["doctor", "--json"]);
    assert_eq!((ended.code, last(&ended)), (Some(5), ("API".into(), "failed".into())));
}

#[test]
fn a_clock_that_is_off_is_found() {
    let world = World::new();
    world.emulator.push_fault(
        Fault::respond(400)
            .header("date", "Tue, 15 Nov 1994 08:12:31 GMT")
            .json(r#"{"error":"x"}"#),
    );
    let ended = world.run(&["doctor", "--json"]);
    assert_eq!((ended.code, last(&ended)), (Some(0), ("clock".into(), "warning".into())));
}

#[test]
fn a_configuration_that_is_wrong_is_the_first_step() {
    let world = World::new();
    world.configure("nonsense = 1");
    let ended = world.run(&["doctor"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stdout.contains("unknown key `nonsense`"), "{ended:?}");
}
