//! What a fleet does over one store, step by step in virtual time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use point_auth_core::http::StatusCode;
use point_auth_core::session::{Policy, SignInResult, StoredTokens};
use point_auth_core::{BaseUrl, Credentials, Denial};
use point_auth_store::{
    AnyStore, Consultation, Fence, Grant, Intent, Known, MemoryStore, Owner, Refusal, SealError,
    Settled, Settlement, SharedTokens, StoreKey, Verdict,
};
use pollster::block_on;

/// A store whose clock the test moves.
#[derive(Clone)]
pub(crate) struct Fleet {
    pub(crate) store: MemoryStore,
    seconds: Arc<AtomicU64>,
}

impl Fleet {
    pub(crate) fn new() -> Self {
        let seconds = Arc::new(AtomicU64::new(1_000_000));
        let clock = Arc::clone(&seconds);
        let store = MemoryStore::new()
            .unwrap()
            .with_clock(move || Duration::from_secs(clock.load(Ordering::Relaxed)));
        Self { store, seconds }
    }

    pub(crate) fn passes(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    /// The store is another machine from now on, whose clock is behind.
    pub(crate) fn fails_over(&self, seconds_behind: u64) {
        self.seconds.fetch_sub(seconds_behind, Ordering::Relaxed);
    }

    pub(crate) fn worker(&self) -> Worker {
        Worker::of(self.store.clone())
    }
}

/// One process.
pub(crate) struct Worker {
    pub(crate) shared: SharedTokens,
    pub(crate) known: Known,
    /// Its wall clock, which is its own.
    pub(crate) wall: SystemTime,
}

pub(crate) fn jane() -> Owner<'static> {
    Owner { username: "jane@example.com", user_alias: None }
}

fn alias(user_alias: &str) -> Owner<'_> {
    Owner { username: "jane@example.com", user_alias: Some(user_alias) }
}

pub(crate) fn password(password: &str) -> Credentials {
    Credentials::new("jane@example.com", password).unwrap()
}

pub(crate) fn denial() -> Denial {
    Denial::from_kept(StatusCode::FORBIDDEN, "access_denied".to_owned(), None)
}

/// Tokens that a process got at `wall`, as its session stores them.
pub(crate) fn tokens(access_token: &str, wall: SystemTime) -> StoredTokens {
    let seconds = wall.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let json = format!(
        r#"{{"base":"https://api.pointservices.com","username":"jane@example.com","user_alias":null,
            "access_token":"{access_token}","asked_at":{seconds},"expires_in":3600,
            "refresh_token":"a-refresh-token","refresh_token_came_at":{seconds}}}"#
    );
    StoredTokens::from_json(json.as_bytes()).unwrap()
}

fn asked_at(tokens: &StoredTokens) -> u64 {
    let json = tokens.expose_json();
    let json: serde_json::Value = serde_json::from_slice(json.as_ref()).unwrap();
    json["asked_at"].as_u64().unwrap()
}

impl Worker {
    pub(crate) fn of(store: MemoryStore) -> Self {
        let store = AnyStore::blocking(store);
        let shared = SharedTokens::new(store, &BaseUrl::production(), Policy::default());
        let wall = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        Self { shared, known: Known::default(), wall }
    }

    pub(crate) fn consult(&self, owner: Owner<'_>, intent: Intent<'_>) -> Consultation {
        block_on(self.shared.consult(owner, intent, self.known, self.wall)).unwrap()
    }

    pub(crate) fn refresh(&self) -> Verdict {
        self.consult(jane(), Intent::Refresh).verdict
    }

    pub(crate) fn sign_in(&self, credentials: &Credentials) -> Verdict {
        self.consult(jane(), Intent::SignIn(credentials)).verdict
    }

    pub(crate) fn sign_in_as(&self, user_alias: &str, credentials: &Credentials) -> Verdict {
        let credentials = credentials.clone().with_user_alias(user_alias).unwrap();
        self.consult(alias(user_alias), Intent::SignIn(&credentials)).verdict
    }

    pub(crate) fn settle(
        &self,
        grant: Grant,
        sign_in: SignInResult<'_>,
        tokens: Option<&StoredTokens>,
    ) -> Settled {
        let settlement = Settlement { tokens, sign_in, wall: self.wall };
        block_on(self.shared.settle(grant, settlement)).unwrap()
    }

    pub(crate) fn renewed(&mut self, grant: Grant, access_token: &str) -> Settled {
        let tokens = tokens(access_token, self.wall);
        let settled = self.settle(grant, SignInResult::Accepted, Some(&tokens));
        if let Settled::InTime(version) = settled {
            self.known.version = Some(version);
        }
        settled
    }
}

pub(crate) fn granted(verdict: Verdict) -> Grant {
    match verdict {
        Verdict::Granted(grant) => grant,
        other => panic!("not granted: {other:?}"),
    }
}

#[track_caller]
fn newer(verdict: Verdict) -> (StoredTokens, Fence) {
    match verdict {
        Verdict::Newer(newer) => (newer.tokens, newer.version),
        other => panic!("nothing newer: {other:?}"),
    }
}

#[test]
fn one_worker_exchanges_and_the_others_take_up_its_tokens() {
    let fleet = Fleet::new();
    let (mut one, mut other) = (fleet.worker(), fleet.worker());
    let grant = granted(one.sign_in(&password("right")));
    assert!(
        matches!(other.sign_in(&password("right")), Verdict::InUse(left) if left.as_secs() == 42)
    );
    one.renewed(grant, "first");
    let (found, version) = newer(other.sign_in(&password("right")));
    assert_eq!(asked_at(&found), 1_800_000_000);
    other.known.version = Some(version);
    let grant = granted(other.refresh());
    other.renewed(grant, "second");
    let _ = newer(one.refresh());
}

#[test]
fn ages_are_those_of_the_store_whatever_the_clocks_of_workers_show() {
    let fleet = Fleet::new();
    let (mut one, mut other) = (fleet.worker(), fleet.worker());
    one.wall += Duration::from_secs(3600);
    other.wall -= Duration::from_secs(3600);
    let grant = granted(one.sign_in(&password("right")));
    one.renewed(grant, "first");
    fleet.passes(600);
    let (found, _) = newer(other.refresh());
    let now = other.wall.duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(now - asked_at(&found), 600);
}

#[test]
fn a_wrong_password_is_sent_once_by_the_fleet() {
    let fleet = Fleet::new();
    let (one, other) = (fleet.worker(), fleet.worker());
    let wrong = password("wrong");
    let grant = granted(one.sign_in(&wrong));
    one.settle(grant, SignInResult::Denied(&denial()), None);
    assert!(
        matches!(other.sign_in(&wrong), Verdict::Rejected(Refusal::Denied(found)) if found == denial())
    );
    fleet.passes(100 * 24 * 3600);
    assert!(matches!(other.sign_in(&wrong), Verdict::Rejected(Refusal::Denied(_))));
    // Another password is another matter.
    let grant = granted(other.sign_in(&password("right")));
    other.settle(grant, SignInResult::Inconclusive, None);
}

#[test]
fn three_denied_aliases_hold_the_others_of_an_unproven_password() {
    let fleet = Fleet::new();
    let wrong = password("wrong");
    for number in 0..3 {
        let worker = fleet.worker();
        let grant = granted(worker.sign_in_as(&format!("alias-{number}"), &wrong));
        worker.settle(grant, SignInResult::Denied(&denial()), None);
    }
    let held = fleet.worker().sign_in_as("alias-3", &wrong);
    assert!(matches!(held, Verdict::Rejected(Refusal::Held(Some(left))) if left.as_secs() == 3600));
    fleet.passes(3600);
    let _ = granted(fleet.worker().sign_in_as("alias-3", &wrong));
}

#[test]
fn an_unproven_password_is_sent_by_one_alias_at_a_time() {
    let fleet = Fleet::new();
    let (one, other) = (fleet.worker(), fleet.worker());
    let grant = granted(one.sign_in_as("ann", &password("right")));
    assert!(matches!(other.sign_in_as("bob", &password("right")), Verdict::Busy(_)));
    one.settle(grant, SignInResult::Accepted, None);
    let _ = granted(other.sign_in_as("bob", &password("right")));
}

#[test]
fn a_holder_that_is_gone_is_followed_and_its_password_counts_as_unknown() {
    let fleet = Fleet::new();
    for _ in 0..3 {
        drop(granted(fleet.worker().sign_in(&password("right"))));
        assert!(matches!(fleet.worker().sign_in(&password("right")), Verdict::InUse(_)));
        fleet.passes(45);
    }
    let held = fleet.worker().sign_in(&password("right"));
    assert!(matches!(held, Verdict::Rejected(Refusal::TooManyUnknown(_))), "{held:?}");
    fleet.passes(600);
    let _ = granted(fleet.worker().sign_in(&password("right")));
}

#[test]
fn a_late_answer_changes_no_tokens_but_its_denial_is_believed() {
    let fleet = Fleet::new();
    let (mut one, mut other) = (fleet.worker(), fleet.worker());
    let late = granted(one.sign_in(&password("right")));
    fleet.passes(45);
    let grant = granted(other.sign_in(&password("right")));
    other.renewed(grant, "second");
    assert_eq!(one.renewed(late, "first"), Settled::Late);
    assert_eq!(newer(fleet.worker().refresh()).1, other.known.version.unwrap());

    let fleet = Fleet::new();
    let (one, other) = (fleet.worker(), fleet.worker());
    let late = granted(one.sign_in(&password("wrong")));
    fleet.passes(45);
    let grant = granted(other.sign_in(&password("wrong")));
    one.settle(late, SignInResult::Denied(&denial()), None);
    other.settle(grant, SignInResult::Inconclusive, None);
    let verdict = fleet.worker().sign_in(&password("wrong"));
    assert!(matches!(verdict, Verdict::Rejected(Refusal::Denied(_))), "{verdict:?}");
}

#[test]
fn a_reset_clears_denials_for_all_and_shows_in_the_epoch() {
    let fleet = Fleet::new();
    let (one, other) = (fleet.worker(), fleet.worker());
    let grant = granted(one.sign_in(&password("wrong")));
    one.settle(grant, SignInResult::Denied(&denial()), None);
    let epoch = block_on(other.shared.reset(jane())).unwrap();
    let look = block_on(one.shared.look(jane(), None, one.known, one.wall)).unwrap();
    assert_eq!(look.epoch, Some(epoch));
    let _ = granted(one.sign_in(&password("wrong")));
}

#[test]
fn a_denial_of_one_alias_can_be_reset_alone() {
    let fleet = Fleet::new();
    let worker = fleet.worker();
    let grant = granted(worker.sign_in_as("ann", &password("right")));
    worker.settle(grant, SignInResult::Denied(&denial()), None);
    assert!(matches!(worker.sign_in_as("ann", &password("right")), Verdict::Rejected(_)));
    block_on(worker.shared.reset_alias(alias("ann"))).unwrap();
    let _ = granted(worker.sign_in_as("ann", &password("right")));
}

#[test]
fn what_is_sealed_with_an_unknown_key_is_not_overwritten() {
    let fleet = Fleet::new();
    let mut one = fleet.worker();
    let grant = granted(one.sign_in(&password("right")));
    one.renewed(grant, "first");
    // The names are the same, and the key that seals is not.
    let stranger = Worker::of(fleet.store.with_other_key(&StoreKey::generate().unwrap()));
    let _ = granted(stranger.refresh());
    let text = StoreKey::generate().unwrap();
    let index = text.expose();
    let (index, _) = index.split_once(':').unwrap();
    let other = StoreKey::generate().unwrap().expose();
    let (other, _) = other.split_once(':').unwrap();
    let fleet = Fleet { store: MemoryStore::with_key(&text), ..fleet };
    let mut one = fleet.worker();
    let grant = granted(one.sign_in(&password("right")));
    one.renewed(grant, "first");
    let rotated = StoreKey::parse(&format!("{index}:{other}")).unwrap();
    let stranger = Worker::of(fleet.store.with_other_key(&rotated));
    assert!(matches!(stranger.refresh(), Verdict::Alone(SealError::UnknownKey)));
    let both = StoreKey::parse(&format!("{index}:{other},{index}")).unwrap();
    let _ = newer(Worker::of(fleet.store.with_other_key(&both)).refresh());
    let _ = newer(fleet.worker().refresh());
}

#[test]
fn a_store_that_has_lost_its_values_gets_a_denial_back_from_a_session_that_looks() {
    let fleet = Fleet::new();
    let one = fleet.worker();
    let wrong = password("wrong");
    let grant = granted(one.sign_in(&wrong));
    one.settle(grant, SignInResult::Denied(&denial()), None);
    fleet.store.clear();
    let denied = denial();
    let look = one.shared.look(jane(), Some((&wrong, &denied)), one.known, one.wall);
    assert!(block_on(look).unwrap().newer.is_none());
    let verdict = fleet.worker().sign_in(&wrong);
    assert!(matches!(verdict, Verdict::Rejected(Refusal::Denied(_))), "{verdict:?}");
}

#[test]
fn a_late_denial_from_before_a_reset_does_not_erase_a_newer_one() {
    let fleet = Fleet::new();
    let (one, other) = (fleet.worker(), fleet.worker());
    let wrong = password("wrong");
    let late = granted(one.sign_in(&wrong));
    fleet.passes(45);
    block_on(other.shared.reset(jane())).unwrap();
    let grant = granted(other.sign_in(&wrong));
    other.settle(grant, SignInResult::Denied(&denial()), None);
    one.settle(late, SignInResult::Denied(&denial()), None);
    let verdict = fleet.worker().sign_in(&wrong);
    assert!(matches!(verdict, Verdict::Rejected(Refusal::Denied(_))), "{verdict:?}");
}

#[test]
fn a_look_does_not_write_back_a_denial_that_another_process_has_overcome() {
    let fleet = Fleet::new();
    let (mut one, other) = (fleet.worker(), fleet.worker());
    let right = password("right");
    let grant = granted(one.sign_in(&right));
    one.settle(grant, SignInResult::Denied(&denial()), None);
    block_on(one.shared.reset_alias(jane())).unwrap();
    let look = || {
        let denied = denial();
        let look = other.shared.look(jane(), Some((&right, &denied)), other.known, other.wall);
        block_on(look).unwrap()
    };
    let grant = granted(one.sign_in(&right));
    look();
    one.renewed(grant, "first");
    assert!(look().newer.is_some());
    fleet.passes(3600);
    let _ = granted(one.sign_in(&right));
}

#[test]
fn a_denial_that_is_given_back_counts_after_a_reset_too() {
    let fleet = Fleet::new();
    let mut one = fleet.worker();
    let wrong = password("wrong");
    one.known.epoch = Some(block_on(one.shared.reset(jane())).unwrap());
    let grant = granted(one.sign_in(&wrong));
    one.settle(grant, SignInResult::Denied(&denial()), None);
    fleet.store.clear();
    let denied = denial();
    let look = one.shared.look(jane(), Some((&wrong, &denied)), one.known, one.wall);
    block_on(look).unwrap();
    let verdict = fleet.worker().sign_in(&wrong);
    assert!(matches!(verdict, Verdict::Rejected(Refusal::Denied(_))), "{verdict:?}");
}

#[test]
fn a_question_whose_answer_got_lost_is_answered_alike() {
    let fleet = Fleet::new();
    let mut one = fleet.worker();
    one.known.fence = Some(Fence::random().unwrap());
    for _ in 0..5 {
        // Nothing of an earlier one counts as a sign-in with unknown outcome.
        drop(granted(one.sign_in(&password("right"))));
    }
    assert!(matches!(fleet.worker().sign_in(&password("right")), Verdict::InUse(_)));
    let grant = granted(one.sign_in(&password("right")));
    one.renewed(grant, "first");
    assert!(matches!(fleet.worker().refresh(), Verdict::Newer(_)));
}

#[test]
fn a_delay_while_settling_makes_no_token_younger() {
    let fleet = Fleet::new();
    let one = fleet.worker();
    let grant = granted(one.sign_in(&password("right")));
    let asked = one.wall;
    // The process slept between reading its clock and the answer of the store.
    fleet.passes(30);
    let tokens = tokens("first", asked);
    one.settle(grant, SignInResult::Accepted, Some(&tokens));
    let reader = fleet.worker();
    let (found, _) = newer(reader.refresh());
    let now = reader.wall.duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(now - asked_at(&found), 30);
}

#[test]
fn tokens_belong_to_the_reader_however_it_spells_the_username() {
    let fleet = Fleet::new();
    let mut one = fleet.worker();
    let grant = granted(one.sign_in(&password("right")));
    one.renewed(grant, "first");
    let loud = Owner { username: "JANE@example.com", user_alias: None };
    let (found, _) = newer(fleet.worker().consult(loud, Intent::Refresh).verdict);
    assert_eq!((found.username(), found.user_alias()), (Some("JANE@example.com"), None));
    // Another alias has none.
    let verdict = fleet.worker().consult(alias("ann"), Intent::Refresh).verdict;
    assert!(matches!(verdict, Verdict::Granted(_)), "{verdict:?}");
}
