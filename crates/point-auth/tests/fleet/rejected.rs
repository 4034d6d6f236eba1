//! A token that the server rejects before its end.

use point_auth_testkit::Operation;

use crate::place::Place;
use crate::process::{Fleet, Got, RIGHT, Setup, emulator};

const PROCESSES: usize = 4;
const SESSIONS: usize = 25;

fn one_401(place: &Place) {
    let emulator = emulator();
    let mut fleet = Fleet::start(&emulator, place, &Setup::of(RIGHT, SESSIONS), PROCESSES);
    let first = fleet.get();
    assert_eq!((first.served, first.tokens.len()), (100, 1), "{first:?}");
    // The rejection of a token that is younger than 30 seconds leads to no refresh.
    fleet.jump(&emulator, 60);
    let revoked = emulator.requests().into_iter().rev().find_map(|request| {
        let value = request.header("authorization")?;
        Some(value.strip_prefix("Bearer ")?.to_owned())
    });
    assert!(emulator.revoke(&revoked.unwrap()));
    // The sessions of one process see it, and then all the others.
    let seen = fleet.one().get();
    assert_eq!(seen, Got { tokens: seen.tokens.clone(), served_anew: 25, ..Got::default() });
    assert_eq!(seen.tokens.len(), 1);
    assert_eq!(emulator.count(Operation::Refresh), 1);
    let all = fleet.get();
    let tokens = seen.tokens;
    assert_eq!(all, Got { tokens, served: 25, served_anew: 75, ..Got::default() });
    assert_eq!((emulator.count(Operation::SignIn), emulator.count(Operation::Refresh)), (1, 1));
}

#[test]
fn a_401_leads_to_one_refresh_of_the_fleet_over_files() {
    one_401(&Place::files());
}

#[test]
fn a_401_leads_to_one_refresh_of_the_fleet_over_redis() {
    let Some(redis) = Place::redis() else { return };
    one_401(&redis);
}
