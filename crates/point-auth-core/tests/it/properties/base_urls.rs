//! A base URL, or a path joined to it, is refused or read as in the URL Standard.

use http::Uri;
use point_auth_core::{BaseUrl, Refresh, SignIn};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseError;
use url::Url;

fn host() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "localhost",
        "LOCALHOST",
        "127.0.0.1",
        "127.1",
        "127.0.0.01",
        "0x7f.1",
        "1.2.3.4",
        "1.2.3.4.",
        "[::1]",
        "[::]",
        "[::ffff:1.2.3.4]",
        "[::1.2.3.4]",
        "[2001:DB8::0:1]",
        "[1:0:0:2:0:0:0:3]",
        "[1:0:2:3:4:5:6:7]",
        "xn--bcher-kva.example",
        "a_b.example",
        "-a-.example",
        "a.example.",
        "",
        "%61.example",
        "user@a.example",
        "a.example\u{ad}",
    ]);
    prop_oneof![
        3 => "[a-zA-Z0-9-]{1,8}(\\.[a-zA-Z0-9_-]{1,8}){0,3}",
        3 => odd.prop_map(str::to_owned),
        1 => any::<u32>().prop_map(|address| std::net::Ipv4Addr::from(address).to_string()),
        1 => any::<[u16; 8]>().prop_map(|address| format!("[{}]", std::net::Ipv6Addr::from(address))),
        1 => vec(select(vec!["0", "00", "1", "ffff", ""]), 2..8).prop_map(|groups| format!("[{}]", groups.join(":"))),
    ]
}

fn port() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(String::new()),
        2 => any::<u16>().prop_map(|port| format!(":{port}")),
        1 => select(vec![":", ":0", ":00443", ":+1", ":65536", ":80", ":443", ":1:2"]).prop_map(str::to_owned),
    ]
}

fn path() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        4 => "[a-zA-Z0-9._~!$&'()*+,;=:@-]{0,6}",
        2 => select(vec!["", ".", "..", "...", "%2e", "%2E.", ".%2e", "%2f", "%5C", "%", "%zz", "%00", "%252e"])
            .prop_map(str::to_owned),
    ];
    vec(segment, 0..4)
        .prop_map(|segments| segments.iter().map(|segment| format!("/{segment}")).collect())
}

/// Almost a base URL, with up to two characters inserted anywhere.
fn nearly_a_base_url() -> impl Strategy<Value = String> {
    let scheme = prop_oneof![
        6 => select(vec!["https://", "http://"]),
        1 => select(vec!["HTTPS://", "hTTp://", "ftp://", "https:/", "https:", "//", "", "https:\\\\"]),
    ];
    let rest = prop_oneof![6 => Just(String::new()), 1 => "[?#][a-z?#@/]{0,3}"];
    let inserted = vec(
        (
            any::<Index>(),
            select(" \t\r\n\0\\/?#@:[]%.|^`<>\"{}é\u{ff0e}\u{200d}0-x".chars().collect::<Vec<_>>()),
        ),
        0..3,
    );
    let damaged = prop_oneof![2 => Just(Vec::new()), 1 => inserted];
    (scheme, host(), port(), path(), rest, damaged).prop_map(
        |(scheme, host, port, path, rest, damaged)| {
            let mut text: Vec<char> = format!("{scheme}{host}{port}{path}{rest}").chars().collect();
            for (index, c) in damaged {
                text.insert(index.index(text.len() + 1), c);
            }
            text.into_iter().collect()
        },
    )
}

/// Returns `uri` as both libraries read it.
fn read_alike(uri: &Uri) -> Result<Url, TestCaseError> {
    let text = uri.to_string();
    let url = match Url::parse(&text) {
        Ok(url) => url,
        Err(error) => {
            return Err(TestCaseError::fail(format!("the URL Standard refuses {text}: {error}")));
        }
    };
    prop_assert_eq!(url.as_str(), &text, "the URL Standard writes it differently");
    prop_assert_eq!(Some(url.scheme()), uri.scheme_str());
    prop_assert_eq!(url.host_str(), uri.host());
    prop_assert_eq!(url.port(), uri.port_u16());
    prop_assert_eq!(url.path(), uri.path());
    prop_assert_eq!(url.query(), uri.query());
    prop_assert_eq!(url.fragment(), None);
    prop_assert_eq!(url.username(), "");
    prop_assert_eq!(url.password(), None);
    prop_assert!(!uri.path().contains("//"), "an empty segment in {}", text);
    let lower = uri.path().to_ascii_lowercase().replace("%2e", ".");
    prop_assert!(
        lower.split('/').all(|segment| segment != "." && segment != ".."),
        "a dot segment in {}",
        text
    );
    Ok(url)
}

/// Returns whether a name only looks like Punycode: the URL Standard refuses it, and it cannot be
/// looked up.
fn is_no_punycode(uri: &Uri) -> bool {
    Url::parse(&uri.to_string()).is_err() && uri.host().is_some_and(|host| host.contains("xn--"))
}

fn joined_below(base: &BaseUrl, path: &str) -> Result<(), TestCaseError> {
    let whole: Uri = base.as_str().parse().unwrap();
    if is_no_punycode(&whole) {
        return Ok(());
    }
    let Ok(uri) = base.join(path) else { return Ok(()) };
    read_alike(&uri)?;
    prop_assert_eq!(uri.host(), whole.host());
    prop_assert_eq!(uri.port_u16(), whole.port_u16());
    prop_assert_eq!(uri.to_string(), format!("{base}{path}"));
    Ok(())
}

proptest! {
    #![proptest_config(super::config())]

    #[test]
    fn a_base_url_is_refused_or_read_alike_by_all(text in nearly_a_base_url()) {
        let Ok(base) = BaseUrl::parse(&text) else { return Ok(()) };
        for path in [SignIn::PATH, Refresh::PATH, "/", "/x/?y"] {
            prop_assert!(base.join(path).is_ok(), "{path}");
            joined_below(&base, path)?;
        }
        prop_assert!(!base.as_str().ends_with('/'));
        let again = BaseUrl::parse(base.as_str());
        prop_assert_eq!(again.as_ref().map(BaseUrl::as_str), Ok(base.as_str()));
        // The input and the normalized URL have one address.
        let whole: Uri = base.as_str().parse().unwrap();
        if !is_no_punycode(&whole) {
            let given = Url::parse(&text).unwrap();
            prop_assert_eq!(given.host_str(), whole.host());
            prop_assert_eq!(given.port(), whole.port_u16());
            prop_assert_eq!(given.scheme(), whole.scheme_str().unwrap());
            prop_assert_eq!(given.path().trim_end_matches('/'), whole.path().trim_end_matches('/'));
        }
        if whole.scheme_str() == Some("http") {
            let host = whole.host().unwrap();
            prop_assert!(host.starts_with("127.") || host == "[::1]" || host == "localhost", "{host}");
        }
    }

    #[test]
    fn a_host_is_accepted_in_the_form_of_the_url_standard(host in host(), port in proptest::option::of(1..=u16::MAX)) {
        let text = port.map_or_else(|| format!("https://{host}"), |port| format!("https://{host}:{port}"));
        if let Ok(base) = BaseUrl::parse(&text) {
            joined_below(&base, SignIn::PATH)?;
        }
    }

    #[test]
    fn a_joined_path_is_refused_or_below_the_base(
        path in path(),
        query in prop_oneof![Just(String::new()), "\\?[!-~]{0,8}", "\\?[a-zA-Z0-9%/?'=&]{0,8}"],
        inserted in proptest::option::of((any::<Index>(), select("@:\\/#? é.".chars().collect::<Vec<_>>()))),
    ) {
        let mut text: Vec<char> = format!("{path}{query}").chars().collect();
        if let Some((index, c)) = inserted {
            text.insert(index.index(text.len() + 1), c);
        }
        let path: String = text.into_iter().collect();
        for base in ["https://gateway.example", "https://gateway.example:8443/point", "http://[::1]:80"] {
            joined_below(&BaseUrl::parse(base).unwrap(), &path)?;
        }
    }

    #[test]
    fn no_text_causes_a_panic(text in any::<String>()) {
        let _ = BaseUrl::parse(&text);
        let _ = BaseUrl::production().join(&text);
    }
}
