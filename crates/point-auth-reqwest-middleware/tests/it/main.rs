//! The middleware over a real reqwest client.
#![cfg(test)]

mod redirects;
