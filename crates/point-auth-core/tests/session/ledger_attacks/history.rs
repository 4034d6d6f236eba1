//! A history of a ledger made of numbers, against a model that reads the rules off a list of what
//! has happened. The fuzz target `ledger` includes this file.

use std::time::{Duration, SystemTime};

use point_auth_core::session::{Ledger, Moment, Now, Permit, Policy, Rejected, SignInResult};
use point_auth_core::{Credentials, Denial, Operation, SignIn};

/// By number: the first two are one password, since the case of a username makes no difference.
const PASSWORDS: [(&str, &str); 5] =
    [("jane", "a"), ("JANE", "a"), ("jane", "b"), ("joe", "a"), ("jane", "c")];
/// No alias, and as many as a password can be denied for, and more.
const ALIASES: [Option<&str>; 9] =
    [None, Some("a"), Some("b"), Some("c"), Some("d"), Some("e"), Some("f"), Some("g"), Some("h")];

pub(super) fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Who {
    password: usize,
    alias: usize,
}

impl Who {
    /// One number for each password.
    fn key(self) -> usize {
        self.password.max(1)
    }

    fn credentials(self) -> Credentials {
        let (username, password) = PASSWORDS[self.password];
        let credentials = Credentials::new(username, password).unwrap();
        match ALIASES[self.alias] {
            Some(alias) => credentials.with_user_alias(alias).unwrap(),
            None => credentials,
        }
    }

    /// A denial that names the password and the alias that it is of.
    fn denial(self) -> Denial {
        let who = format!("{} {}", self.key(), self.alias);
        let body = format!(r#"{{"error":"access_denied","error_description":"{who}"}}"#);
        let mut response = http::Response::new(body);
        *response.status_mut() = http::StatusCode::FORBIDDEN;
        let read = SignIn::new(&self.credentials()).parse_response(&response);
        read.unwrap_err().denial().unwrap().clone()
    }
}

/// What has happened, in order. `worked` is the class at the time of the permit.
#[derive(Clone, Copy, Debug)]
enum Event {
    Accepted { who: Who, worked: bool },
    Denied { who: Who, worked: bool, at: Duration },
    Unknown { key: usize, at: Duration },
    Reset,
    ResetAlias(usize),
}

/// What a permit is for, once that is known, and whether the alias had worked by then.
type Purpose = Option<(Who, bool)>;

#[derive(Debug)]
struct Out {
    who: Purpose,
    expires: Duration,
    started: bool,
}

/// Why there is no permit.
#[derive(Debug, PartialEq, Eq)]
enum No {
    Denied,
    Unknown(Duration),
    Held(Option<Duration>),
    Busy,
}

#[derive(Default)]
struct Model {
    limit: usize,
    events: Vec<Event>,
    /// By the number of the permit.
    out: Vec<(usize, Out)>,
}

impl Model {
    fn is_proven(&self, key: usize) -> bool {
        self.events.iter().any(|one| matches!(one, Event::Accepted { who, .. } if who.key() == key))
    }

    fn has_worked(&self, who: Who) -> bool {
        self.events.iter().any(|one| {
            matches!(one, Event::Accepted { who: other, .. }
                if other.key() == who.key() && other.alias == who.alias)
        })
    }

    fn is_denied(&self, who: Who) -> bool {
        let is_of = |other: Who| other.key() == who.key() && other.alias == who.alias;
        self.events.iter().fold(false, |denied, event| match *event {
            Event::Denied { who: other, .. } if is_of(other) => true,
            Event::Accepted { who: other, .. } if is_of(other) => false,
            Event::ResetAlias(alias) if alias == who.alias => false,
            Event::Reset => false,
            _ => denied,
        })
    }

    /// How many denials in a row, and when the last was. One that comes while a proven password is
    /// held was in flight before that, and is no trial.
    fn streak(&self, key: usize, class: bool) -> (usize, Duration) {
        let mut is_proven = false;
        self.events.iter().fold((0, Duration::ZERO), |(count, last), event| match *event {
            Event::Denied { who, worked, at } if who.key() == key && worked == class => {
                let is_held = length(is_proven, count).is_none_or(|length| at < last + length);
                (if is_proven && is_held { count } else { count + 1 }, at)
            }
            Event::Accepted { who, worked } if who.key() == key => {
                is_proven = true;
                (if worked == class { 0 } else { count }, last)
            }
            Event::Reset => (0, last),
            _ => (count, last),
        })
    }

    fn unknown(&self, key: usize) -> (usize, Duration) {
        self.events.iter().fold((0, Duration::ZERO), |unknown, event| match *event {
            Event::Unknown { key: other, at } if other == key => (unknown.0 + 1, at),
            Event::Accepted { who, .. } if who.key() == key => (0, unknown.1),
            Event::Reset => (0, unknown.1),
            _ => unknown,
        })
    }

    /// Until when a class is held. `None`: for good.
    fn hold(&self, key: usize, class: bool) -> Option<Duration> {
        let (denials, last) = self.streak(key, class);
        length(self.is_proven(key), denials).map(|length| last + length)
    }

    /// Aliases that have worked hold the others too, and not the other way round.
    fn held_until(&self, who: Who) -> Option<Duration> {
        let own = self.hold(who.key(), self.has_worked(who))?;
        Some(own.max(self.hold(who.key(), true)?))
    }

    fn verdict(&self, who: Who, own: Option<usize>, now: Duration) -> Result<(), No> {
        let key = who.key();
        if self.is_denied(who) {
            return Err(No::Denied);
        }
        let (unknown, last) = self.unknown(key);
        if unknown >= 3 && now < last + minutes(10) {
            return Err(No::Unknown(last + minutes(10)));
        }
        match self.held_until(who) {
            Some(until) if now < until => return Err(No::Held(Some(until))),
            Some(_) => {}
            None => return Err(No::Held(None)),
        }
        let class = self.has_worked(who);
        let others = || self.out.iter().filter(|(id, _)| Some(*id) != own).map(|(_, out)| out);
        let has_room = if self.is_proven(key) {
            let room = if self.streak(key, class).0 == 0 { self.limit } else { 1 };
            let is_same = |out: &&Out| {
                out.who.is_some_and(|(other, worked)| other.key() == key && worked == class)
            };
            others().filter(is_same).count() < room && others().count() < self.limit
        } else {
            let is_unproven =
                |out: &Out| out.who.is_some_and(|(other, _)| !self.is_proven(other.key()));
            !others().any(is_unproven)
        };
        if has_room { Ok(()) } else { Err(No::Busy) }
    }

    fn expire(&mut self, now: Duration) {
        let (over, out) = std::mem::take(&mut self.out)
            .into_iter()
            .partition::<Vec<_>, _>(|(_, out)| now >= out.expires);
        self.out = out;
        for (_, out) in over {
            if let Some((who, _)) = out.who.filter(|_| out.started) {
                self.events.push(Event::Unknown { key: who.key(), at: now });
            }
        }
    }

    fn out(&mut self, id: usize) -> Option<&mut Out> {
        self.out.iter_mut().find(|(other, _)| *other == id).map(|(_, out)| out)
    }
}

/// A ledger, its model, and the permits that are held.
struct History {
    ledger: Ledger,
    model: Model,
    now: Now,
    held: Vec<(usize, Permit, Purpose)>,
    next: usize,
    /// The server denies every sign-in that it answers, and no operator resets anything.
    is_denying: bool,
}

/// Tells a history, and asks at its end for everyone.
pub(super) fn tell(limit: usize, is_denying: bool, steps: impl IntoIterator<Item = u64>) {
    let mut history = History::new(limit, is_denying);
    for dice in steps {
        history.step(dice);
    }
    // Whatever has happened: once all permits have expired, the rules alone decide.
    history.held.clear();
    history.after(minutes(60));
    for password in 0..PASSWORDS.len() {
        for alias in 0..ALIASES.len() {
            history.ask(Who { password, alias });
            history.settle(0, 7);
        }
    }
}

impl History {
    fn new(limit: usize, is_denying: bool) -> Self {
        Self {
            ledger: Ledger::new(&Policy::default()).with_limit(limit),
            model: Model { limit, ..Model::default() },
            now: Now::new(
                Duration::from_secs(1_000_000),
                SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600),
            ),
            held: Vec::new(),
            next: 0,
            is_denying,
        }
    }

    fn time(&self) -> Duration {
        self.now.monotonic
    }

    fn after(&mut self, time: Duration) {
        self.now = Now::new(self.now.monotonic + time, self.now.wall + time);
    }

    /// Tells a rejection as the model does. A source may be asked earlier than a hold ends.
    fn told(&self, rejected: &Rejected, who: Who, is_of_source: bool) -> No {
        let time = |until: &Moment| self.time() + until.time_left(self.now);
        match rejected {
            Rejected::Denied { denial, .. } => {
                assert_eq!(*denial, who.denial(), "another's denial");
                No::Denied
            }
            Rejected::TooManyUnknown { until } => No::Unknown(time(until)),
            Rejected::Held { .. } if is_of_source => No::Held(self.model.held_until(who)),
            Rejected::Held { until } => No::Held(until.as_ref().map(time)),
            Rejected::Busy { .. } => No::Busy,
            other => panic!("{other:?}"),
        }
    }

    fn granted(&mut self, permit: Permit, who: Option<(Who, bool)>) {
        let expires = self.time() + Duration::from_secs(32);
        self.model.out.push((self.next, Out { who, expires, started: false }));
        self.held.push((self.next, permit, who));
        self.next += 1;
    }

    fn ask(&mut self, who: Who) {
        self.model.expire(self.time());
        let expected = self.model.verdict(who, None, self.time());
        let worked = self.model.has_worked(who);
        match self.ledger.ask(&who.credentials(), self.now) {
            Ok(permit) => {
                assert_eq!(expected, Ok(()), "granted to {who:?}");
                self.granted(permit, Some((who, worked)));
            }
            Err(rejected) => assert_eq!(Err(self.told(&rejected, who, false)), expected),
        }
    }

    /// A source may be asked when nothing is out and the last password is fine for this alias.
    fn reserve(&mut self, alias: usize) {
        self.model.expire(self.time());
        if let Ok(permit) = self.ledger.reserve(ALIASES[alias], self.now) {
            self.granted(permit, None);
        }
        assert!(self.model.out.len() <= self.model.limit.max(1) + 2);
    }

    fn present(&mut self, place: usize, who: Who) {
        let Some((id, _, _)) = self.held.get(place) else { return };
        let id = *id;
        self.model.expire(self.time());
        let expected = match self.model.verdict(who, Some(id), self.time()) {
            Ok(()) if self.model.out(id).is_none() => Err(No::Busy),
            other => other,
        };
        let worked = self.model.has_worked(who);
        let permit = &mut self.held[place].1;
        match self.ledger.present(permit, &who.credentials(), self.now) {
            Ok(()) => {
                assert_eq!(expected, Ok(()), "{who:?} may go on");
                self.held[place].2 = Some((who, worked));
                self.model.out(id).unwrap().who = Some((who, worked));
            }
            Err(rejected) => assert_eq!(Err(self.told(&rejected, who, true)), expected),
        }
    }

    fn start(&mut self, place: usize) {
        let Some((id, permit, _)) = self.held.get(place) else { return };
        let deadline = self.time() + Duration::from_secs(30);
        self.model.expire(self.now.monotonic);
        let is_valid = self.ledger.start(permit, deadline, self.now);
        let out = self.model.out.iter_mut().find(|(other, _)| other == id).map(|(_, out)| out);
        let out = out.filter(|out| out.who.is_some());
        assert_eq!(is_valid, out.is_some());
        if let Some(out) = out {
            (out.started, out.expires) = (true, deadline + Policy::GRACE);
        }
    }

    fn settle(&mut self, place: usize, result: u64) {
        if place >= self.held.len() {
            return;
        }
        let (id, permit, who) = self.held.swap_remove(place);
        let was_out = self.model.out(id).is_some();
        self.model.out.retain(|(other, _)| *other != id);
        let at = self.time();
        let denial = who.map(|(who, _)| who.denial());
        let (result, event) = match (result % 8, who, &denial) {
            (0..=2, Some((who, worked)), Some(denial)) => {
                (SignInResult::Denied(denial), Some(Event::Denied { who, worked, at }))
            }
            (3 | 4, Some((who, worked)), _) if !self.is_denying => {
                (SignInResult::Accepted, Some(Event::Accepted { who, worked }))
            }
            (5 | 6, Some((who, _)), _) => {
                let event = Event::Unknown { key: who.key(), at };
                (SignInResult::Unknown, Some(event).filter(|_| was_out))
            }
            _ => (SignInResult::Inconclusive, None),
        };
        self.ledger.settle(permit, result, self.now);
        self.model.events.extend(event);
    }

    fn step(&mut self, dice: u64) {
        let pick = |shift: u32, sides: usize| (dice >> shift) as usize % sides;
        let who = Who { password: pick(8, PASSWORDS.len()), alias: pick(16, ALIASES.len()) };
        // Mostly one password, so that its streaks grow.
        let who = if pick(56, 3) > 0 { Who { password: pick(8, 2), ..who } } else { who };
        let place = pick(24, self.held.len().max(1));
        match dice % 32 {
            0..=3 => self.ask(who),
            4..=7 => {
                self.ask(who);
                let last = self.held.len().saturating_sub(1);
                self.start(last);
                self.settle(last, dice >> 32);
            }
            8 => self.reserve(who.alias),
            9..=11 => self.present(place, who),
            12..=16 => self.start(place),
            17..=25 => self.settle(place, dice >> 32),
            // Forgotten.
            26 if place < self.held.len() => drop(self.held.swap_remove(place)),
            27 if !self.is_denying && pick(40, 4) == 0 => {
                self.ledger.reset();
                self.model.events.push(Event::Reset);
            }
            28 if !self.is_denying && pick(40, 4) == 0 => {
                self.ledger.reset_alias(ALIASES[who.alias]);
                self.model.events.push(Event::ResetAlias(who.alias));
            }
            _ => {
                let seconds = [0, 1, 2, 29, 32, 33, 300, 600, 601, 1200, 3600, 7200, 14_400];
                self.after(Duration::from_secs(seconds[pick(48, seconds.len())]));
            }
        }
        let known = self.ledger.snapshot(self.now);
        assert_eq!(known.permits, self.model.out.len());
    }
}

/// How long a class is held after so many denials in a row. `None`: for good.
fn length(is_proven: bool, denials: usize) -> Option<Duration> {
    match (is_proven, denials) {
        (_, 0..=2) => Some(Duration::ZERO),
        (true, 3) => Some(minutes(10)),
        (true, 4) => Some(minutes(20)),
        (true, 5) => Some(minutes(40)),
        (true, _) | (false, 3) => Some(minutes(60)),
        (false, 4) => Some(minutes(120)),
        (false, 5) => Some(minutes(240)),
        (false, _) => None,
    }
}
