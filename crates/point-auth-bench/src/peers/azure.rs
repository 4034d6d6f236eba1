//! `azure_identity`'s client secret credential and its token cache, over an HTTP client that asks
//! the source.

use std::sync::Arc;

use azure_core::credentials::{AccessToken, Secret, TokenCredential};
use azure_core::http::headers::Headers;
use azure_core::http::{
    AsyncRawResponse, ClientOptions, HttpClient, Request, StatusCode, Transport,
};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use point_auth::transport::async_trait;

use super::answer;
use crate::subject::{Source, Subject};

/// The credential, with its own policy of retries.
#[derive(Clone)]
pub struct Azure(Arc<ClientSecretCredential>);

struct InProcess(Source);

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InProcess")
    }
}

#[async_trait]
impl HttpClient for InProcess {
    async fn execute_request(&self, _: &Request) -> azure_core::Result<AsyncRawResponse> {
        let (status, body) = answer(self.0.answers().await);
        Ok(AsyncRawResponse::from_bytes(StatusCode::from(status), Headers::new(), body))
    }
}

impl Subject for Azure {
    const NAME: &'static str = "azure_identity";
    type Token = AccessToken;

    async fn start(source: Source) -> Self {
        let client_options = ClientOptions {
            transport: Some(Transport::new(Arc::new(InProcess(source)))),
            ..ClientOptions::default()
        };
        let options = ClientSecretCredentialOptions { client_options };
        let secret = Secret::new("secret");
        Self(
            ClientSecretCredential::new("tenant", "client".to_owned(), secret, Some(options))
                .unwrap(),
        )
    }

    async fn token(&self) -> Option<AccessToken> {
        self.0.get_token(&["https://api.example.com/.default"], None).await.ok()
    }
}
