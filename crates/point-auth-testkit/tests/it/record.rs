//! What the emulator remembers of its clients.

use point_auth_testkit::{Emulator, Operation};

use crate::client::{Client, PASSWORD, PATIENCE, USER, emulator, sign_in_body};

#[test]
fn a_request_is_kept_as_it_arrived() {
    let emulator = emulator();
    Client::of(&emulator).sign_in();
    let requests = emulator.requests();
    let [request] = requests.as_slice() else { panic!("one request") };
    assert_eq!(request.operation(), Operation::SignIn);
    assert_eq!(request.method(), http::Method::POST);
    assert_eq!(request.path(), Operation::SignIn.path());
    assert_eq!(request.version(), http::Version::HTTP_11);
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.headers().len(), 3);
    assert_eq!(request.body().as_ref(), sign_in_body(USER, PASSWORD));
    assert_eq!((request.username(), request.user_alias()), (Some(USER), None));
    assert_eq!((request.connection(), request.on_reused_connection()), (0, false));
    assert_eq!((request.server_name(), request.client_certificate()), (None, None));
}

#[test]
fn requests_are_counted_by_operation_and_user() {
    let emulator = Emulator::builder().user("ann", "a").user("bob", "b").start().unwrap();
    let mut client = Client::of(&emulator);
    client.post(Operation::SignIn, &sign_in_body("ann", "a"));
    let ann = client.response();
    client.post(Operation::SignIn, &sign_in_body("bob", "b"));
    client.response();
    client.post(Operation::SignIn, &sign_in_body("bob", "wrong"));
    client.response();
    client.refresh(&ann.text("refresh_token"));
    client.who_am_i(&ann.text("access_token"));

    assert_eq!(emulator.count(Operation::SignIn), 3);
    assert_eq!(emulator.count_for("ann", Operation::SignIn), 1);
    assert_eq!(emulator.count_for("bob", Operation::SignIn), 2);
    assert_eq!(emulator.count_for("ann", Operation::Refresh), 1);
    assert_eq!(emulator.count_for("bob", Operation::Refresh), 0);
    assert_eq!(emulator.count_for("ann", Operation::WhoAmI), 1);
    assert_eq!(emulator.count_where(|request| request.on_reused_connection()), 4);
}

#[test]
fn bytes_and_connections_are_counted() {
    let emulator = emulator();
    assert_eq!((emulator.connections(), emulator.bytes_received()), (0, 0));
    let first = Client::of(&emulator);
    assert!(emulator.wait_for_connections(1, PATIENCE));
    assert_eq!((emulator.open_connections(), emulator.bytes_received()), (1, 0));
    let mut second = Client::of(&emulator);
    second.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(second.response().status, 404);
    assert_eq!(emulator.bytes_received(), 27);
    assert_eq!(emulator.requests()[0].connection(), 1);
    drop((first, second));
    assert!(emulator.wait_for_closed_connections(2, PATIENCE));
    assert_eq!((emulator.connections(), emulator.open_connections()), (2, 0));
}

#[test]
fn a_request_whose_body_never_arrived_is_none_but_its_bytes_count() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    client.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf");
    drop(client);
    assert!(emulator.wait_for_closed_connections(1, PATIENCE));
    assert!(emulator.requests().is_empty());
    assert!(emulator.bytes_received() > 0);
}

#[test]
fn a_wait_for_what_does_not_happen_ends() {
    let emulator = emulator();
    assert!(!emulator.wait_for_requests(1, std::time::Duration::from_millis(1)));
}

#[test]
fn nothing_secret_is_in_any_debug() {
    let emulator = emulator();
    let mut client = Client::of(&emulator);
    let tokens = client.sign_in();
    let secrets = [PASSWORD.to_owned(), tokens.text("access_token"), tokens.text("refresh_token")];
    client.refresh(&secrets[2]);
    client.who_am_i(&secrets[1]);
    let shown = format!(
        "{:?} {:#?} {:?}",
        emulator,
        emulator.requests(),
        Emulator::builder().user(USER, PASSWORD).with_tls()
    );
    assert!(shown.contains("SignIn"));
    for secret in secrets {
        assert!(!shown.contains(&secret));
    }
}

#[test]
fn an_address_that_is_not_loopback_is_refused() {
    let error = Emulator::builder().address([0, 0, 0, 0]).start().unwrap_err();
    assert_eq!(error.to_string(), "0.0.0.0 is not a loopback address");
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let emulator = emulator();
    let error = Emulator::builder().port(emulator.addr().port()).start().unwrap_err();
    assert!(error.to_string().starts_with("could not listen on 127.0.0.1:"), "{error}");
}

#[test]
fn an_emulator_can_do_without_a_record() {
    let emulator = Emulator::builder().user(USER, PASSWORD).record_requests(false).start().unwrap();
    assert_eq!(Client::of(&emulator).sign_in().status, 200);
    assert_eq!((emulator.requests().len(), emulator.connections()), (0, 1));
}

#[test]
fn an_emulator_listens_on_ipv6_if_told_so() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return; // This machine has no IPv6.
    }
    let emulator = Emulator::builder().address(std::net::Ipv6Addr::LOCALHOST).start().unwrap();
    assert_eq!(emulator.base_url(), format!("http://[::1]:{}", emulator.addr().port()));
    assert_eq!(Client::of(&emulator).sign_in().status, 403);
}
