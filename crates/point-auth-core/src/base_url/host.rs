//! Parses the host and port of a base URL, so that no HTTP client reads them differently.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::BaseUrlError;

/// A host in its normal form.
pub(super) enum Host {
    Name(String),
    Ip(IpAddr),
}

const MAX_NAME_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;

/// Splits `authority` into its host and its port, if it has one.
pub(super) fn split_port(authority: &str) -> Result<(&str, Option<u16>), BaseUrlError> {
    // The colons of an IPv6 address are inside the brackets.
    let after_address = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let Some(colon) = authority.get(after_address..).and_then(|rest| rest.find(':')) else {
        return Ok((authority, None));
    };
    let (host, port) = authority.split_at(after_address + colon);
    let digits = port.strip_prefix(':').unwrap_or(port);
    // `u16::from_str` would accept a sign too.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BaseUrlError::Port);
    }
    match digits.parse() {
        Ok(0) | Err(_) => Err(BaseUrlError::Port),
        Ok(port) => Ok((host, Some(port))),
    }
}

impl Host {
    pub(super) fn parse(text: &str) -> Result<Self, BaseUrlError> {
        if text.is_empty() {
            return Err(BaseUrlError::NoHost);
        }
        if let Some(address) = text.strip_prefix('[') {
            let address = address.strip_suffix(']').ok_or(BaseUrlError::Host)?;
            let ip = address.parse::<Ipv6Addr>().map_err(|_| BaseUrlError::Host)?;
            // IPv4-mapped IPv6 has two normal forms, so only the IPv4 form is accepted.
            return if ip.to_ipv4_mapped().is_some() {
                Err(BaseUrlError::Host)
            } else {
                Ok(Self::Ip(ip.into()))
            };
        }
        if let Ok(ip) = text.parse::<Ipv4Addr>() {
            return Ok(Self::Ip(ip.into()));
        }
        let name = text.to_ascii_lowercase();
        if name.len() > MAX_NAME_BYTES || !name.split('.').all(is_label) || ends_in_a_number(&name)
        {
            return Err(BaseUrlError::Host);
        }
        Ok(Self::Name(name))
    }

    pub(super) fn is_loopback(&self) -> bool {
        match self {
            Self::Name(name) => name == "localhost",
            Self::Ip(ip) => ip.is_loopback(),
        }
    }
}

/// Letters, digits and hyphens; and underscores, which are in use although no standard allows them.
fn is_label(label: &str) -> bool {
    let allowed =
        label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    !label.is_empty() && label.len() <= MAX_LABEL_BYTES && allowed
}

/// Returns whether some clients would read the name as an IPv4 address, such as `127.1` or
/// `0x7f000001` (URL Standard, "ends in a number").
fn ends_in_a_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let hexadecimal = last
        .strip_prefix("0x")
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hexadecimal || last.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}
