//! What point-auth costs, beside what people use today: the same work, in the same process, in the
//! same run.
//!
//! `cargo xtask bench` measures, prints the tables and writes the book's page about performance.
//! `cargo xtask budget` holds the figures that are the same in every run against `budget.toml`.
//!
//! # How it is measured
//!
//! - Time ([`measure`]): the median of many batches. All rows of a table take turns, batch by
//!   batch, so that whatever else the machine does befalls all of them; what counts is the ratio of
//!   two rows of one run.
//! - The heap: a second program with an allocator that counts, so that counting does not slow down
//!   what is timed.
//! - Instructions: a third program under callgrind, once with few and once with many repetitions;
//!   the difference is what the repetitions took.
//!
//! # Features
//!
//! - `peers` (off): the libraries that we compare with, and everything that only the comparison
//!   needs.

pub mod budget;
pub mod by_hand;
pub mod core;
pub mod figures;
pub mod measure;
pub mod ours;
pub mod reading;
pub mod sample;
pub mod stampede;
pub mod subject;
pub mod valgrind;

#[cfg(feature = "peers")]
pub mod chart;
#[cfg(feature = "peers")]
pub mod loopback;
#[cfg(feature = "peers")]
pub mod machine;
#[cfg(feature = "peers")]
pub mod page;
#[cfg(feature = "peers")]
pub mod peers;
#[cfg(feature = "peers")]
pub mod sections;
#[cfg(feature = "peers")]
pub mod weight;
