//! Writes the corpora to begin with: `cargo run --example seed -- FOLDER`. The answers are those of
//! the table of answers, with the secret of its requests replaced by the fuzzer's. What is
//! committed is made of these and of what the fuzzer found, minimized.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

/// As in `src/answers.rs`.
const SECRET: &str = "c4n4ry/of\\the\"request~";
/// Longer bodies teach the fuzzer nothing and slow it down.
const MOST_BYTES: usize = 4096;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("which folder?")?;
    let folder = Path::new(&folder);
    let table: Value = serde_json::from_str(include_str!("../../tests/answers.json"))?;
    let entries = table["answers"].as_array().ok_or("the table has no answers")?;
    let answers: Vec<Vec<u8>> = entries.iter().filter_map(answer).collect();
    write(&folder.join("answers"), answers)?;
    write(&folder.join("base_urls"), BASE_URLS.iter().map(|text| text.as_bytes().to_vec()))?;
    let waits =
        entries.iter().flat_map(wait).chain(WAITS.iter().map(|text| text.as_bytes().to_vec()));
    write(&folder.join("retry_after"), waits)?;
    write(&folder.join("sessions"), (0..64).map(session))?;
    write(&folder.join("stored_tokens"), STORED.iter().map(|text| text.as_bytes().to_vec()))
}

fn write(folder: &Path, inputs: impl IntoIterator<Item = Vec<u8>>) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let inputs: BTreeSet<Vec<u8>> =
        inputs.into_iter().filter(|input| input.len() <= MOST_BYTES).collect();
    for (input, number) in inputs.iter().zip(0_usize..) {
        fs::write(folder.join(format!("seed-{number:04}")), input)?;
    }
    Ok(())
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

/// A day of polls and answers, a little different each time.
fn session(seed: u8) -> Vec<u8> {
    let policy = if seed.is_multiple_of(8) { 0 } else { 1 };
    let mut input = vec![policy, if policy == 0 { seed } else { 255 }, seed, seed % 4];
    let mut state = u32::from(seed) + 1;
    for _ in 0..12 {
        // Poll, say the credentials if need be, answer, let time pass, and one thing more.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [one, other, third, fourth] = state.to_be_bytes();
        input.extend_from_slice(&[0, one % 3, 19, seed % 9, other % 2]);
        match third % 3 {
            0 => input.extend_from_slice(&[15, fourth, other, one, fourth]),
            _ => input.extend_from_slice(&[12, one, fourth % 12]),
        }
        input.extend_from_slice(&[7, fourth % 15, 0, other % 3]);
        input.extend_from_slice(&[5 + one % 19, other, third, fourth, one]);
    }
    input
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
