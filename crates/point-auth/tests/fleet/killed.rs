//! The process that signs in is killed, and another one waits for its tokens.

use std::thread;
use std::time::Duration;

use point_auth_testkit::{Emulator, Fault, Operation};

use crate::place::Place;
use crate::process::{Got, Process, RIGHT, Setup, emulator};

/// How far the process got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Killed {
    BeforeSending,
    AfterSending,
    AfterTheAnswer,
}

const ALL: [Killed; 3] = [Killed::BeforeSending, Killed::AfterSending, Killed::AfterTheAnswer];

/// A time in which a process that does not wait for the permit would have signed in.
const WHILE: Duration = Duration::from_secs(3);

impl Killed {
    /// Lets a process get so far. Returns it with the number of passwords that the server has seen.
    fn holder(self, emulator: &Emulator, place: &Place, setup: Setup) -> (Process, usize) {
        let stops = match self {
            Self::BeforeSending => Some("before"),
            Self::AfterSending => None,
            Self::AfterTheAnswer => Some("after"),
        };
        let mut process = Process::start(emulator, place, &Setup { stops, ..setup }, 0);
        if self == Self::AfterSending {
            emulator.push_fault_for(Operation::SignIn, Fault::silent());
        }
        process.tell("get");
        match self {
            Self::AfterSending => {
                assert!(emulator.wait_for_requests(1, Duration::from_secs(60)), "nothing sent");
            }
            Self::BeforeSending | Self::AfterTheAnswer => assert_eq!(process.says(), "stopped"),
        }
        (process, usize::from(self != Self::BeforeSending))
    }
}

fn sign_ins(emulator: &Emulator) -> usize {
    emulator.count(Operation::SignIn)
}

/// Files notice the end of a process: the others go on long before the permit is over.
#[test]
fn a_process_that_is_killed_while_it_signs_in_is_followed_at_once_over_files() {
    thread::scope(|scope| {
        for killed in ALL {
            scope.spawn(move || {
                let (emulator, place) = (emulator(), Place::files());
                // With the default exchange timeout a permit lasts for 42 seconds.
                let (holder, sent) = killed.holder(&emulator, &place, Setup::of(RIGHT, 1));
                let mut other = Process::start(&emulator, &place, &Setup::of(RIGHT, 10), 1);
                other.tell("get");
                assert!(!emulator.wait_for_requests(sent + 1, WHILE), "{killed:?}: two at once");
                holder.kill();
                let follows = emulator.wait_for_requests(sent + 1, Duration::from_secs(30));
                assert!(follows, "{killed:?}: no other process follows");
                is_served(&mut other, killed);
                assert_eq!(sign_ins(&emulator), sent + 1, "{killed:?}");
            });
        }
    });
}

/// Redis does not notice the end of a process: the permit ends by itself.
#[test]
fn a_process_that_is_killed_while_it_signs_in_is_followed_after_its_permit_over_redis() {
    let Some(redis) = Place::redis() else { return };
    let redis = &redis;
    thread::scope(|scope| {
        // Of different servers, which are different logins in the store.
        for killed in ALL {
            scope.spawn(move || {
                let emulator = emulator();
                // A permit lasts for 13 seconds: one for the exchange, two of grace and ten to
                // start.
                let exchange_timeout = Duration::from_secs(1);
                let setup = || Setup { exchange_timeout, ..Setup::of(RIGHT, 10) };
                let (holder, sent) = killed.holder(&emulator, redis, setup());
                let mut other = Process::start(&emulator, redis, &setup(), 1);
                other.tell("get");
                holder.kill();
                assert!(!emulator.wait_for_requests(sent + 1, WHILE), "{killed:?}: two at once");
                let follows = emulator.wait_for_requests(sent + 1, Duration::from_secs(120));
                assert!(follows, "{killed:?}: no other process follows");
                is_served(&mut other, killed);
                assert_eq!(sign_ins(&emulator), sent + 1, "{killed:?}");
            });
        }
    });
}

/// A caller that has waited for too long, on a busy machine, asks again.
#[track_caller]
fn is_served(other: &mut Process, killed: Killed) {
    let first = other.says();
    let got = other.get();
    assert_eq!((got.served, got.tokens.len()), (10, 1), "{killed:?}: {got:?}, before: {first}");
    assert_eq!(got, Got { tokens: got.tokens.clone(), served: 10, ..Got::default() });
}

/// Whatever the process had sent counts, so that a fleet that is killed again and again stops.
#[test]
fn three_processes_that_are_killed_while_they_sign_in_stop_the_password_over_files() {
    let (emulator, place) = (emulator(), Place::files());
    for round in 1..=3 {
        emulator.push_fault_for(Operation::SignIn, Fault::silent());
        let mut process = Process::start(&emulator, &place, &Setup::of(RIGHT, 1), 0);
        process.tell("get");
        assert!(emulator.wait_for_requests(round, Duration::from_secs(60)), "nothing sent");
        process.kill();
    }
    let mut other = Process::start(&emulator, &place, &Setup::of(RIGHT, 1), 0);
    let got = other.get();
    assert_eq!((got.served, got.errors.len()), (0, 1), "{got:?}");
    assert_eq!(sign_ins(&emulator), 3);
}
