//! A login that several sessions share: what one of them has learned, all of them know.

use point_auth_core::Credentials;
use point_auth_core::session::{Login, NotNow, Policy};

use crate::scenario::{Scenario, Seconds, jane};

fn jane_as(alias: &str) -> Credentials {
    jane().with_user_alias(alias).unwrap()
}

fn rotated() -> Credentials {
    Credentials::new("jane@tenant.com", "rotated").unwrap()
}

/// Sessions of one login, each for an alias of its own, at one time.
struct Together {
    login: Login,
    sessions: Vec<Scenario>,
}

impl Together {
    fn of(number: usize) -> Self {
        let sessions = (0..number).map(|_| Scenario::on_demand()).collect();
        Self { login: Login::new(&Policy::default()), sessions }
    }

    /// One of them wants to sign in with these; whether the login lets it.
    fn asks(&mut self, index: usize, credentials: &Credentials) -> bool {
        let scenario = &mut self.sessions[index];
        scenario.someone().asks_for_credentials();
        match self.login.check(credentials, scenario.now) {
            Ok(()) => {
                scenario.source().gives(credentials.clone());
                true
            }
            Err(not_now) => {
                scenario.source().declines(not_now);
                false
            }
        }
    }

    /// What came of it is told to the login as well.
    fn ends(
        &mut self,
        index: usize,
        credentials: &Credentials,
        end: impl Fn(&mut Scenario),
    ) -> &mut Scenario {
        let scenario = &mut self.sessions[index];
        end(scenario);
        self.login.handle(credentials, scenario.outcome.as_ref().unwrap(), scenario.now);
        scenario
    }

    fn after(&mut self, seconds: u32) {
        for scenario in &mut self.sessions {
            scenario.after(seconds);
        }
    }

    fn sign_ins(&self) -> u64 {
        self.sessions.iter().map(|scenario| scenario.snapshot().counts.sign_ins).sum()
    }
}

#[test]
fn one_wrong_password_is_sent_once_for_all_sessions() {
    let mut together = Together::of(100);
    assert!(together.asks(0, &jane_as("alias-0")));
    together.ends(0, &jane_as("alias-0"), |scenario| {
        scenario.server().denies();
    });
    for index in 1..100 {
        assert!(!together.asks(index, &jane_as(&format!("alias-{index}"))));
        together.sessions[index].latches();
        together.sessions[index].someone().is_denied();
    }
    assert_eq!(together.sign_ins(), 1);
    assert_eq!(together.login.denial().unwrap().code(), "access_denied");
}

#[test]
fn a_rotated_password_opens_the_latches_of_all_sessions() {
    let mut together = Together::of(2);
    assert!(together.asks(0, &jane()));
    together.ends(0, &jane(), |scenario| {
        scenario.server().denies();
    });
    assert!(!together.asks(1, &jane()));
    together.after(1);
    for index in 0..2 {
        assert!(together.asks(index, &rotated()));
        together.ends(index, &rotated(), |scenario| {
            scenario.server().gives("first", 3600).someone().gets("first");
        });
    }
    // Those that were denied are remembered, beside those that work.
    together.after(3600);
    assert!(together.login.denial().is_some() && !together.asks(0, &jane()));
    assert_eq!(together.sign_ins(), 3);
}

#[test]
fn lost_sign_ins_of_all_sessions_add_up_to_ten_minutes_for_each() {
    let mut together = Together::of(4);
    for index in 0..3 {
        assert!(together.asks(index, &jane()));
        together.ends(index, &jane(), |scenario| {
            scenario.server().falls_silent().pauses_for(1);
        });
    }
    assert!(!together.asks(3, &jane_as("ann")));
    together.sessions[3].gives_up().pauses_for(600);
    // By the monotonic clock alone.
    together.sessions[3].sleeps_for(100_000).pauses_for(600).nobody_sends();
    together.after(600);
    assert!(together.asks(3, &jane()));
    // They are not forgotten then.
    together.ends(3, &jane(), |scenario| {
        scenario.server().falls_silent();
    });
    assert!(!together.asks(0, &jane()));
    assert_eq!(together.sign_ins(), 4);
}

#[test]
fn another_password_is_sent_at_once_though_the_one_before_got_lost() {
    let mut together = Together::of(4);
    for index in 0..3 {
        assert!(together.asks(index, &jane()));
        together.ends(index, &jane(), |scenario| {
            scenario.server().falls_silent();
        });
    }
    assert!(together.asks(3, &rotated()));
    // And its own count begins anew.
    together.ends(3, &rotated(), |scenario| {
        scenario.server().falls_silent();
    });
    together.after(1);
    assert!(together.asks(0, &rotated()));
}

#[test]
fn tokens_make_all_of_it_forgotten_and_prove_the_password() {
    let mut together = Together::of(3);
    assert!(!together.login.is_proven(&jane()));
    for index in 0..2 {
        assert!(together.asks(index, &jane()));
        together.ends(index, &jane(), |scenario| {
            scenario.server().falls_silent();
        });
    }
    assert!(together.asks(2, &jane()));
    together.ends(2, &jane(), |scenario| {
        scenario.server().gives("first", 3600);
    });
    assert!(together.login.is_proven(&jane()));
    together.after(1);
    assert!(together.asks(0, &jane()));
    together.ends(0, &jane(), |scenario| {
        scenario.server().falls_silent();
    });
    assert!(together.asks(1, &jane()), "the count began anew");
    together.ends(1, &jane(), |scenario| {
        scenario.server().denies();
    });
    assert!(!together.login.is_proven(&jane()));
}

#[test]
fn what_passes_says_nothing_of_the_login() {
    let mut together = Together::of(1);
    let mut pause = 0.seconds();
    for _ in 0..10 {
        together.sessions[0].after(pause);
        assert!(together.asks(0, &jane()));
        let scenario = together.ends(0, &jane(), |scenario| {
            scenario.server().is_busy("7").gives_up();
        });
        pause = scenario.pause().seconds();
    }
}

#[test]
fn a_reset_forgets_what_was_denied_and_lost() {
    let mut together = Together::of(1);
    assert!(together.asks(0, &jane()));
    together.ends(0, &jane(), |scenario| {
        scenario.server().denies();
    });
    let now = together.sessions[0].now;
    assert!(matches!(together.login.check(&jane(), now), Err(NotNow::Denied(_))));
    together.login.reset();
    assert!(together.login.check(&jane(), now).is_ok());
}

#[test]
fn nothing_secret_is_printed_of_a_login() {
    let mut together = Together::of(1);
    assert!(together.asks(0, &jane()));
    together.ends(0, &jane(), |scenario| {
        scenario.server().denies();
    });
    let said = format!("{:?} {:#?}", together.login, together.login);
    assert!(said.contains("access_denied") && !said.contains("jane"), "{said}");
}

#[test]
fn an_answer_that_was_too_late_for_its_session_counts_as_lost() {
    let mut together = Together::of(4);
    for index in 0..3 {
        assert!(together.asks(index, &jane()));
        together.ends(index, &jane(), |scenario| {
            let id = scenario.exchange().id;
            // Somebody else has noticed that nothing came.
            scenario.after(32).someone().waits_for(1);
            scenario.server_of(id).denies().is_ignored();
        });
    }
    together.sessions[3].after(32);
    assert!(!together.asks(3, &jane()));
}
