//! The target `retry_after`: any values of the header, read at any time.
//!
//! An input is lines: what the clock says, in seconds since 1970, and then a value each.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue};
use point_auth_core::RetryAfter;

/// Reads the header and reckons how long that is.
///
/// # Panics
/// When it is not the first value that can be read, or is longer than is believed.
pub fn retry_after(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let now =
        lines.next().and_then(|line| std::str::from_utf8(line).ok()?.parse().ok()).unwrap_or(0_i64);
    let distance = Duration::from_secs(now.unsigned_abs());
    let now = match now < 0 {
        true => UNIX_EPOCH.checked_sub(distance),
        false => UNIX_EPOCH.checked_add(distance),
    };
    let now = now.unwrap_or(UNIX_EPOCH);

    let values: Vec<HeaderValue> =
        lines.filter_map(|line| HeaderValue::from_bytes(line).ok()).collect();
    let read = from_headers(&values);
    let first = values.iter().find_map(|value| from_headers(std::slice::from_ref(value)));
    assert_eq!(read, first, "not the first that can be read");
    let first = values.iter().find_map(|value| expected(value.as_bytes()));
    assert_eq!(read, first);
    let Some(read) = read else { return };
    let delay = read.delay_from(now);
    match read {
        RetryAfter::Delay(asked_for) => {
            assert_eq!(delay, asked_for);
            assert!(delay <= Duration::from_secs(u32::MAX.into()));
        }
        RetryAfter::At(time) => {
            assert_eq!(delay.is_zero(), time <= now);
            assert!(time <= now || now + delay == time);
        }
    }
    // It is shown in errors.
    assert!(format!("{read:?}").len() < 100);
}

fn from_headers(values: &[HeaderValue]) -> Option<RetryAfter> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(RETRY_AFTER, value.clone());
    }
    RetryAfter::from_headers(&headers)
}

/// The same by another way: digits as text, and a date by whether it can be written again.
fn expected(value: &[u8]) -> Option<RetryAfter> {
    if !value.iter().all(|byte| *byte == b'\t' || (b' '..=b'~').contains(byte)) {
        return None;
    }
    let text = std::str::from_utf8(value).ok()?.trim_matches([' ', '\t']);
    if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit()) {
        let digits = text.trim_start_matches('0');
        let seconds =
            if digits.len() > 10 { u64::MAX } else { format!("0{digits}").parse().unwrap() };
        return Some(RetryAfter::Delay(Duration::from_secs(seconds.min(u32::MAX.into()))));
    }
    let time = httpdate::parse_http_date(text).ok()?;
    let written = httpdate::fmt_http_date(time);
    assert_eq!(httpdate::parse_http_date(&written).ok(), Some(time), "{text} is {written}");
    assert!(
        time >= UNIX_EPOCH && time < SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_800)
    );
    Some(RetryAfter::At(time))
}
