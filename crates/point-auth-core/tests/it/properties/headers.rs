//! `Retry-After` and `User-Agent` with any value.

use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue};
use point_auth_core::{RetryAfter, UserAgent};
use proptest::collection::vec;
use proptest::prelude::*;

fn read(values: &[Vec<u8>]) -> Option<RetryAfter> {
    let mut headers = HeaderMap::new();
    for value in values {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(RETRY_AFTER, value);
        }
    }
    RetryAfter::from_headers(&headers)
}

/// The year 9999 is the last one of an HTTP date.
const LAST_SECOND: u64 = 253_402_300_799;

proptest! {
    #![proptest_config(super::config())]

    #[test]
    fn no_retry_after_causes_a_panic(
        values in vec(prop_oneof![vec(any::<u8>(), 0..40), "[0-9A-Za-z,: -]{0,32}".prop_map(String::into_bytes)], 0..3),
        now in 0..LAST_SECOND,
    ) {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
        match read(&values) {
            None => {}
            Some(wait @ RetryAfter::Delay(delay)) => {
                prop_assert!(delay <= Duration::from_secs(u32::MAX.into()));
                prop_assert_eq!(wait.delay_from(now), delay);
            }
            Some(wait @ RetryAfter::At(time)) => {
                prop_assert_eq!(now + wait.delay_from(now), time.max(now));
            }
        }
    }

    #[test]
    fn retry_after_in_seconds_is_read_exactly(seconds in any::<u64>(), zeros in 0..30usize) {
        let expected = RetryAfter::Delay(Duration::from_secs(seconds.min(u32::MAX.into())));
        prop_assert_eq!(read(&[format!("{}{seconds}", "0".repeat(zeros)).into_bytes()]), Some(expected));
    }

    #[test]
    fn retry_after_as_a_date_is_that_time(seconds in 0..=LAST_SECOND) {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        prop_assert_eq!(read(&[httpdate::fmt_http_date(time).into_bytes()]), Some(RetryAfter::At(time)));
    }

    #[test]
    fn a_user_agent_is_refused_or_one_line_that_ends_in_ours(product in prop_oneof![any::<String>(), "[ -~]{0,300}"]) {
        let trimmed = product.trim();
        let allowed = !trimmed.is_empty() && trimmed.len() <= 256 && trimmed.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let user_agent = UserAgent::new().with_product(&product);
        prop_assert_eq!(user_agent.is_ok(), allowed);
        if let Ok(user_agent) = user_agent {
            let expected = format!("{trimmed} {}", UserAgent::new());
            prop_assert_eq!(user_agent.to_string(), expected.as_str());
            let value = user_agent.header_value();
            prop_assert_eq!(value.as_bytes(), expected.as_bytes());
        }
    }
}
