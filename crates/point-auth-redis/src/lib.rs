//! Tokens that the processes of a fleet share in Redis.
//!
//! [`RedisStore`] is a [`TokenStore`](point_auth_store::TokenStore) over Redis 6.2 or later, or over
//! what speaks its protocol, such as Valkey. [`blocking::RedisStore`] is the one without async.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # #[cfg(feature = "tokio")] {
//! use point_auth_redis::RedisStore;
//! use point_auth_store::{AnyStore, StoreKey};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # let _runtime = runtime.enter();
//! // In a program: `StoreKey::from_env("POINT_AUTH_STORE_KEY")?`, with the same key for all processes.
//! let key = StoreKey::generate()?;
//! // Connects at the first call, and again when the connection has ended.
//! let store = RedisStore::from_url("redis://:secret@127.0.0.1:6379/0", key)?;
//! let store = AnyStore::new(store);
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! # A connection of your own
//!
//! `from_url` is for a server without TLS. [`RedisStore::new`] takes any connection of redis-rs 1:
//! to a cluster, by way of sentinels, or with TLS. redis-rs takes the crypto provider of rustls that
//! is the default of the process, and panics where there is none:
//!
//! ```no_run
//! # #[cfg(feature = "tokio")]
//! # fn open(pem: Vec<u8>, key: point_auth_store::StoreKey) -> redis::RedisResult<()> {
//! use std::time::Duration;
//! use point_auth_redis::RedisStore;
//! use redis::aio::ConnectionManagerConfig;
//! use redis::{Client, TlsCertificates};
//!
//! // Once, at the start of the program. An error means that there is a default already.
//! let _is_set = rustls::crypto::aws_lc_rs::default_provider().install_default();
//! let certificates = TlsCertificates { client_tls: None, root_cert: Some(pem) };
//! let client = Client::build_with_tls("rediss://redis.example.com", certificates)?;
//! // redis-rs waits for half a second by default.
//! let config = ConnectionManagerConfig::new().set_response_timeout(Some(Duration::from_secs(2)));
//! let store = RedisStore::new(client.get_connection_manager_lazy(config)?, key);
//! # Ok(())
//! # }
//! # fn main() {}
//! ```
//!
//! # What is in Redis
//!
//! Strings under keys such as `point-auth:{2f…}:login`, which are hashes. The values are sealed. Both
//! scripts use one key each, and the keys of a login share a hash slot.
//!
//! Each call is one round trip. A script reads a value together with Redis's time, or compares it,
//! writes another one and reads the time. The user of the connection needs these commands, on keys
//! `point-auth:*`: `EVAL`, `EVALSHA`, `GET`, `SET` and `TIME`.
//!
//! # What it is not
//!
//! No rules: who may send a password is for [`SharedTokens`](point_auth_store::SharedTokens) to say.
//! No lock: a value is compared and swapped.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `tokio` (on by default) | `RedisStore`, async; without it there is `blocking::RedisStore` alone |

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "tokio"),
    allow(rustdoc::broken_intra_doc_links, reason = "links lead to items of all features")
)]

pub mod blocking;
mod error;
mod script;
#[cfg(feature = "tokio")]
mod store;
mod url;

#[cfg(feature = "tokio")]
pub use store::RedisStore;
pub use url::RedisUrlError;
