//! The way to the server: the proxy, the name and the connection.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use point_auth::http::Uri;
use point_auth::transport::Proxy;

use super::report::Finding;
use crate::failure::{Exit, Failure, Result};
use crate::profile::Profile;

/// The proxy, if there is one.
pub(super) struct Route(Option<Proxy>);

/// Host and port of a base URL, which is valid.
pub(super) fn origin(base_url: &str) -> (&str, u16) {
    let (scheme, rest) = base_url.split_once("://").unwrap_or(("https", base_url));
    let authority = rest.split('/').next().unwrap_or(rest);
    let default = if scheme == "http" { 80 } else { 443 };
    match authority.rsplit_once(':') {
        // The colons of an IPv6 address are in brackets.
        Some((host, port)) if !port.contains(']') => (host, port.parse().unwrap_or(default)),
        _ => (authority, default),
    }
}

/// Finds the proxy for the base URL.
pub(super) fn find(profile: &Profile, host: &str, port: u16) -> Result<(Finding, Route)> {
    let resolver = profile.network.proxy_settings().resolve();
    let resolver = resolver.map_err(|error| Failure::other("settings", &error))?;
    let url: Uri = profile.base_url.as_str().parse().map_err(|_| {
        Failure::new(Exit::Usage, "usage", format!("{host}:{port} is no place for a request"))
    })?;
    Ok(match resolver.proxy_for(&url) {
        None => (Finding::ok("none".to_owned()), Route(None)),
        Some(proxy) => {
            let from = proxy.variable().map_or(String::new(), |name| format!(" (from {name})"));
            let detail = format!("{}:{}{from}", proxy.host(), proxy.port());
            (Finding::ok(detail), Route(Some(proxy.clone())))
        }
    })
}

impl Route {
    /// What is connected to: the proxy, or the server.
    pub(super) fn dialed<'a>(&'a self, host: &'a str, port: u16) -> (&'a str, u16) {
        self.0.as_ref().map_or((host, port), |proxy| (proxy.host(), proxy.port()))
    }

    /// Asks the proxy for a tunnel to the server, if there is one.
    pub(super) fn tunnel(&self, stream: &mut TcpStream, host: &str, port: u16) -> Result<()> {
        let Some(proxy) = &self.0 else { return Ok(()) };
        let failed = |error| Failure::io("the proxy", &error);
        let mut request = zeroize::Zeroizing::new(
            format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes(),
        );
        if let Some(authorization) = proxy.authorization() {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(authorization.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        stream.write_all(&request).map_err(failed)?;
        let head = read_head(stream).map_err(failed)?;
        let status = head.get(9..12).and_then(|status| std::str::from_utf8(status).ok());
        match status.unwrap_or_default() {
            "200" => Ok(()),
            "407" => Err(Failure::new(
                Exit::Other,
                "connect",
                "the proxy refuses its user name or password (status 407)",
            )
            .with_hint("set the user name and password in https_proxy or POINT_AUTH_PROXY")),
            status => {
                let message = format!("the proxy opens no tunnel (status {status})");
                Err(Failure::new(Exit::Temporary, "connect", message))
            }
        }
    }
}

/// Reads to the empty line, byte by byte, so that nothing of TLS is taken.
fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    const MOST_BYTES: usize = 16 * 1024;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < MOST_BYTES {
        stream.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    Ok(head)
}

/// Looks the name up. The system has a limit of its own, which may be long.
pub(super) fn resolve(
    host: &str,
    port: u16,
    limit: Duration,
) -> Result<(Finding, Vec<SocketAddr>)> {
    let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let (tell, found) = mpsc::channel();
    let looked_up = name.clone();
    thread::spawn(move || {
        let addresses = (looked_up.as_str(), port).to_socket_addrs();
        let _is_heard = tell.send(addresses.map(Iterator::collect));
    });
    let unknown = |why: String| {
        Failure::new(Exit::Temporary, "connect", format!("{name}: {why}"))
            .with_hint("check the name in base_url, the network, and the system's name servers")
    };
    let addresses: Vec<SocketAddr> = match found.recv_timeout(limit) {
        Ok(Ok(addresses)) => addresses,
        Ok(Err(error)) => return Err(unknown(error.to_string())),
        Err(_) => return Err(unknown("the lookup took too long".to_owned())),
    };
    if addresses.is_empty() {
        return Err(unknown("it has no address".to_owned()));
    }
    let list: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    Ok((Finding::ok(format!("{name} is {}", list.join(", "))), addresses))
}

/// Connects to the first address that accepts.
pub(super) fn connect(addresses: &[SocketAddr], limit: Duration) -> Result<(Finding, TcpStream)> {
    let share = limit / u32::try_from(addresses.len().max(1)).unwrap_or(1);
    let mut last = None;
    for address in addresses {
        match TcpStream::connect_timeout(address, share) {
            Ok(stream) => {
                let set = stream
                    .set_read_timeout(Some(limit))
                    .and_then(|()| stream.set_write_timeout(Some(limit)));
                set.map_err(|error| Failure::io("the connection", &error))?;
                return Ok((Finding::ok(format!("connected to {address}")), stream));
            }
            Err(error) => last = Some(format!("{address}: {error}")),
        }
    }
    let why = last.unwrap_or_else(|| "there is no address".to_owned());
    Err(Failure::new(Exit::Temporary, "connect", why)
        .with_hint("check that the server runs, the port, and the firewall; or set a proxy"))
}
