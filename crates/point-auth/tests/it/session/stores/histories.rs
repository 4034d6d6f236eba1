//! Random histories of several processes over one store, in virtual time: processes end, clocks are
//! set, answers come late or never, the store fails, flaps and forgets. After each step the
//! promises about passwords and tokens are checked.

mod api;
mod shaky;
mod world;

use std::time::Duration;

use point_auth::session::Policy;
use point_auth::{AccessToken, Client, Error, Session};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;

use crate::support::credentials;
use api::{Api, Kind};
use shaky::{Shaky, Store};
use world::{Process, World};

const PROCESSES: usize = 4;

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    /// A caller in this process wants a token.
    Ask(usize),
    /// So much time passes.
    Pass(Duration),
    /// This process ends, as by `kill -9`, and another one starts in its place.
    Kill(usize),
    /// The wall clock of this process is set, by so many seconds.
    SetClock(usize, i64),
    /// The API takes so long from now on, and answers like that.
    Api(Duration, Kind),
    /// The store is like that from now on.
    Store(Store),
    /// The store loses all its values.
    Flush,
    /// An administrator changes the password at the API, or changes it back.
    ChangePassword,
    /// This process reports that its token was rejected.
    Invalidate(usize),
    /// An operator resets the session of this process.
    Reset(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let process = 0..PROCESSES;
    let pass = prop_oneof![
        4 => (1_u64..5_000).prop_map(Duration::from_millis),
        2 => (5_u64..60).prop_map(Duration::from_secs),
        2 => (60_u64..4_000).prop_map(Duration::from_secs),
        1 => (4_000_u64..100_000).prop_map(Duration::from_secs),
    ];
    let takes = prop_oneof![
        4 => 1_u64..500,
        1 => 500_u64..15_000,
        1 => 15_000_u64..60_000,
    ];
    let kind = prop_oneof![
        4 => Just(Kind::Answers),
        1 => Just(Kind::IsBusy),
        1 => Just(Kind::IsLost),
        1 => Just(Kind::IsNotReached),
    ];
    let store = prop_oneof![
        4 => Just(Store::Works),
        1 => Just(Store::Fails),
        1 => Just(Store::IsSlow),
        1 => Just(Store::LosesReplies),
        1 => Just(Store::Flaps),
    ];
    prop_oneof![
        8 => process.clone().prop_map(Step::Ask),
        8 => pass.prop_map(Step::Pass),
        2 => process.clone().prop_map(Step::Kill),
        1 => (process.clone(), -7_200_i64..7_200).prop_map(|(one, by)| Step::SetClock(one, by)),
        2 => (takes.prop_map(Duration::from_millis), kind).prop_map(|(takes, kind)| Step::Api(takes, kind)),
        2 => store.prop_map(Step::Store),
        1 => Just(Step::Flush),
        1 => Just(Step::ChangePassword),
        1 => process.clone().prop_map(Step::Invalidate),
        1 => process.prop_map(Step::Reset),
    ]
}

/// Some processes with one login, and their callers.
struct Fleet {
    world: World,
    api: Api,
    store: Shaky,
    processes: Vec<(Process, Session)>,
    started: usize,
}

impl Fleet {
    fn new(password_is_right: bool) -> Self {
        let world = World::new();
        let (api, store) = (Api::new(&world, password_is_right), Shaky::new(&world));
        let mut fleet = Self { world, api, store, processes: Vec::new(), started: 0 };
        for _ in 0..PROCESSES {
            let process = fleet.start();
            fleet.processes.push(process);
        }
        fleet
    }

    fn start(&mut self) -> (Process, Session) {
        let process = self.world.process();
        let link = self.api.of_process(self.started);
        self.started += 1;
        let session = Session::builder(Client::new(link.clone()))
            .with_credentials(credentials())
            .with_runtime(process.clone())
            .with_store(self.store.clone())
            .with_observer(link)
            .build();
        (process, session)
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Ask(one) => self.ask(*one),
            Step::Pass(span) => self.world.pass(*span),
            Step::Kill(one) => {
                self.api.process_ended(self.started_as(*one));
                let (process, _session) = &self.processes[*one];
                process.kill();
                let process = self.start();
                self.api.moved(*one, self.started - 1);
                self.processes[*one] = process;
            }
            Step::SetClock(one, by) => self.processes[*one].0.set_clock(*by),
            Step::Api(takes, kind) => self.api.is_now(*takes, *kind),
            Step::Store(how) => self.store.is_now(*how),
            Step::Flush => {
                self.store.flush();
                self.api.store_forgot();
            }
            Step::ChangePassword => self.api.change_password(),
            Step::Invalidate(one) => {
                let session = &self.processes[*one].1;
                if let Some(token) = session.current_token() {
                    session.invalidate(&token);
                }
            }
            Step::Reset(one) => {
                self.api.reset_begins(&self.store);
                self.processes[*one].1.reset();
                // The store is told at once, if it can be.
                self.world.pass(Duration::from_secs(3));
                self.api.reset_ended(&self.store);
            }
        }
        self.world.settle();
        self.check();
    }

    fn started_as(&self, one: usize) -> usize {
        self.api.number(one)
    }

    /// A caller, who has to be served or told within the acquire timeout.
    fn ask(&self, one: usize) {
        let (process, session) = self.processes[one].clone();
        let (world, api) = (self.world.clone(), self.api.clone());
        let limit = Policy::default().acquire_timeout() + Duration::from_millis(1);
        process.run(async move {
            let asked = world.now();
            let got: Result<AccessToken, Error> = session.access_token().await;
            let waited = world.now() - asked;
            assert!(waited <= limit, "a caller waited for {waited:?}");
            if let Ok(token) = got {
                api.uses(token.expose());
            }
        });
    }

    /// What holds at any time.
    fn check(&self) {
        let commands = self.store.commands();
        for (_, session) in &self.processes {
            if let Some(token) = session.current_token() {
                self.api.uses(token.expose());
            }
        }
        assert_eq!(self.store.commands(), commands, "reading asks the store");
        self.api.check(&self.store);
    }
}

proptest! {
    #![proptest_config(Config { cases: 150, failure_persistence: None, ..Config::default() })]

    #[test]
    fn no_history_sends_a_denied_password_or_uses_a_token_after_its_end(
        password_is_right in any::<bool>(),
        steps in vec(step(), 1..80),
    ) {
        let mut fleet = Fleet::new(password_is_right);
        for step in &steps {
            fleet.take(step);
        }
    }
}

/// Nearly three hours of a store that works for seven seconds and fails for seven.
#[test]
fn a_store_that_flaps_for_hours_leads_to_few_refreshes_and_to_no_burst() {
    const MANY: usize = 60;
    let mut fleet = Fleet::new(true);
    while fleet.processes.len() < MANY {
        let process = fleet.start();
        fleet.processes.push(process);
    }
    for one in 0..MANY {
        fleet.ask(one);
    }
    fleet.world.pass(Duration::from_secs(10));
    assert_eq!(fleet.api.sign_ins(), 1);
    let (mut refreshes, mut busiest) = (0, 0);
    for round in 0..1_400 {
        fleet.store.is_now(if round % 2 == 0 { Store::Fails } else { Store::Works });
        for one in 0..MANY {
            fleet.ask(one);
        }
        fleet.world.pass(Duration::from_secs(7));
        fleet.check();
        busiest = busiest.max(fleet.api.refreshes() - refreshes);
        refreshes = fleet.api.refreshes();
    }
    // A token is replaced before its end, so that there are a little more lives than hours.
    let lives = 1_400 * 7 / 3_300 + 1;
    println!("{refreshes} refreshes of {MANY} processes, at most {busiest} in seven seconds");
    // Without a store it would be one of each process in each life.
    assert!(refreshes <= MANY * lives / 2, "{refreshes} refreshes");
    assert!(busiest <= MANY / 4, "{busiest} refreshes in seven seconds");
    assert_eq!(fleet.api.sign_ins(), 1);
}
