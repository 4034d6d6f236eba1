//! The core from outside: what it sends, how it reads whatever comes back, and what it never tells.

mod answers;
mod support;
