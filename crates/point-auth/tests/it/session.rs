//! Sessions against a real server, async, blocking and under executors that have nothing to do with each other.

mod failures;
mod keeping;
mod mishaps;
mod observers;
mod rejections;
mod sources;
mod support;
mod table;
mod threads;
mod together;
mod transports;
