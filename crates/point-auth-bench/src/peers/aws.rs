//! The lazy identity cache of the AWS SDK, over a resolver that asks the source.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::client::identity::{
    Identity, IdentityFuture, ResolveCachedIdentity, ResolveIdentity, SharedIdentityCache,
    SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::runtime_components::{
    RuntimeComponents, RuntimeComponentsBuilder,
};
use aws_smithy_types::config_bag::ConfigBag;

use crate::sample;
use crate::subject::{Source, Subject};

/// The cache, and its arguments on each call.
#[derive(Clone)]
pub struct Aws(Arc<Inner>);

struct Inner {
    cache: SharedIdentityCache,
    resolver: SharedIdentityResolver,
    components: RuntimeComponents,
    config: ConfigBag,
}

struct Resolver(Source);

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Resolver")
    }
}

impl ResolveIdentity for Resolver {
    fn resolve_identity<'a>(
        &'a self,
        _: &'a RuntimeComponents,
        _: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        IdentityFuture::new(async move {
            match self.0.answers().await {
                true => {
                    let until = SystemTime::now() + Duration::from_secs(3600);
                    Ok(Identity::new(sample::token(900), Some(until)))
                }
                false => Err("try again later".into()),
            }
        })
    }
}

impl Subject for Aws {
    const NAME: &'static str = "AWS, lazy identity cache";
    type Token = Identity;

    async fn start(source: Source) -> Self {
        // The cache needs only the time of these; a client requires the rest.
        let components = RuntimeComponentsBuilder::for_tests()
            .with_sleep_impl(Some(TokioSleep::new()))
            .with_time_source(Some(SystemTimeSource::new()))
            .build()
            .unwrap();
        Self(Arc::new(Inner {
            cache: IdentityCache::lazy().build(),
            resolver: SharedIdentityResolver::new(Resolver(source)),
            components,
            config: ConfigBag::base(),
        }))
    }

    async fn token(&self) -> Option<Identity> {
        let Inner { cache, resolver, components, config } = &*self.0;
        cache.resolve_cached_identity(resolver.clone(), components, config).await.ok()
    }
}
