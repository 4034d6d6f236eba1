//! Hand-written caches: a token behind a swap cell or a lock, with two clock reads as in
//! point-auth.

use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;

use crate::sample;

/// A token and its end, on both clocks.
struct Token {
    text: Arc<str>,
    until: Instant,
    until_by_the_wall: SystemTime,
}

impl Token {
    fn new() -> Self {
        const LIFE: Duration = Duration::from_secs(3600);
        let (now, wall) = (Instant::now(), SystemTime::now());
        Self { text: sample::token(900).into(), until: now + LIFE, until_by_the_wall: wall + LIFE }
    }

    fn if_good(&self) -> Option<Arc<str>> {
        let is_good = Instant::now() < self.until && SystemTime::now() < self.until_by_the_wall;
        is_good.then(|| Arc::clone(&self.text))
    }
}

pub(super) struct Swapped(ArcSwap<Token>);

impl Swapped {
    pub(super) fn new() -> Self {
        Self(ArcSwap::from_pointee(Token::new()))
    }

    pub(super) fn token(&self) -> Option<Arc<str>> {
        self.0.load().if_good()
    }
}

pub(super) struct Locked(RwLock<Token>);

impl Locked {
    pub(super) fn new() -> Self {
        Self(RwLock::new(Token::new()))
    }

    pub(super) fn token(&self) -> Option<Arc<str>> {
        self.0.read().unwrap().if_good()
    }
}
