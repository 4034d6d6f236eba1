//! The cost of point-auth compared with other libraries: equal work, in one process and one run.
//!
//! `cargo xtask bench` measures, prints the tables and writes the book's page about performance.
//! `cargo xtask budget` compares the reproducible figures with `budget.toml`.
//!
//! # How it is measured
//!
//! - Time ([`measure`]): the median of many batches. All rows of a table take turns, batch by
//!   batch, so that other load on the machine affects all of them. Only the ratio of two rows of
//!   one run counts.
//! - The heap: a second program with a counting allocator, so that counting does not slow down the
//!   timed code.
//! - Instructions: a third program under callgrind, once with few and once with many repetitions;
//!   the difference is the cost of the repetitions.
//!
//! # Features
//!
//! - `metrics`, `tracing` (off): those of point-auth, for their cost while nothing listens.
//! - `peers` (off): the libraries to compare with, and everything that only the comparison needs.

pub mod budget;
pub mod by_hand;
pub mod core;
pub mod exchange;
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
pub mod fleet;
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
