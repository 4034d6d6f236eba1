//! The transports to start from, held against the contract.
#![cfg(test)]

mod answers;
mod device;
#[cfg(feature = "curl")]
mod enterprise;
mod fifteen_lines;
mod tower;
