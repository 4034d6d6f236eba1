//! Other libraries, each set up by its public interface over a [`Source`](crate::subject::Source).

pub mod aws;
pub mod azure;
pub mod google;
pub mod huskarl;
pub mod io_oauth;
pub mod oauth2;
mod server;
pub mod yup;

use std::sync::Once;

use crate::measure::Case;
use crate::reading::of_subject;
use crate::sample;

/// Returns a reader of each library that has a cache.
pub fn readers() -> Vec<Case> {
    vec![
        of_subject::<aws::Aws>("AWS, lazy identity cache"),
        of_subject::<azure::Azure>("azure_identity"),
        of_subject::<google::Google>("google-cloud-auth"),
        of_subject::<huskarl::Huskarl>("huskarl"),
        of_subject::<yup::Yup>("yup-oauth2"),
    ]
}

/// Returns a status and a body that all of them accept.
fn answer(source_works: bool) -> (u16, Vec<u8>) {
    match source_works {
        true => (200, sample::oauth_success().into_body()),
        false => (
            503,
            br#"{"error":"temporarily_unavailable","error_description":"try again later"}"#
                .to_vec(),
        ),
    }
}

/// google-cloud-auth builds a client that uses the process default.
fn install_crypto_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}
