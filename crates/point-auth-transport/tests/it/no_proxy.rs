//! The hosts that are reached without the proxy.

use http::Uri;
use point_auth_transport::ProxySettings;
use proptest::prelude::*;

/// Returns whether a request to `https://{host}/` goes through the proxy with this `NO_PROXY` list.
fn is_proxied(list: &str, host: &str) -> bool {
    let settings = ProxySettings::url("http://proxy.example:3128").unwrap().with_no_proxy(list);
    let uri: Uri = format!("https://{host}/").parse().unwrap();
    settings.resolve().unwrap().proxy_for(&uri).is_some()
}

#[track_caller]
fn check(list: &str, direct: &[&str], proxied: &[&str]) {
    for host in direct {
        assert!(!is_proxied(list, host), "{host} is on {list:?}");
    }
    for host in proxied {
        assert!(is_proxied(list, host), "{host} is not on {list:?}");
    }
}

#[test]
fn a_host_matches_itself_and_all_hosts_below_it() {
    for list in ["example.com", ".example.com", "*.example.com", "EXAMPLE.com", "example.com."] {
        check(
            list,
            &[
                "example.com",
                "api.example.com",
                "a.b.EXAMPLE.com",
                "example.com.",
                "example.com:8443",
            ],
            &["badexample.com", "example.com.evil.net", "example.org", "com"],
        );
    }
}

#[test]
fn a_star_matches_everything() {
    check("*", &["example.com", "10.0.0.1", "[2001:db8::1]"], &[]);
    check("other.net, *", &["example.com"], &[]);
}

#[test]
fn an_empty_list_and_invalid_entries_match_nothing() {
    for list in [
        "",
        " ",
        ",, ,",
        ".",
        "*.",
        "exa*ple.com",
        "*example.com",
        "example.com:port",
        "10.0.0.0/33",
        "[::1",
        "::/129",
        "/8",
    ] {
        check(list, &[], &["example.com", "10.0.0.1", "[2001:db8::1]"]);
    }
}

#[test]
fn entries_are_separated_by_commas_and_white_space() {
    check("a.com,b.com", &["a.com", "b.com"], &["c.com"]);
    check(" a.com , b.com\tc.com\n", &["a.com", "b.com", "c.com"], &["d.com"]);
}

#[test]
fn an_entry_with_a_port_matches_that_port_alone() {
    check(
        "example.com:8443",
        &["example.com:8443", "api.example.com:8443"],
        &["example.com", "example.com:443"],
    );
    check("example.com:443", &["example.com", "example.com:443"], &["example.com:8443"]);
    check("10.0.0.1:8443", &["10.0.0.1:8443"], &["10.0.0.1"]);
    check("[2001:db8::1]:8443", &["[2001:db8::1]:8443"], &["[2001:db8::1]"]);
}

#[test]
fn an_address_matches_itself_in_any_form() {
    check(
        "10.0.0.1",
        &["10.0.0.1", "10.0.0.1:8443", "[::ffff:10.0.0.1]"],
        &["10.0.0.10", "110.0.0.1"],
    );
    for list in ["2001:db8::1", "[2001:db8::1]", "2001:0DB8:0:0:0:0:0:1"] {
        check(list, &["[2001:db8::1]", "[2001:db8:0:0::1]:8443"], &["[2001:db8::2]", "10.0.0.1"]);
    }
    check("0.1", &[], &["10.0.0.1"]);
}

#[test]
fn a_network_matches_its_addresses_and_no_name() {
    check(
        "10.0.0.0/8",
        &["10.0.0.0", "10.255.255.255"],
        &["11.0.0.0", "9.255.255.255", "example.com", "[a00::]"],
    );
    check("10.1.2.3/8", &["10.200.0.1"], &["11.0.0.0"]);
    check("192.168.1.128/25", &["192.168.1.128", "192.168.1.255"], &["192.168.1.127"]);
    check("10.0.0.1/32", &["10.0.0.1"], &["10.0.0.2"]);
    check("0.0.0.0/0", &["10.0.0.1", "203.0.113.9"], &["[2001:db8::1]", "example.com"]);
    check("2001:db8::/32", &["[2001:db8:ffff::1]"], &["[2001:db9::1]", "10.0.0.1"]);
    check("::/0", &["[2001:db8::1]"], &["10.0.0.1"]);
}

#[test]
fn loopback_never_goes_through_a_proxy() {
    check(
        "",
        &[
            "127.0.0.1",
            "127.255.0.1:8443",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
        ],
        &["128.0.0.1", "notlocalhost", "localhost.example", "[::2]"],
    );
}

#[test]
fn a_plain_url_never_goes_through_a_proxy() {
    let resolver = ProxySettings::url("http://proxy.example").unwrap().resolve().unwrap();
    assert!(resolver.proxy_for(&Uri::from_static("http://example.com/")).is_none());
    assert!(resolver.proxy_for(&Uri::from_static("/path")).is_none());
    assert!(resolver.proxy_for(&Uri::from_static("https://example.com/")).is_some());
}

proptest! {
    #[test]
    fn no_list_and_no_host_cause_a_panic(list in ".{0,60}", host in "[a-z0-9.-]{1,20}", port in any::<u16>()) {
        let _ = is_proxied(&list, &host);
        let _ = is_proxied(&list, &format!("{host}:{port}"));
    }

    #[test]
    fn a_network_matches_by_its_first_bits(address in any::<u32>(), other in any::<u32>(), prefix in 0_u32..=32) {
        let (address, other) = (address | 0x8000_0000, other | 0x8000_0000); // not loopback
        let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
        let list = format!("{}/{prefix}", std::net::Ipv4Addr::from(address));
        let host = std::net::Ipv4Addr::from(other).to_string();
        prop_assert_eq!(is_proxied(&list, &host), address & mask != other & mask);
    }

    #[test]
    fn a_host_that_is_listed_is_reached_directly_with_everything_below_it(
        host in "[a-z]{1,8}\\.[a-z]{2,5}", below in "[a-z]{1,8}",
    ) {
        let list = format!("other.example, {host}");
        prop_assert!(!is_proxied(&list, &host));
        let sub = format!("{below}.{host}");
        let grown = format!("{below}{host}");
        prop_assert!(!is_proxied(&list, &sub));
        prop_assert!(is_proxied(&list, &grown) || grown.ends_with("other.example"));
    }
}
