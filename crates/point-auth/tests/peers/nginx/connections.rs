//! Connections that nginx ends: by their number of requests, when they are idle, and when nginx
//! stops.

use std::time::Duration;

use point_auth::ErrorKind;
use point_auth_testkit::{Fault, Operation};

use super::{Config, in_front};
use crate::clients::Tally;
use crate::program::LONG;

#[test]
fn a_connection_for_one_request_loses_none_of_many_in_a_row_over_http_1() {
    let Some((emulator, nginx)) = in_front(&Config::server("keepalive_requests 1;").http1_only())
    else {
        return;
    };
    for client in nginx.site().clients() {
        Tally::of(&client, &emulator, 10, 1).all_worked();
    }
}

#[test]
fn a_goaway_after_each_answer_sends_none_of_many_in_a_row_twice() {
    // GOAWAY follows the response, and the next request may be sent before it is read.
    let Some((emulator, nginx)) = in_front(&Config::server("keepalive_requests 1;")) else {
        return;
    };
    for client in nginx.site().clients() {
        Tally::of(&client, &emulator, 10, 1).some_worked();
    }
}

#[test]
fn a_connection_that_ends_under_many_at_once_sends_none_of_them_twice() {
    for config in [
        Config::server("keepalive_requests 3;"),
        Config::server("keepalive_requests 3;").http1_only(),
    ] {
        let Some((emulator, nginx)) = in_front(&config) else { return };
        for client in nginx.site().clients() {
            Tally::of(&client, &emulator, 60, 12).some_worked();
        }
    }
}

#[test]
fn an_idle_connection_that_nginx_has_closed_costs_at_most_an_error() {
    for config in [
        Config::server("keepalive_timeout 100ms;"),
        Config::server("keepalive_timeout 100ms;").http1_only(),
    ] {
        let Some((emulator, nginx)) = in_front(&config) else { return };
        for client in nginx.site().clients() {
            for round in 1..=3 {
                let before = emulator.count(Operation::SignIn);
                let outcome = client.sign_in().map(drop);
                let arrived = emulator.count(Operation::SignIn) - before;
                match outcome {
                    Ok(()) => assert_eq!(arrived, 1, "{}, {round}", client.name),
                    Err(error) => {
                        // With hyper a task reads the end, possibly late on a busy machine; ureq
                        // checks by itself.
                        assert!(!client.is_blocking(), "{}, {round}: {error:?}", client.name);
                        assert_eq!(
                            (error.kind(), arrived),
                            (ErrorKind::Protocol, 0),
                            "{}",
                            client.name
                        );
                        assert!(error.is_retryable(), "{}, {round}: {error:?}", client.name);
                    }
                }
                nginx.close_idle_connections();
            }
        }
    }
}

#[test]
fn a_connection_that_nginx_closes_as_the_request_comes_sends_it_once() {
    for config in [
        Config::server("keepalive_timeout 1ms;"),
        Config::server("keepalive_timeout 1ms;").http1_only(),
    ] {
        let Some((emulator, nginx)) = in_front(&config) else { return };
        for client in nginx.site().clients() {
            Tally::of(&client, &emulator, 100, 1).some_worked();
        }
    }
}

#[test]
fn nginx_that_is_stopped_answers_open_requests_and_then_ends() {
    for config in [Config::default(), Config::default().http1_only()] {
        for number in 0..crate::clients::BACKENDS.len() * 3 {
            let Some((emulator, mut nginx)) = in_front(&config) else { return };
            let client = nginx.site().clients().remove(number);
            client.must_work();
            emulator.push_fault(Fault::pass().delay(Duration::from_millis(300)));
            std::thread::scope(|scope| {
                let signing_in = scope.spawn(|| client.sign_in());
                assert!(emulator.wait_for_requests(3, LONG));
                nginx.running.signal("QUIT");
                let outcome = signing_in.join().unwrap();
                assert!(outcome.is_ok(), "{}: {outcome:?}", client.name);
            });
            nginx.running.wait_until_ended();
            let error = client.must_fail(ErrorKind::Connect);
            assert!(!error.may_have_been_sent() && error.is_retryable(), "{}", client.name);
            assert_eq!(emulator.count(Operation::SignIn), 2, "{}", client.name);
        }
    }
}
