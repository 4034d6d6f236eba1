//! Tokens that many processes share.
//!
//! A fleet of processes with one login behaves like one session: it signs in once, refreshes once
//! in a token's life, and sends a wrong password once. [`TokenStore`] is what a store has to do for
//! that: read a small value, and compare and swap it. [`SharedTokens`] does the rest: it consults
//! the store before each exchange and settles afterwards.
//!
//! ```
//! use std::time::SystemTime;
//! use point_auth_core::session::Policy;
//! use point_auth_core::{BaseUrl, Credentials};
//! use point_auth_store::{AnyStore, Intent, Known, MemoryStore, Owner, SharedTokens, Verdict};
//!
//! let store = AnyStore::blocking(MemoryStore::new()?);
//! let shared = SharedTokens::new(store, &BaseUrl::production(), Policy::default());
//! let credentials = Credentials::new("user@example.com", "correct horse")?;
//! let owner = Owner { username: "user@example.com", user_alias: None };
//! let consult = || {
//!     let (known, now) = (Known::default(), SystemTime::now());
//!     pollster::block_on(shared.consult(owner, Intent::SignIn(&credentials), known, now))
//! };
//!
//! // One process may sign in. Another one is told to wait for its tokens.
//! let first = consult()?.verdict;
//! assert!(matches!(first, Verdict::Granted(_)));
//! assert!(matches!(consult()?.verdict, Verdict::InUse(_)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is in a store
//!
//! One value for each alias: the tokens, who may exchange now, and which passwords were denied. One
//! value for the login: its [`Ledger`](point_auth_core::session::Ledger), with fingerprints in
//! place of passwords. Names are HMACs, values are [sealed](Seals), and all times are of the
//! store's clock. A process with a wrong clock harms no other.
//!
//! # What it is not
//!
//! No rules of its own: who may send a password is the ledger's to say. No clock, no thread and no
//! timer: a [`SharedTokens`] is driven by a session.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `file` | `FileStore`: a directory, for the processes of one machine (Unix) |

#![cfg_attr(docsrs, feature(doc_cfg))]

mod any_store;
pub mod blocking;
mod contract;
#[cfg(feature = "file")]
mod file;
mod key;
mod memory;
#[cfg(test)]
mod properties;
mod record;
mod sealing;
mod shared;

pub use any_store::AnyStore;
pub use contract::{Announced, EntryName, Fence, Loaded, StoreError, Swapped, TokenStore};
#[cfg(feature = "file")]
pub use file::{FileStore, FileStoreError};
pub use key::{StoreKey, StoreKeyError};
pub use memory::MemoryStore;
pub use sealing::{SealError, Sealer, Seals};
pub use shared::{
    Consultation, Grant, Inspection, Intent, Known, Look, NewerTokens, Owner, Refusal, Settled,
    Settlement, SharedTokens, Verdict,
};
