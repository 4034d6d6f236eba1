//! Connections from a URL.

use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::{Client, IntoConnectionInfo};

/// How long a connection may take, and how long a reply.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);

/// A URL is none that a store connects to. It says neither the URL nor its password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedisUrlError {
    /// It is not such as `redis://user:password@host:6379/0` or `unix:///run/redis.sock`.
    #[error("the url is no url of redis, such as redis://user:password@host:6379/0")]
    Malformed,
    /// Its scheme asks for TLS, which a connection of your own brings: `RedisStore::new`.
    #[error(
        "the url asks for tls: open the connection with redis-rs and pass it to `RedisStore::new`"
    )]
    Tls,
    /// There is no tokio runtime here, which runs the connection.
    #[error("there is no tokio runtime here to run the connection")]
    NoRuntime,
}

pub(crate) fn client(url: &str) -> Result<Client, RedisUrlError> {
    let parsed = redis::parse_redis_url(url).ok_or(RedisUrlError::Malformed)?;
    // Refused here, since another crate may have turned TLS on in redis-rs: it then panics where
    // the process has no default crypto provider.
    if matches!(parsed.scheme(), "rediss" | "valkeys") {
        return Err(RedisUrlError::Tls);
    }
    let settings = TcpSettings::default().set_nodelay(true);
    let info = url.into_connection_info().map_err(|_| RedisUrlError::Malformed)?;
    Client::open(info.set_tcp_settings(settings)).map_err(|_| RedisUrlError::Malformed)
}
