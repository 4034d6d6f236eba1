//! google-cloud-auth's user credentials and their token cache. They accept neither a source nor a
//! client, so the source is behind an HTTP server on loopback.

use google_cloud_auth::credentials::user_account::Builder;
use google_cloud_auth::credentials::{AccessToken, AccessTokenCredentials};
use serde_json::json;

use super::{install_crypto_provider, server};
use crate::subject::{Source, Subject};

/// The credentials, whose background task gets the token as soon as they are built.
#[derive(Clone)]
pub struct Google(AccessTokenCredentials);

impl Subject for Google {
    const NAME: &'static str = "google-cloud-auth";
    type Token = AccessToken;

    async fn start(source: Source) -> Self {
        install_crypto_provider();
        let user = json!({
            "type": "authorized_user",
            "client_id": "client",
            "client_secret": "secret",
            "refresh_token": "refresh",
        });
        let url = server::on_loopback(source).await;
        Self(Builder::new(user).with_token_uri(url).build_access_token_credentials().unwrap())
    }

    async fn token(&self) -> Option<AccessToken> {
        self.0.access_token().await.ok()
    }
}
