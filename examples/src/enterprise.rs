//! An enterprise stack: libcurl, with an authenticated proxy, a private certificate authority, a
//! client certificate, and HTTP/2 where the server offers it. Needs the feature `curl`.
//!
//! Each request has its own handle, connection and TLS session, so that nothing is ever sent again
//! on another one. The cost is a handshake for each sign-in, of which there is one an hour.

mod exchange;
mod failure;
mod settings;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use curl::easy::{Auth, Easy2, HttpVersion, List, ProxyType, SslVersion};
use http::request::Parts;
use http::uri::Scheme;
use http::{Request, Response};
use point_auth::SecretBody;
use point_auth::transport::{
    BlockingTransport, Proxy, ProxyResolver, SendLimits, SettingsError, TransportError,
    TransportErrorKind, check_head,
};

use self::exchange::Exchange;
pub use self::settings::Settings;
use crate::sockets::{Deadline, look_up};

/// A [`BlockingTransport`] over libcurl.
#[derive(Clone)]
pub struct Enterprise {
    settings: Settings,
    proxy: ProxyResolver,
}

impl Enterprise {
    /// Creates a transport with these settings. The environment is read here, if they use it.
    ///
    /// # Errors
    /// A [`SettingsError`] when a certificate or the key cannot be used, they do not belong
    /// together, or the environment names an unusable proxy.
    pub fn with_settings(settings: &Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self { settings: settings.clone(), proxy: settings.proxy().resolve()? })
    }
}

// ANCHOR: send
impl BlockingTransport for Enterprise {
    fn send(
        &self,
        request: Request<SecretBody>,
        limits: &SendLimits,
    ) -> Result<Response<SecretBody>, TransportError> {
        let (mut head, body) = request.into_parts();
        check_head(&mut head, true)?;
        let end_by = Deadline::after(limits.total_timeout());
        let connect_by = Deadline::after(limits.connect_timeout()).or_before(end_by);
        let hop = Hop::new(&head, self.proxy.proxy_for(&head.uri));
        // libcurl waits for its own lookup to end, regardless of its timeout.
        let addresses = look_up(hop.host, hop.port, connect_by).map_err(not_connected)?;

        let mut exchange = Exchange::new(body, limits.max_response_bytes());
        self.send_to_one_of(&addresses, &hop, &head, &mut exchange, connect_by, end_by)
    }
}

impl Enterprise {
    /// Tries one address after the other, with one socket for each. With more of both at once,
    /// libcurl could resend a request that it considers unprocessed.
    fn send_to_one_of(
        &self,
        addresses: &[SocketAddr],
        hop: &Hop<'_>,
        head: &Parts,
        exchange: &mut Exchange,
        connect_by: Deadline,
        end_by: Deadline,
    ) -> Result<Response<SecretBody>, TransportError> {
        let mut last = not_connected(io::ErrorKind::AddrNotAvailable.into());
        for (address, untried) in addresses.iter().zip((1..=addresses.len()).rev()) {
            let mut easy = Easy2::new(exchange.allow_a_socket());
            self.prepare(&mut easy, head, hop, *address)
                .map_err(|error| failure::of_an_option(&error))?;
            let share = connect_by.left().map_err(not_connected)?
                / u32::try_from(untried).unwrap_or(u32::MAX);
            set_times(&mut easy, share, end_by.left().map_err(not_connected)?)?;
            match easy.perform() {
                Ok(()) => return easy.get_mut().take_response(),
                Err(error) => last = failure::of(&error, &easy, hop.proxy.is_some()),
            }
            if !failure::was_before_tcp(&easy) {
                break;
            }
        }
        Err(last)
    }
}
// ANCHOR_END: send

/// The first hop: the proxy, or the host itself.
struct Hop<'a> {
    host: &'a str,
    port: u16,
    proxy: Option<&'a Proxy>,
}

impl<'a> Hop<'a> {
    fn new(head: &'a Parts, proxy: Option<&'a Proxy>) -> Self {
        let (host, port) = match proxy {
            Some(proxy) => (proxy.host(), proxy.port()),
            None => {
                let default = if head.uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
                (head.uri.host().unwrap_or_default(), head.uri.port_u16().unwrap_or(default))
            }
        };
        Self { host, port, proxy }
    }
}

impl Enterprise {
    // ANCHOR: options
    fn prepare(
        &self,
        easy: &mut Easy2<&mut Exchange>,
        head: &Parts,
        hop: &Hop<'_>,
        address: SocketAddr,
    ) -> Result<(), curl::Error> {
        easy.url(&head.uri.to_string())?;
        easy.path_as_is(true)?;
        easy.http_version(HttpVersion::V2TLS)?;

        // Rules 1 to 3 of the contract. Most of these are libcurl's defaults, but a rule must not
        // depend on a default.
        easy.follow_location(false)?;
        easy.fresh_connect(true)?;
        easy.forbid_reuse(true)?;
        easy.ssl_sessionid_cache(false)?;
        easy.http_content_decoding(false)?;
        easy.http_09_allowed(false)?;
        easy.fail_on_error(false)?;
        easy.verbose(false)?;

        // Rule 8. For libcurl an empty proxy means none, and no proxy means the environment.
        easy.noproxy("")?;
        easy.proxy("")?;
        if let Some(proxy) = hop.proxy {
            easy.proxy(&format!("http://{}:{}", proxy.host(), proxy.port()))?;
            easy.proxy_type(ProxyType::Http)?;
            easy.http_proxy_tunnel(true)?;
            if let (Some(username), Some(password)) = (proxy.username(), proxy.password()) {
                easy.proxy_auth(Auth::new().basic(true))?;
                easy.proxy_username(username)?;
                easy.proxy_password(password)?;
            }
        }
        let mut resolved = List::new();
        resolved.append(&format!("{}:{}:{}", hop.host, hop.port, bracketed(address)))?;
        easy.resolve(resolved)?;

        easy.ssl_verify_peer(true)?;
        easy.ssl_verify_host(true)?;
        easy.ssl_min_max_version(SslVersion::Tlsv12, SslVersion::Default)?;
        self.settings.apply(easy)?;
        exchange::describe(easy, head)
    }
    // ANCHOR_END: options
}

fn bracketed(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

/// For libcurl zero means no limit.
fn set_times(
    easy: &mut Easy2<&mut Exchange>,
    connect: Duration,
    total: Duration,
) -> Result<(), TransportError> {
    let at_least = Duration::from_millis(1);
    easy.connect_timeout(connect.max(at_least))
        .and_then(|()| easy.timeout(total.max(at_least)))
        .map_err(|error| failure::of_an_option(&error))
}

fn not_connected(error: io::Error) -> TransportError {
    TransportError::classify(&error, TransportErrorKind::Connect).not_sent()
}

impl fmt::Debug for Enterprise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enterprise")
            .field("settings", &self.settings)
            .field("proxy", &self.proxy)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;
    use std::time::Duration;

    use point_auth::transport::ProxySettings;
    use point_auth::{BaseUrl, Credentials, Operation as _, SignIn};
    use point_auth_testkit::Emulator;

    use super::*;

    #[test]
    fn an_address_that_refuses_is_followed_by_the_next() {
        let emulator = Emulator::builder().user("user", "password").start().unwrap();
        let base = BaseUrl::parse(&emulator.base_url_for("localhost")).unwrap();
        let credentials = Credentials::new("user", "password").unwrap();
        let (head, body) = SignIn::new(&credentials).to_request(&base).unwrap().into_parts();
        let settings = Settings::new().with_proxy(ProxySettings::none());
        let by = Deadline::after(Duration::from_secs(20));
        let here = emulator.addr();
        // The emulator is not there, and on some machines no process is.
        let elsewhere = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), here.port());

        let response = Enterprise::with_settings(&settings).unwrap().send_to_one_of(
            &[elsewhere, elsewhere, here, elsewhere],
            &Hop::new(&head, None),
            &head,
            &mut Exchange::new(body, 10_000),
            by,
            by,
        );
        assert_eq!(response.unwrap().status(), 200);
        assert_eq!(emulator.connections(), 1);
    }
}
