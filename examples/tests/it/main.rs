//! The transports to start from, held to the contract; and what the book prints.
#![cfg(test)]

mod answers;
mod book;
mod device;
mod emulator;
#[cfg(feature = "curl")]
mod enterprise;
mod fifteen_lines;
mod tower;
