//! The crypto provider that the features choose, independent of the process default.

#[cfg(feature = "aws-lc-rs")]
pub(crate) use rustls::crypto::aws_lc_rs::default_provider as provider;
#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
pub(crate) use rustls::crypto::ring::default_provider as provider;

#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
compile_error!("point-auth-testkit needs a crypto provider: turn on `aws-lc-rs` or `ring`");
