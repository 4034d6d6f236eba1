//! Everything at once, at random, and a long run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use point_auth::{ErrorKind, Session};
use point_auth_testkit::{Emulator, Fault};

use super::support::{ByHand, Executor};
use crate::support::{PASSWORD, USERNAME, credentials};

/// A small random generator, so that a run can be repeated by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// The random actions of one task.
async fn misbehave(session: Session, mut dice: Dice, turns: usize, answered: Arc<AtomicUsize>) {
    for _ in 0..turns {
        match dice.roll(12) {
            0..=5 => match session.access_token().await {
                Ok(_) => {}
                Err(error) => assert_ne!(error.kind(), ErrorKind::Denied),
            },
            6 => {
                // Canceled after this many polls, if it is not done.
                let mut waiting = ByHand::new(session.access_token());
                for _ in 0..dice.roll(6) {
                    if waiting.poll().is_ready() {
                        break;
                    }
                    smol::future::yield_now().await;
                }
            }
            7 | 8 => {
                if let Some(token) = session.current_token() {
                    session.invalidate(&token);
                }
            }
            9 => session.set_credentials(credentials()),
            10 => session.reset(),
            _ => drop(session.access_token_within(Duration::from_millis(dice.roll(500))).await),
        }
        answered.fetch_add(1, Ordering::Relaxed);
        smol::future::yield_now().await;
    }
}

#[test]
fn fifty_random_tasks_are_all_served_and_never_cause_two_exchanges_at_once() {
    const TASKS: usize = 50;
    const TURNS: usize = 60;
    for executor in [Executor::Tokio, Executor::TokioOne, Executor::Smol, Executor::Bare] {
        for seed in [1, 0x5eed, 0xdead_beef] {
            let life = Duration::from_secs(120);
            let emulator = Emulator::builder()
                .user(USERNAME, PASSWORD)
                .access_token_life(life)
                .start()
                .unwrap();
            let world = executor.world_of(emulator);
            let session = world.session_over(executor.transport());
            let (answered, is_over) =
                (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
            let tasks: Vec<_> = (0..TASKS)
                .map(|number| {
                    let dice = Dice(seed + 7919 * (number as u64 + 1));
                    misbehave(session.clone(), dice, TURNS, Arc::clone(&answered))
                })
                .collect();
            let over = Arc::clone(&is_over);
            let running = std::thread::spawn(move || {
                executor.run(tasks);
                over.store(true, Ordering::SeqCst);
            });
            let mut dice = Dice(seed);
            world.pass_until(|| {
                // Not so much that an exchange in flight counts as abandoned.
                match dice.roll(40) {
                    0..4 if world.control.in_flight() == 0 => {
                        world.time.advance(Duration::from_secs(dice.roll(25)));
                    }
                    4 => world.time.suspend(Duration::from_secs(dice.roll(1800))),
                    5 => world.emulator.push_fault(Fault::respond(503)),
                    6 => world.emulator.push_fault(Fault::close_after_request()),
                    _ => {}
                }
                is_over.load(Ordering::SeqCst)
            });
            running.join().unwrap();
            assert_eq!(
                answered.load(Ordering::Relaxed),
                TASKS * TURNS,
                "{executor:?}, seed {seed}"
            );
            assert!(
                world.control.most() <= 1,
                "{executor:?}, seed {seed}: {}",
                world.control.most()
            );
            world.control.wait_for_in_flight(0);
        }
    }
}

#[test]
fn a_thousand_hours_are_a_thousand_exchanges_and_leave_no_waiter() {
    for executor in [Executor::TokioOne, Executor::Smol] {
        let world = executor.world();
        let session = world.session_over(executor.transport());
        let time = world.time.clone();
        let living = session.clone();
        executor.run([async move {
            for _ in 0..1000 {
                living.access_token().await.unwrap();
                time.advance(Duration::from_secs(3600));
            }
        }]);
        let counts = session.snapshot().counts;
        assert_eq!(counts.renewed, 1000);
        assert_eq!((counts.failed, counts.abandoned, counts.denied), (0, 0, 0));
        // A refresh token lives for two days at most.
        assert!((20..=42).contains(&counts.sign_ins), "{}", counts.sign_ins);
        assert_eq!(world.time.sleepers(), 0);
    }
}
