//! Sessions against a real server: async, blocking and under unrelated executors.

mod aliases;
mod attacks;
mod failures;
mod forks;
mod keeping;
mod kinds;
mod login;
mod metrics;
mod mishaps;
mod observers;
mod rejections;
mod runtimes;
mod shipped_sources;
mod sources;
mod stores;
mod stress;
mod support;
mod surface;
mod table;
mod threads;
mod transports;
