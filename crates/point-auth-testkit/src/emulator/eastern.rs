//! "24 hours, rounded up to midnight US Eastern time": the end of a refresh token's life.
//!
//! The rule of the Energy Policy Act of 2005: daylight saving time (UTC-4) from 02:00 standard time
//! on the second Sunday of March until 02:00 daylight time on the first Sunday of November,
//! standard time (UTC-5) otherwise.

use std::time::{SystemTime, UNIX_EPOCH};

use time::{Date, Duration, Month, OffsetDateTime, Time, Weekday};

const STANDARD: Duration = Duration::hours(-5);
const DAYLIGHT: Duration = Duration::hours(-4);

/// The first midnight in US Eastern time that is at least 24 hours after `start`; just the 24 hours
/// for a clock that was set outside the years 1970 to 9000, where calendars end.
pub(super) fn midnight_after_24_hours(start: SystemTime) -> SystemTime {
    const YEAR_9000: u64 = 221_845_392_000;
    if !start.duration_since(UNIX_EPOCH).is_ok_and(|since| since.as_secs() < YEAR_9000) {
        return start.checked_add(std::time::Duration::from_secs(24 * 3600)).unwrap_or(start);
    }
    let earliest = OffsetDateTime::from(start).saturating_add(Duration::hours(24));
    let local = earliest.saturating_add(offset_at(earliest));
    let midnight = if local.time() == Time::MIDNIGHT {
        earliest
    } else {
        midnight_of(local.date().saturating_add(Duration::DAY))
    };
    midnight.into()
}

/// The instant at which `date` begins in US Eastern time. Clocks change at 02:00, so a midnight is
/// never ambiguous.
fn midnight_of(date: Date) -> OffsetDateTime {
    let midnight = date.midnight().assume_utc();
    let by_standard = midnight.saturating_sub(STANDARD);
    if offset_at(by_standard) == STANDARD { by_standard } else { midnight.saturating_sub(DAYLIGHT) }
}

fn offset_at(instant: OffsetDateTime) -> Duration {
    let year = instant.year();
    // 02:00 at UTC-5 and 02:00 at UTC-4.
    let begins = sunday(year, Month::March, 2).map(|day| at_hour(day, 7));
    let ends = sunday(year, Month::November, 1).map(|day| at_hour(day, 6));
    match (begins, ends) {
        (Some(begins), Some(ends)) if begins <= instant && instant < ends => DAYLIGHT,
        _ => STANDARD,
    }
}

fn at_hour(date: Date, hour: i64) -> OffsetDateTime {
    date.midnight().assume_utc().saturating_add(Duration::hours(hour))
}

/// The `nth` Sunday of a month; `None` beyond the years that `time` can hold.
fn sunday(year: i32, month: Month, nth: i64) -> Option<Date> {
    let first = Date::from_calendar_date(year, month, 1).ok()?;
    let to_sunday = i64::from((7 - first.weekday().number_days_from_sunday()) % 7);
    debug_assert_eq!(first.saturating_add(Duration::days(to_sunday)).weekday(), Weekday::Sunday);
    Some(first.saturating_add(Duration::days(to_sunday + 7 * (nth - 1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> SystemTime {
        let number = |range: std::ops::Range<usize>| text[range].parse::<u16>().unwrap();
        let month = Month::try_from(u8::try_from(number(5..7)).unwrap()).unwrap();
        let [day, hour, minute] =
            [8..10, 11..13, 14..16].map(|range| u8::try_from(number(range)).unwrap());
        let date = Date::from_calendar_date(i32::from(number(0..4)), month, day).unwrap();
        date.with_hms(hour, minute, 0).unwrap().assume_utc().into()
    }

    #[track_caller]
    fn ends(start: &str, end: &str) {
        assert_eq!(midnight_after_24_hours(utc(start)), utc(end), "started at {start}");
    }

    #[test]
    fn in_winter_midnight_is_at_five_utc() {
        ends("2025-01-15 12:00", "2025-01-17 05:00");
    }

    #[test]
    fn in_summer_midnight_is_at_four_utc() {
        ends("2025-07-15 12:00", "2025-07-17 04:00");
    }

    #[test]
    fn a_token_given_at_midnight_lives_exactly_a_day() {
        ends("2025-01-15 05:00", "2025-01-16 05:00");
        ends("2025-07-15 04:00", "2025-07-16 04:00");
    }

    #[test]
    fn a_minute_past_midnight_rounds_up_to_nearly_two_days() {
        ends("2025-01-15 05:01", "2025-01-17 05:00");
    }

    #[test]
    fn a_minute_before_midnight_rounds_up_by_a_minute() {
        ends("2025-01-15 04:59", "2025-01-16 05:00");
    }

    #[test]
    fn a_life_over_the_spring_change_ends_at_a_daylight_midnight() {
        // The clocks went forward on 9 March 2025 at 07:00 UTC.
        ends("2025-03-07 12:00", "2025-03-09 05:00");
        ends("2025-03-08 12:00", "2025-03-10 04:00");
        ends("2025-03-08 05:00", "2025-03-09 05:00");
    }

    #[test]
    fn a_life_over_the_autumn_change_may_last_49_hours_but_never_longer() {
        // The clocks went back on 2 November 2025 at 06:00 UTC.
        ends("2025-10-31 12:00", "2025-11-02 04:00");
        ends("2025-11-01 04:01", "2025-11-03 05:00");
        ends("2025-11-02 12:00", "2025-11-04 05:00");
    }

    #[test]
    fn every_hour_of_years_gives_a_life_between_24_and_49_hours_that_ends_at_a_local_midnight() {
        let mut start = utc("2007-01-01 00:00");
        for _ in 0..24 * 366 * 5 {
            let end = midnight_after_24_hours(start);
            let life = end.duration_since(start).unwrap();
            assert!((24 * 3600..=49 * 3600).contains(&life.as_secs()), "{life:?}");
            let end = OffsetDateTime::from(end);
            assert_eq!(end.saturating_add(offset_at(end)).time(), Time::MIDNIGHT);
            start += std::time::Duration::from_secs(3600);
        }
    }

    #[test]
    fn a_clock_set_to_the_end_of_time_does_no_harm() {
        let start = UNIX_EPOCH + std::time::Duration::from_secs(u64::MAX >> 1);
        assert!(midnight_after_24_hours(start) >= start);
    }

    #[test]
    fn the_second_sunday_of_march_and_the_first_of_november_are_found_when_the_month_starts_on_one()
    {
        // 1 March 2026 and 1 November 2026 are Sundays.
        assert_eq!(sunday(2026, Month::March, 2).unwrap().day(), 8);
        assert_eq!(sunday(2026, Month::November, 1).unwrap().day(), 1);
    }
}
