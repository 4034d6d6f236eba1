//! What is particular to this adapter; what all adapters have in common is tested for all of them elsewhere.

mod brought_client;
mod deadline;
mod failures;
mod sign_in;
mod support;
