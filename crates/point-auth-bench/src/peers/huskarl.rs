//! huskarl's in-memory token cache over its client credentials grant, over an HTTP client that asks
//! the source.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use huskarl::cache::{
    GrantTokenSource, InMemoryRefreshTokenStore, InMemoryTokenCache, TokenSource,
};
use huskarl::core::Error;
use huskarl::core::client_auth::NoAuth;
use huskarl::core::http::{HttpClient, HttpResponse, Idempotency};
use huskarl::core::platform::MaybeSendBoxFuture;
use huskarl::grant::client_credentials::{
    ClientCredentialsGrant, ClientCredentialsGrantParameters,
};
use huskarl::grant::core::TokenResponse;

use super::answer;
use crate::subject::{Source, Subject};

type Cache =
    InMemoryTokenCache<GrantTokenSource<ClientCredentialsGrant, InMemoryRefreshTokenStore>>;

/// The cache.
#[derive(Clone)]
pub struct Huskarl(Arc<Cache>);

struct InProcess(Source);

impl HttpClient for InProcess {
    fn execute(
        &self,
        _: Request<Bytes>,
        _: Idempotency,
    ) -> MaybeSendBoxFuture<'_, Result<HttpResponse, Error>> {
        Box::pin(async {
            let (status, body) = answer(self.0.answers().await);
            let status = StatusCode::from_u16(status).unwrap();
            Ok(HttpResponse { status, headers: HeaderMap::new(), body: body.into() })
        })
    }
}

impl Subject for Huskarl {
    const NAME: &'static str = "huskarl";
    type Token = Arc<TokenResponse>;

    async fn start(source: Source) -> Self {
        let grant = ClientCredentialsGrant::builder()
            .client_id("client")
            .client_auth(NoAuth)
            .token_endpoint("https://api.example.com/token".parse().unwrap())
            .http_client(InProcess(source))
            .build();
        let source = GrantTokenSource::builder()
            .grant(grant)
            .grant_parameters(ClientCredentialsGrantParameters::builder().build())
            .refresh_store(InMemoryRefreshTokenStore::default())
            .build();
        Self(Arc::new(InMemoryTokenCache::builder().source(source).build()))
    }

    async fn token(&self) -> Option<Arc<TokenResponse>> {
        self.0.token().await.ok()
    }
}
