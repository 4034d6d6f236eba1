//! [`Login`]: what the sessions of many aliases share: the credentials, and the ledger behind a
//! lock.
//!
//! The [`Ledger`] has the rules. This adds a queue of sessions that wait for a permit, and notifies
//! the sessions of changes to the login.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use point_auth_core::Credentials;
use point_auth_core::session::{
    ExchangeId, Ledger, LedgerSnapshot, Now, Permit, Rejected, SignInResult,
};
use slab::Slab;

use crate::credential_source::{Source, SourceError};

pub(crate) struct Login {
    admission: Mutex<Admission>,
    credentials: Mutex<Shared>,
    members: Mutex<Slab<Weak<dyn Member>>>,
}

/// One of the sessions that share a login.
pub(crate) trait Member: Send + Sync {
    /// Answers its request for a permit. Returns the permit if it is no longer needed.
    fn answered(
        self: Arc<Self>,
        id: ExchangeId,
        answer: Result<Permit, Rejected>,
    ) -> Option<Permit>;

    /// Reports that the login has other credentials, with this username.
    fn credentials_changed(&self, username: &str);

    /// Reports that the ledger may allow a sign-in earlier than before.
    fn ledger_changed(&self);

    /// Reports that the ledger was reset.
    fn login_reset(&self);
}

struct Admission {
    ledger: Ledger,
    /// Sessions that wait for a permit, in order of arrival. Those whose alias has worked go first.
    worked: VecDeque<Waiting>,
    others: VecDeque<Waiting>,
    /// Whether a thread is answering, and whether there may be further answers afterwards.
    is_answering: bool,
    may_have_more: bool,
}

struct Waiting {
    id: ExchangeId,
    user_alias: Arc<str>,
    member: Weak<dyn Member>,
}

/// The shared credentials.
struct Shared {
    source: Option<Arc<dyn Source>>,
    /// The credentials themselves, if the source is not foreign code.
    value: Option<Credentials>,
    /// Changes with the source, and when the ledger is reset.
    generation: u64,
}

type Answer = (Arc<dyn Member>, ExchangeId, Result<Permit, Rejected>);

impl Login {
    pub(crate) fn new(
        ledger: Ledger,
        source: Option<Arc<dyn Source>>,
        value: Option<Credentials>,
    ) -> Arc<Self> {
        let admission = Admission {
            ledger,
            worked: VecDeque::new(),
            others: VecDeque::new(),
            is_answering: false,
            may_have_more: false,
        };
        Arc::new(Self {
            admission: Mutex::new(admission),
            credentials: Mutex::new(Shared { source, value, generation: 0 }),
            members: Mutex::new(Slab::new()),
        })
    }

    /// Returns what the login knows, for a child process.
    #[cfg(feature = "blocking")]
    pub(crate) fn forked(&self, now: Now) -> Arc<Self> {
        let ledger = lock(&self.admission).ledger.forked(now);
        let shared = lock(&self.credentials);
        let (source, value) = (shared.source.clone(), shared.value.clone());
        drop(shared);
        Self::new(ledger, source, value)
    }

    /// Adds a session, which [leaves](Self::leave) with the returned key.
    pub(crate) fn join(&self, member: Weak<dyn Member>) -> usize {
        lock(&self.members).insert(member)
    }

    pub(crate) fn leave(&self, key: usize) {
        let left = lock(&self.members).try_remove(key);
        drop(left);
    }

    /// Asks for a permit for one session's exchange. The answer comes by [`Member::answered`], now
    /// or after other permits are settled.
    pub(crate) fn request(
        &self,
        member: Weak<dyn Member>,
        id: ExchangeId,
        user_alias: &Arc<str>,
        now: Now,
    ) {
        let mut admission = lock(&self.admission);
        let waiting = Waiting { id, user_alias: Arc::clone(user_alias), member };
        if admission.ledger.has_worked(Some(user_alias)) {
            admission.worked.push_back(waiting);
        } else {
            admission.others.push_back(waiting);
        }
        self.answer(admission, now);
    }

    /// Answers sessions that can proceed because a permit has expired. Returns when the next permit
    /// expires, on the monotonic clock.
    pub(crate) fn tick(&self, now: Now) -> Option<Duration> {
        let admission = lock(&self.admission);
        let next = admission.ledger.next_expiry();
        self.answer(admission, now);
        next
    }

    /// Fetches the credentials with this alias.
    pub(crate) async fn fetch(&self, user_alias: &str) -> Result<Credentials, SourceError> {
        let source = lock(&self.credentials).source.clone();
        let source = source.ok_or_else(|| SourceError::new("there are none".into()))?;
        let credentials = source.fetch().await?;
        credentials.with_user_alias(user_alias).map_err(|error| SourceError::new(error.into()))
    }

    /// Asks whether a permit may be used with the credentials that were fetched for it.
    pub(crate) fn present(
        &self,
        permit: &mut Permit,
        credentials: &Credentials,
        now: Now,
    ) -> Result<(), Rejected> {
        lock(&self.admission).ledger.present(permit, credentials, now)
    }

    /// Records that the exchange of a permit starts. Returns whether the permit is still valid.
    pub(crate) fn start(&self, permit: &Permit, deadline: Duration, now: Now) -> bool {
        lock(&self.admission).ledger.start(permit, deadline, now)
    }

    /// Settles a permit and answers the waiting sessions.
    pub(crate) fn settle(&self, permit: Permit, result: SignInResult<'_>, now: Now) {
        let mut admission = lock(&self.admission);
        let hold_ended = admission.ledger.settle(permit, result, now);
        self.answer(admission, now);
        if hold_ended {
            self.for_each(|member| member.ledger_changed());
        }
    }

    /// Replaces the credentials for all. Equal credentials change nothing.
    pub(crate) fn set_credentials(&self, credentials: Credentials) {
        let username = credentials.username().to_owned();
        let source: Arc<dyn Source> = Arc::new(credentials.clone());
        let mut shared = lock(&self.credentials);
        // Another spelling of the username is another owner of tokens.
        let is_same = |old: &Credentials| {
            old.username() == username && Ledger::is_same_password(old, &credentials)
        };
        if shared.value.as_ref().is_some_and(is_same) {
            return;
        }
        let old = shared.source.replace(source);
        shared.value = Some(credentials);
        shared.generation = shared.generation.wrapping_add(1);
        drop(shared);
        // Its `Drop` may be foreign code.
        drop(old);
        self.for_each(|member| member.credentials_changed(&username));
    }

    /// Forgets denials, holds and unknown outcomes, in the ledger and in each session.
    pub(crate) fn reset(&self) {
        lock(&self.admission).ledger.reset();
        let mut shared = lock(&self.credentials);
        shared.generation = shared.generation.wrapping_add(1);
        drop(shared);
        self.for_each(|member| member.login_reset());
    }

    /// Forgets the denial of one alias.
    pub(crate) fn reset_alias(&self, user_alias: &str) {
        lock(&self.admission).ledger.reset_alias(Some(user_alias));
    }

    pub(crate) fn snapshot(&self, now: Now) -> LedgerSnapshot {
        lock(&self.admission).ledger.snapshot(now)
    }

    pub(crate) fn generation(&self) -> u64 {
        lock(&self.credentials).generation
    }

    pub(crate) fn has_source(&self) -> bool {
        lock(&self.credentials).source.is_some()
    }

    /// Returns the username, if it is known before the first sign-in.
    pub(crate) fn username(&self) -> Option<String> {
        lock(&self.credentials).value.as_ref().map(|value| value.username().to_owned())
    }

    /// Gives the answers that are ready, without the lock. Only one thread does so at a time, in a
    /// loop: an answer may lead to the next, for example when a runtime has shut down.
    fn answer(&self, mut admission: MutexGuard<'_, Admission>, now: Now) {
        admission.may_have_more = true;
        if admission.is_answering {
            return;
        }
        admission.is_answering = true;
        drop(admission);
        let mut unused: Vec<Permit> = Vec::new();
        loop {
            let shared = lock(&self.credentials);
            let (value, generation) = (shared.value.clone(), shared.generation);
            drop(shared);
            let mut admission = lock(&self.admission);
            for permit in unused.drain(..) {
                admission.ledger.settle(permit, SignInResult::Inconclusive, now);
                admission.may_have_more = true;
            }
            if !std::mem::take(&mut admission.may_have_more) {
                admission.is_answering = false;
                return;
            }
            let Admission { ledger, worked, others, .. } = &mut *admission;
            let mut answers = Vec::new();
            for queue in [worked, others] {
                answer_queue(ledger, queue, value.as_ref(), now, &mut answers);
            }
            drop(admission);
            for (member, id, answer) in answers {
                let is_rejected = answer.is_err();
                // It runs foreign code, a waker or a runtime. A panic in it must not cost the
                // others their answers.
                let member_again = Arc::clone(&member);
                let answered =
                    catch_unwind(AssertUnwindSafe(move || member_again.answered(id, answer)));
                unused.extend(answered.ok().flatten());
                if is_rejected && self.generation() != generation {
                    // The rejection was of replaced credentials, or before a reset. The member may
                    // have got it after the notification of that change.
                    member.login_reset();
                }
            }
        }
    }

    /// Called without a lock, because each member wakes its callers.
    fn for_each(&self, tell: impl Fn(&dyn Member)) {
        let members: Vec<_> =
            lock(&self.members).iter().filter_map(|(_, member)| member.upgrade()).collect();
        members.iter().for_each(|member| tell(&**member));
    }
}

fn answer_queue(
    ledger: &mut Ledger,
    queue: &mut VecDeque<Waiting>,
    value: Option<&Credentials>,
    now: Now,
    answers: &mut Vec<Answer>,
) {
    while let Some(first) = queue.front() {
        // Not upgraded before the decision, so that no member is dropped under the lock.
        if first.member.strong_count() == 0 {
            queue.pop_front();
            continue;
        }
        let alias = &*first.user_alias;
        let answer = match value.map(|value| value.clone().with_user_alias(alias)) {
            Some(Ok(credentials)) => ledger.ask(&credentials, now),
            // The fetch reports an alias that is not valid in any credentials.
            Some(Err(_)) | None => ledger.reserve(Some(alias), now),
        };
        if matches!(answer, Err(Rejected::Busy { .. })) {
            return;
        }
        match (first.member.upgrade(), answer) {
            (Some(member), answer) => answers.push((member, first.id, answer)),
            (None, Ok(permit)) => {
                ledger.settle(permit, SignInResult::Inconclusive, now);
            }
            (None, Err(_)) => {}
        }
        queue.pop_front();
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
