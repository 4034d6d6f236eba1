//! What the tests of the async adapters have in common. An adapter's own tests include this file, and
//! their crate has its transport under the name `Adapter`.

#[cfg(feature = "rustls")]
mod answers;
mod deadline;
mod failures;
#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod proxy;
mod sign_in;
pub(crate) mod support;
