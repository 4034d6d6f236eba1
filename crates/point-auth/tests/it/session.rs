//! Sessions against a real server, async, blocking and under executors that have nothing to do with each other.

mod support;
mod table;
mod together;
mod transports;
