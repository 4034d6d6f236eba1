//! Which request meets which fault.

use point_auth_testkit::{Fault, Operation};

use crate::client::{Client, emulator};

#[test]
fn faults_apply_in_order_and_once() {
    let emulator = emulator();
    emulator.push_fault(Fault::respond(500));
    emulator.push_fault(Fault::respond(501).times(2));
    emulator.push_fault(Fault::pass());
    emulator.push_fault(Fault::respond(502));
    assert_eq!(emulator.pending_faults(), 5);
    let mut client = Client::of(&emulator);
    let statuses: Vec<_> = (0..6).map(|_| client.sign_in().status).collect();
    assert_eq!(statuses, [500, 501, 501, 200, 502, 200]);
    assert_eq!(emulator.pending_faults(), 0);
}

#[test]
fn a_fault_for_an_operation_waits_for_it_and_comes_before_the_common_ones() {
    let emulator = emulator();
    emulator.push_fault(Fault::respond(500));
    emulator.push_fault_for(Operation::Refresh, Fault::respond(501));
    let mut client = Client::of(&emulator);
    assert_eq!(client.refresh("token").status, 501);
    assert_eq!(client.sign_in().status, 500);
    assert_eq!(client.sign_in().status, 200);
}

#[test]
fn what_always_applies_comes_last_and_stays() {
    let emulator = emulator();
    emulator.always(Fault::respond(503));
    emulator.always_for(Operation::WhoAmI, Fault::respond(504));
    emulator.push_fault(Fault::respond(500));
    let mut client = Client::of(&emulator);
    let statuses: Vec<_> = (0..3).map(|_| client.sign_in().status).collect();
    assert_eq!(statuses, [500, 503, 503]);
    assert_eq!(client.who_am_i("token").status, 504);
}

#[test]
fn a_cleared_script_leaves_the_api_itself() {
    let emulator = emulator();
    emulator.always(Fault::respond(503));
    emulator.push_fault_for(Operation::SignIn, Fault::respond(500));
    emulator.clear_faults();
    assert_eq!(Client::of(&emulator).sign_in().status, 200);
}

#[test]
fn a_fault_for_reused_connections_waits_for_one() {
    let emulator = emulator();
    emulator.push_fault(Fault::respond(500).only_on_reused_connection());
    assert_eq!(Client::of(&emulator).sign_in().status, 200);
    let mut client = Client::of(&emulator);
    assert_eq!(client.sign_in().status, 200);
    assert_eq!(client.sign_in().status, 500);
    assert_eq!(client.sign_in().status, 200);
}
