//! The contract of the transports to start from; and the code in the book.
#![cfg(test)]

mod answers;
mod book;
mod device;
mod emulator;
#[cfg(feature = "curl")]
mod enterprise;
mod fifteen_lines;
mod middleware;
mod observed;
mod restarts;
mod tower;
