//! The `NO_PROXY` list, and what counts as loopback.

use std::net::{IpAddr, Ipv6Addr};

/// The hosts that are reached without a proxy.
#[derive(Clone, Debug, Default)]
pub(super) struct NoProxy(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Everything,
    Host { name: String, port: Option<u16> },
    Address { address: IpAddr, port: Option<u16> },
    Network { address: IpAddr, prefix: u32 },
}

impl NoProxy {
    pub(super) fn parse(list: &str) -> Self {
        let entries = list.split(|c: char| c == ',' || c.is_whitespace());
        Self(entries.filter_map(Entry::parse).collect())
    }

    /// Returns whether `host` is reached without a proxy. An address may have brackets.
    pub(super) fn matches(&self, host: &str, port: u16) -> bool {
        let host = Host::parse(host);
        self.0.iter().any(|entry| entry.matches(&host, port))
    }
}

/// Returns whether `host` is this machine. A proxy must never be asked for it.
pub(super) fn is_loopback(host: &str) -> bool {
    match Host::parse(host) {
        Host::Address(address) => address.is_loopback(),
        Host::Name(name) => is_below(&name, "localhost"),
    }
}

enum Host {
    Address(IpAddr),
    Name(String),
}

impl Host {
    fn parse(host: &str) -> Self {
        match address(host) {
            Some(address) => Self::Address(address),
            // A trailing dot does not change the name.
            None => Self::Name(host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()),
        }
    }
}

impl Entry {
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self::Everything);
        }
        if let Some(address) = address(entry) {
            return Some(Self::Address { address, port: None });
        }
        if let Some((network, prefix)) = entry.split_once('/') {
            let address = address(network)?;
            let prefix = prefix.parse().ok().filter(|&prefix| prefix <= width(address))?;
            return Some(Self::Network { address, prefix });
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        if let Some(address) = address(host) {
            return Some(Self::Address { address, port });
        }
        let name = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
        let name = name.strip_prefix('.').unwrap_or(name);
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let is_name = !name.is_empty() && !name.contains(['*', ':', '[', ']', '@']);
        is_name.then_some(Self::Host { name, port })
    }

    fn matches(&self, host: &Host, at: u16) -> bool {
        match (self, host) {
            (Self::Everything, _) => true,
            (Self::Host { name, port }, Host::Name(host)) => {
                port.is_none_or(|port| port == at) && is_below(host, name)
            }
            (Self::Address { address, port }, Host::Address(host)) => {
                port.is_none_or(|port| port == at) && address == host
            }
            (Self::Network { address, prefix }, Host::Address(host)) => {
                is_within(*host, *address, *prefix)
            }
            _ => false,
        }
    }
}

/// Parses an address, in brackets or not. IPv4-mapped IPv6 is treated as IPv4.
fn address(text: &str) -> Option<IpAddr> {
    let address = match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => IpAddr::V6(inner.parse::<Ipv6Addr>().ok()?),
        None => text.parse().ok()?,
    };
    Some(address.to_canonical())
}

/// Returns whether `name` is `domain` or a name below it.
fn is_below(name: &str, domain: &str) -> bool {
    match name.strip_suffix(domain) {
        Some(rest) => rest.is_empty() || rest.ends_with('.'),
        None => false,
    }
}

const fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => u32::BITS,
        IpAddr::V6(_) => u128::BITS,
    }
}

fn is_within(address: IpAddr, network: IpAddr, prefix: u32) -> bool {
    let differing = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            u128::from(u32::from(address) ^ u32::from(network))
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => u128::from(address) ^ u128::from(network),
        _ => return false,
    };
    // The bits past the prefix may differ. A shift by the full width overflows, hence
    // `checked_shr`.
    differing.checked_shr(width(network).saturating_sub(prefix)).unwrap_or(0) == 0
}
