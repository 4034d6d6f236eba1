//! Base URLs: which are refused and why, and how the others are normalized.

use point_auth_core::{BaseUrl, BaseUrlError, Refresh, SignIn};

#[test]
fn each_refusal_has_its_own_reason() {
    use BaseUrlError::*;

    let long = format!("https://gateway.example/{}", "a".repeat(BaseUrl::MAX_BYTES));
    let long_label = format!("https://{}.example", "a".repeat(64));
    let long_name = format!("https://{}example", "a.".repeat(130));
    let refused = [
        (long.as_str(), TooLong),
        (" https://gateway.example", Character),
        ("https://gateway.example ", Character),
        ("https://gateway.example/\r\nHost: evil", Character),
        ("https://gate\tway.example", Character),
        ("https://gateway.example/\0", Character),
        ("https://gateway.example/\u{7f}", Character),
        ("https://gäteway.example", Character),
        ("https://gateway.example/ä", Character),
        ("https://gateway.example\u{3002}com", Character),
        ("https:\\\\gateway.example", Backslash),
        ("https://gateway.example\\@evil.example", Backslash),
        ("https://gateway.example/a\\b", Backslash),
        ("", Scheme),
        ("gateway.example", Scheme),
        ("//gateway.example", Scheme),
        ("https:gateway.example", Scheme),
        ("https:/gateway.example", Scheme),
        ("https", Scheme),
        ("://gateway.example", Scheme),
        ("ftp://gateway.example", Scheme),
        ("ws://gateway.example", Scheme),
        ("file:///etc/passwd", Scheme),
        ("httpss://gateway.example", Scheme),
        ("view-source:https://gateway.example", Scheme),
        ("http://gateway.example", Insecure),
        ("http://128.0.0.1", Insecure),
        ("http://0.0.0.0", Insecure),
        ("http://192.168.1.1", Insecure),
        ("http://[::2]", Insecure),
        ("http://[::]", Insecure),
        ("http://[::7f00:1]", Insecure),
        ("http://localhost.example", Insecure),
        ("http://a.localhost", Insecure),
        ("http://localhost-evil", Insecure),
        ("http://127.0.0.1.example", Insecure),
        ("https://jane@gateway.example", UserInfo),
        ("https://jane:s3cret@gateway.example", UserInfo),
        ("https://@gateway.example", UserInfo),
        ("https://:@gateway.example", UserInfo),
        ("https://localhost:80@evil.example", UserInfo),
        ("http://127.0.0.1@evil.example/", UserInfo),
        ("https://gateway.example?", Query),
        ("https://gateway.example?a=b", Query),
        ("https://gateway.example/a?b", Query),
        ("https://gateway.example?@evil.example", Query),
        ("https://gateway.example#", Fragment),
        ("https://gateway.example/a#b", Fragment),
        ("https://gateway.example#@evil.example", Fragment),
        ("https://gateway.example#?a", Fragment),
        ("https://", NoHost),
        ("https:///", NoHost),
        ("https:///path", NoHost),
        ("https://:443", NoHost),
        ("https://.", Host),
        ("https://gateway.example.", Host),
        ("https://.example", Host),
        ("https://gateway..example", Host),
        ("https://gate%77ay.example", Host),
        ("https://gate*way.example", Host),
        ("https://gateway.example,evil.example", Host),
        ("https://gateway.example;x", Host),
        ("https://gateway.example&x", Host),
        ("https://<gateway>", Host),
        ("https://[gateway.example]", Host),
        ("https://[::1", Port),
        ("https://::1]", Host),
        ("https://::1", Port),
        ("https://[::1]evil.example", Host),
        ("https://[fe80::1%25eth0]", Host),
        ("https://[::ffff:127.0.0.1]", Host),
        ("http://[::ffff:127.0.0.1]", Host),
        ("https://[]", Host),
        ("https://127.1", Host),
        ("http://127.1", Host),
        ("https://2130706433", Host),
        ("https://0x7f000001", Host),
        ("https://0x7f.0.0.1", Host),
        ("https://0X7F000001", Host),
        ("https://gateway.0x", Host),
        ("https://gateway.0xFf", Host),
        ("https://0177.0.0.1", Host),
        ("https://1.2.3.4.5", Host),
        ("https://256.1.1.1", Host),
        ("https://gateway.1", Host),
        (long_label.as_str(), Host),
        (long_name.as_str(), Host),
        ("https://gateway.example:", Port),
        ("https://gateway.example:0", Port),
        ("https://gateway.example:65536", Port),
        ("https://gateway.example:+443", Port),
        ("https://gateway.example:-1", Port),
        ("https://gateway.example:44x", Port),
        ("https://gateway.example:443:443", Port),
        ("https://[::1]:", Port),
        ("https://gateway.example:https", Port),
        ("https://gateway.example//", Path),
        ("https://gateway.example/a//", Path),
        ("https://gateway.example//a", Path),
        ("https://gateway.example/a//b", Path),
        ("https://gateway.example/.", Path),
        ("https://gateway.example/..", Path),
        ("https://gateway.example/a/../b", Path),
        ("https://gateway.example/a/%2e%2e/b", Path),
        ("https://gateway.example/a/.%2E", Path),
        ("https://gateway.example/%2e", Path),
        ("https://gateway.example/a%", Path),
        ("https://gateway.example/a%2", Path),
        ("https://gateway.example/a%g0", Path),
        ("https://gateway.example/a|b", Path),
        ("https://gateway.example/a^b", Path),
        ("https://gateway.example/{a}", Path),
        ("https://gateway.example/\"", Path),
        ("https://gateway.example/<a>", Path),
        ("https://gateway.example/`", Path),
        ("https://gateway.example/[a]", Path),
    ];
    for (text, reason) in refused {
        assert_eq!(BaseUrl::parse(text), Err(reason), "{text}");
    }
}

#[test]
fn every_reason_has_its_own_text() {
    use BaseUrlError::*;
    let reasons = [
        TooLong, Character, Backslash, Scheme, Insecure, UserInfo, Query, Fragment, NoHost, Host,
        Port, Path,
    ];
    let texts: std::collections::HashSet<String> =
        reasons.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), reasons.len());
}

#[test]
fn what_is_accepted_is_normalized() {
    let longest_path = "a".repeat(BaseUrl::MAX_BYTES - "https://gateway.example/".len());
    let longest = format!("https://gateway.example/{longest_path}");
    let accepted = [
        ("https://gateway.example", "https://gateway.example"),
        ("https://gateway.example/", "https://gateway.example"),
        ("HTTPS://GateWay.Example", "https://gateway.example"),
        ("https://gateway.example:443", "https://gateway.example"),
        ("https://gateway.example:0443/", "https://gateway.example"),
        ("https://gateway.example:8443", "https://gateway.example:8443"),
        ("https://gateway.example:80", "https://gateway.example:80"),
        ("https://gateway.example/Point/services/", "https://gateway.example/Point/services"),
        ("https://gateway.example/a%20b;c=d,e@f:g", "https://gateway.example/a%20b;c=d,e@f:g"),
        ("https://gateway.example/...", "https://gateway.example/..."),
        ("https://a_b.x-y.example", "https://a_b.x-y.example"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://10.0.0.1", "https://10.0.0.1"),
        ("https://[2001:DB8:0:0:0:0:0:1]", "https://[2001:db8::1]"),
        ("https://[2001:db8::1]:8443/a", "https://[2001:db8::1]:8443/a"),
        ("http://localhost", "http://localhost"),
        ("http://LOCALHOST:8080/", "http://localhost:8080"),
        ("http://localhost:80", "http://localhost"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://127.255.255.254", "http://127.255.255.254"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
        (longest.as_str(), longest.as_str()),
    ];
    for (text, normalized) in accepted {
        let base = BaseUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(base.as_str(), normalized, "{text}");
        assert_eq!(base.to_string(), normalized, "{text}");
        assert_eq!(
            base.join(SignIn::PATH).unwrap().to_string(),
            format!("{normalized}{}", SignIn::PATH)
        );
        assert_eq!(base.join("/x?y").unwrap().to_string(), format!("{normalized}/x?y"));
        assert_eq!(BaseUrl::parse(normalized).as_ref(), Ok(&base));
        assert_eq!(normalized.parse().as_ref(), Ok(&base));
    }
}

#[test]
fn production_is_what_parsing_its_url_gives() {
    let (production, parsed) =
        (BaseUrl::production(), BaseUrl::parse("https://api.pointservices.com").unwrap());
    assert_eq!(production, parsed);
    assert_eq!(production.as_str(), parsed.as_str());
    for path in [SignIn::PATH, Refresh::PATH, "/other"] {
        assert_eq!(production.join(path).unwrap(), parsed.join(path).unwrap());
    }
}

#[test]
fn a_refusal_does_not_repeat_the_url() {
    for text in [
        "https://jane:s3cret-canary@gateway.example",
        "s3cret-canary",
        "https://gateway.example/?s3cret-canary",
        "https://s3cret-canary-é",
        "https://gateway.example/s3cret-canary//",
    ] {
        let error = BaseUrl::parse(text).unwrap_err();
        assert!(!crate::support::all_it_says(&error).contains("canary"), "{text}");
    }
}

#[test]
fn different_spellings_of_one_url_are_one_key() {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let hash = |base: &BaseUrl| {
        let mut hasher = DefaultHasher::new();
        base.hash(&mut hasher);
        hasher.finish()
    };
    let [one, same, other] = [
        "https://gateway.example/a",
        "HTTPS://GATEWAY.example:443/a/",
        "https://gateway.example/b",
    ]
    .map(|text| BaseUrl::parse(text).unwrap());
    assert_eq!((&one, hash(&one)), (&same, hash(&same)));
    assert_ne!(one, other);
    assert_ne!(hash(&one), hash(&other));
}

#[test]
fn a_name_has_253_characters_at_the_most_and_each_of_its_labels_63() {
    let label = "a".repeat(63);
    let name = |last: usize| format!("https://{label}.{label}.{label}.{}", "b".repeat(last));
    assert_eq!(BaseUrl::parse(&name(61)).map(|base| base.to_string()), Ok(name(61)));
    assert_eq!(BaseUrl::parse(&name(62)), Err(BaseUrlError::Host));
}

#[test]
fn a_url_that_is_too_long_in_its_normal_form_is_refused() {
    // One zero is written out: `1:0:2:3:4:5:6:7`.
    let host = "https://[1::2:3:4:5:6:7]/";
    let path = |length: usize| format!("{host}{}", "a".repeat(length - host.len()));
    assert_eq!(BaseUrl::parse(&path(BaseUrl::MAX_BYTES)), Err(BaseUrlError::TooLong));
    let base = BaseUrl::parse(&path(BaseUrl::MAX_BYTES - 1)).unwrap();
    assert_eq!(base.as_str().len(), BaseUrl::MAX_BYTES);
    assert_eq!(BaseUrl::parse(base.as_str()).as_ref(), Ok(&base));
}
