//! What fuzzing begins with, made from core's own tests: the table of answers, and the stories that
//! once failed.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::answers::SECRET;

/// Longer bodies teach the fuzzer nothing and slow it down.
const MOST_BYTES: usize = 4096;

/// The inputs of each target, by its name.
pub type Seeds = Vec<(&'static str, Vec<Vec<u8>>)>;

/// The seeds of all targets.
///
/// # Panics
/// When the table of answers is not what it was.
pub fn seeds() -> Seeds {
    let table: Value = serde_json::from_str(include_str!("../../tests/answers.json")).unwrap();
    let entries = table["answers"].as_array().unwrap();
    let texts = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    let waits: Vec<Vec<u8>> = texts(&WAITS);
    let mut seeds: Seeds = vec![
        ("answers", entries.iter().filter_map(answer).collect()),
        ("base_urls", texts(&BASE_URLS)),
        ("ledger", histories()),
        ("retry_after", entries.iter().filter_map(wait).chain(waits).collect()),
        ("sessions", stories()),
        ("stored_tokens", texts(&STORED)),
    ];
    for (_, inputs) in &mut seeds {
        inputs.retain(|input| input.len() <= MOST_BYTES);
        inputs.sort();
        inputs.dedup();
    }
    seeds
}

/// The stories in a file of proptest: the numbers behind `marker`, eight bytes each.
fn failed(file: &str, marker: &str) -> Vec<Vec<u8>> {
    let story = |line: &str| {
        let (_, story) = line.split_once(marker)?;
        let numbers = story.split(|c: char| !c.is_ascii_digit()).flat_map(str::parse::<u64>);
        Some(numbers.flat_map(u64::to_le_bytes).collect())
    };
    file.lines().filter_map(story).collect()
}

/// Stories that once failed, and some by chance, each with every beginning.
fn stories() -> Vec<Vec<u8>> {
    let file = include_str!("../../tests/session/properties.proptest-regressions");
    with_first(5, &[failed(file, "seed = "), by_chance(100, 100)].concat())
}

fn histories() -> Vec<Vec<u8>> {
    let file = include_str!("../../tests/session/ledger_attacks.proptest-regressions");
    with_first(10, &[failed(file, "steps = "), by_chance(20, 120)].concat())
}

/// Each input behind each byte below `count`.
fn with_first(count: u8, inputs: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let behind = |first: u8| move |input: &Vec<u8>| [&[first], input.as_slice()].concat();
    (0..count).flat_map(|first| inputs.iter().map(behind(first))).collect()
}

/// Numbers of a congruential generator.
fn by_chance(count: u64, steps: usize) -> Vec<Vec<u8>> {
    let input = |start: u64| {
        let mut state = start;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state ^ (state >> 29)).to_le_bytes()
        };
        (0..steps).flat_map(|_| next()).collect()
    };
    (1..=count).map(input).collect()
}

/// An entry of the table as the target `answers` reads it.
fn answer(entry: &Value) -> Option<Vec<u8>> {
    let mut input = format!("{} {}", entry["operation"].as_str()?, entry["status"]).into_bytes();
    let body = match (&entry["body"], &entry["body_base64"]) {
        (Value::String(text), _) => text.as_bytes().to_vec(),
        (_, Value::String(text)) => BASE64_STANDARD.decode(text).ok()?,
        _ => parts(&entry["body_parts"])?,
    };
    let is_space = |byte: &u8| *byte == b' ';
    let spaces = body.iter().take_while(|byte| is_space(byte)).count();
    input.extend_from_slice(format!(" {spaces}\n").as_bytes());
    for header in entry["headers"].as_array()? {
        input.extend_from_slice(
            format!("{}: {}\n", header[0].as_str()?, header[1].as_str()?).as_bytes(),
        );
    }
    input.push(b'\n');
    input.extend_from_slice(body.get(spaces..)?);
    let request = &entry["request"];
    let secret = request["password"].as_str().or(request["refresh_token"].as_str())?;
    match String::from_utf8(input) {
        Ok(text) => {
            let inner = |text: &str| Value::from(text).to_string().trim_matches('"').to_owned();
            Some(text.replace(&inner(secret), &inner(SECRET)).into_bytes())
        }
        Err(error) => Some(error.into_bytes()),
    }
}

fn parts(parts: &Value) -> Option<Vec<u8>> {
    let mut body = String::new();
    for part in parts.as_array()? {
        match part.as_str() {
            Some(text) => body.push_str(text),
            None => body.push_str(
                &part["repeat"].as_str()?.repeat(part["times"].as_u64()?.try_into().ok()?),
            ),
        }
    }
    Some(body.into_bytes())
}

/// The values of `retry-after` in an entry.
fn wait(entry: &Value) -> Option<Vec<u8>> {
    let headers = entry["headers"].as_array()?;
    let values = headers.iter().filter(|header| {
        header[0].as_str().is_some_and(|name| name.eq_ignore_ascii_case("retry-after"))
    });
    let values: Vec<&str> = values.filter_map(|header| header[1].as_str()).collect();
    (!values.is_empty()).then(|| format!("784111777\n{}", values.join("\n")).into_bytes())
}

const BASE_URLS: [&str; 40] = [
    "https://api.pointservices.com\n/user-management-services-ws/oauth2/002/signInWithPassword",
    "https://api.pointservices.com/\n/x/?y=z",
    "HTTPS://Gateway.Example:443/Point/\n/%41%2f",
    "https://gateway.example:8443/point/services\n/a/../b",
    "http://localhost:80\n/",
    "http://127.0.0.1:8080/\n/a//b",
    "http://127.255.0.1\n//",
    "http://[::1]:3000/x\n/./",
    "http://[::1]\n/%2e/",
    "https://[2001:DB8:0:0::1]:8443\n/.%2E",
    "https://[1::2:3:4:5:6:7]\n/a?b?c",
    "https://[::ffff:1.2.3.4]\n/a?b'c",
    "https://[::1.2.3.4]\n/a#b",
    "https://1.2.3.4:65535\n/a\\b",
    "https://1.2.3.4.\n/a b",
    "https://127.1\n/é",
    "https://0x7f.1\n/%zz",
    "https://127.0.0.01\n/%",
    "https://a_b.example\n/a;b=c,d",
    "https://-a-.example\n/~!$&'()*+",
    "https://xn--bcher-kva.example\n/@:",
    "https://xn--.example\n/%00",
    "https://example.com:0\n",
    "https://example.com:+1\nx",
    "https://example.com:\n/a/",
    "https://example.com:00443\n/a/.",
    "https://user:password@example.com\n/",
    "https://example.com?x\n/",
    "https://example.com#x\n/",
    "http://example.com\n/",
    "ftp://example.com\n/",
    "https:/example.com\n/",
    "https://\n/",
    "https:///x\n/",
    "https://example.com\\x\n/",
    "https://exa mple.com\n/",
    "https://exämple.com\n/",
    "https://example.com/%2E%2e/x\n/",
    "https://example.com/a//\n/",
    "https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example\n/",
];

const WAITS: [&str; 16] = [
    "0\n120",
    "0\n0",
    "0\n00000000000000000000000000000000000000007",
    "0\n4294967295",
    "0\n4294967296",
    "0\n18446744073709551616",
    "784111777\nSun, 06 Nov 1994 08:49:37 GMT",
    "784111778\nSun, 06 Nov 1994 08:49:37 GMT",
    "0\nSunday, 06-Nov-94 08:49:37 GMT",
    "0\nSun Nov  6 08:49:37 1994",
    "-9223372036854775808\nFri, 31 Dec 9999 23:59:59 GMT",
    "9223372036854775807\nThu, 01 Jan 1970 00:00:00 GMT",
    "0\nsoon\n\t 7 \n8",
    "0\n-1\n+1\n1.5",
    "0\nMon, 29 Feb 2100 00:00:00 GMT\n5",
    "0\nTue, 29 Feb 2000 24:00:60 GMT",
];

const STORED: [&str; 24] = [
    r#"{"base":"https://api.pointservices.com","username":"jane","user_alias":"j","access_token":"a","asked_at":1767225600,"expires_in":3600,"refresh_token":"r","refresh_token_came_at":1767225600}"#,
    "1767225601\n{\"base\":\"https://api.pointservices.com\",\"username\":null,\"access_token\":\"a\",\"asked_at\":1767225600,\"expires_in\":3600}",
    "1767229300\n{\"base\":\"https://api.pointservices.com\",\"access_token\":\"a\",\"asked_at\":1767225600,\"expires_in\":3600,\"refresh_token\":\"r\",\"refresh_token_came_at\":1767225600}",
    "1767225500\n{\"base\":\"https://api.pointservices.com\",\"access_token\":\"a\",\"asked_at\":1767225600,\"expires_in\":3600}",
    "1767229191\n{\"base\":\"https://api.pointservices.com\",\"access_token\":\"a\",\"asked_at\":1767225600,\"expires_in\":3600}",
    "0\n{\"base\":\"https://api.pointservices.com\",\"access_token\":\"a\",\"asked_at\":0,\"expires_in\":1}",
    "9\n{\"base\":\"https://api.pointservices.com\",\"refresh_token\":\"r\",\"refresh_token_came_at\":0,\"expires_in\":0}",
    "9\n{\"base\":\"http://[::1]\",\"refresh_token\":\"r\",\"refresh_token_came_at\":0,\"expires_in\":0}",
    r#"{"base":"","expires_in":0}"#,
    r#"{"base":"b","expires_in":18446744073709551615,"access_token":"a","asked_at":18446744073709551615}"#,
    r#"{"base":"b","expires_in":18446744073709551616}"#,
    r#"{"base":"b","expires_in":-1}"#,
    r#"{"base":"b","expires_in":"1"}"#,
    r#"{"base":"b","expires_in":1.0}"#,
    r#"{"base":"b","expires_in":null}"#,
    r#"{"base":"b","base":"c","expires_in":1}"#,
    r#"{"base":"b","expires_in":1,"access_token":"a b","asked_at":1}"#,
    r#"{"base":"b","expires_in":1,"access_token":"","asked_at":1}"#,
    "{\"base\":\"b\",\"expires_in\":1,\"access_token\":\"\\u0061\\/\\\\\\\"\",\"asked_at\":1}",
    "{\"base\":\"b\\ud83d\\ude00\",\"expires_in\":1,\"access_token\":\"\\ud83d\",\"asked_at\":1}",
    r#"{"base":"b","expires_in":1,"access_token":"a"}"#,
    r#"{"base":"b","expires_in":1,"unknown":{"a":[1e400,{}]}}"#,
    r#"["b",null,null,null,null,1,null,null]"#,
    "\n {",
];
