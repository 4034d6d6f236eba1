//! A thousand sessions over many lives of their token.

use point_auth_testkit::Operation;

use crate::place::Place;
use crate::process::{Fleet, Got, RIGHT, Setup, emulator};

const PROCESSES: usize = 8;
const LIVES: usize = 20;

/// A token lives for an hour. In every second life the workers are idle when it ends, and all wait
/// for the next one. In the others they ask shortly before, and none waits.
fn lives(place: &Place, sessions: usize, lives: usize) {
    let emulator = emulator();
    let mut fleet = Fleet::start(&emulator, place, &Setup::of(RIGHT, sessions), PROCESSES);
    let all = u64::try_from(PROCESSES * sessions).unwrap();
    let mut tokens = Vec::new();
    for life in 0..lives {
        match life {
            0 => {}
            _ if life % 2 == 1 => fleet.jump(&emulator, 3_700),
            _ => {
                fleet.jump(&emulator, 3_480);
                serves_all(&fleet.get(), all);
                // Those that found a refresh in flight ask again after two seconds.
                fleet.jump(&emulator, 30);
                serves_all(&fleet.get(), all);
            }
        }
        let got = fleet.get();
        serves_all(&got, all);
        assert_eq!(got.tokens.len(), 1, "life {life}: they have different tokens");
        tokens.extend(got.tokens);
        let exchanges = (emulator.count(Operation::SignIn), emulator.count(Operation::Refresh));
        assert_eq!(exchanges, (1, life), "after life {life}");
    }
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), lives, "a token came back");
}

/// All were served with their first token: none had ended.
#[track_caller]
fn serves_all(got: &Got, all: u64) {
    let Got { tokens, served, .. } = got;
    let tokens = tokens.clone();
    assert_eq!(*got, Got { tokens, served: *served, ..Got::default() });
    assert_eq!(*served, all);
}

#[test]
fn a_thousand_sessions_over_files_sign_in_once_and_refresh_once_a_life() {
    lives(&Place::files(), 125, LIVES);
}

#[test]
fn a_thousand_sessions_over_redis_sign_in_once_and_refresh_once_a_life() {
    let Some(redis) = Place::redis() else { return };
    lives(&redis, 125, LIVES);
}

#[test]
fn sessions_over_redis_with_tls_and_a_password_share_their_tokens_too() {
    let Some(redis) = Place::redis_with_tls_and_password() else { return };
    lives(&redis, 10, 3);
}
