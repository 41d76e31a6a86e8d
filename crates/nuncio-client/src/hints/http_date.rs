//! The three forms of a date in HTTP (RFC 9110, section 5.6.7).
//!
//! Liberal in what cannot change the meaning: case, spaces, dashes, a day of one digit. Strict in what can: an unknown zone or a day
//! that does not exist makes it no date. The weekday is redundant in the forms with a year of four digits and is not held against
//! them; in the form with two it tells the century.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, header};

const SECONDS_PER_DAY: i64 = 86_400;
const WEEKDAYS: [&str; 7] = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Time from 1970 to the date, and zero for one before it. `now` decides the century of a year of two digits.
pub(super) fn since_epoch(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.to_ascii_lowercase();
    let words: Vec<&str> =
        text.split([' ', '\t', ',', '-']).filter(|word| !word.is_empty()).take(7).collect();
    let (weekday, day, month, year, time) = match words[..] {
        [weekday, day, month, year, time, "gmt" | "utc" | "z"] => (weekday, day, month, year, time),
        [weekday, month, day, time, year] => (weekday, day, month, year, time),
        _ => return None,
    };
    let weekday = WEEKDAYS.iter().position(|name| weekday.get(..3) == Some(name))?;
    let month = MONTHS.iter().position(|name| month == *name)?;
    let day = number(day, 1..=2)?;
    let year = match year.len() {
        2 => full_year(number(year, 2..=2)?, month, day, weekday, now),
        _ => number(year, 4..=4)?,
    };
    since_epoch_of(year, month, day, time)
}

/// Time from 1970 to a date that exists, in UTC, `month` counted from 0; zero for one before it.
pub(super) fn since_epoch_of(year: i64, month: usize, day: i64, time: &str) -> Option<Duration> {
    let date = days_since_epoch(year, month, day);
    let exists = (days_since_epoch(year, month, 1)..days_since_epoch(year, month + 1, 1)).contains(&date);
    let seconds = exists.then_some(date * SECONDS_PER_DAY)? + time_of_day(time)?;
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// Time from 1970 to when `headers` were sent, by the clock of whoever sent them; by ours where they do not say. What they say of other
/// times is meant by the same clock, so a difference of the two holds even if one of the clocks is wrong.
pub(crate) fn answered_at(headers: &HeaderMap, now: SystemTime) -> Duration {
    let date = headers.get(header::DATE).and_then(|value| since_epoch(value.to_str().ok()?, now));
    date.unwrap_or_else(|| now.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// The second may be 60: a leap second.
fn time_of_day(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':').map(|part| number(part, 2..=2));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    (hour < 24 && minute < 60 && second <= 60).then_some((hour * 60 + minute) * 60 + second)
}

pub(super) fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let valid = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| text.parse().expect("a few digits are a number"))
}

/// At most 50 years ahead, as RFC 9110 has it, unless the weekday fits the century before: the same date has another weekday in each
/// of two neighbouring centuries.
fn full_year(two_digits: i64, month: usize, day: i64, weekday: usize, now: SystemTime) -> i64 {
    let today = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / SECONDS_PER_DAY.unsigned_abs();
    let this_year = 1970 + i64::try_from(today).unwrap_or(i64::MAX / 400) * 400 / 146_097;
    let latest = this_year + 50;
    let year = latest - (latest - two_digits).rem_euclid(100);
    let fits = |year| days_since_epoch(year, month, day).rem_euclid(7) == weekday as i64;
    if !fits(year) && fits(year - 100) { year - 100 } else { year }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, `month` counted from 0; 12 is the next January. The year is taken to
/// begin in March, so that the leap day is its last (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_since_epoch(year: i64, month: usize, day: i64) -> i64 {
    let months = year * 12 + month as i64 - 2;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn parsed(text: &str) -> Option<u64> {
        since_epoch(text, at(1_760_000_000)).map(|date| date.as_secs())
    }

    #[test]
    fn the_three_forms_of_the_rfc_are_one_date() {
        assert_eq!(parsed("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(parsed("Sunday, 06-Nov-94 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(parsed("Sun Nov  6 08:49:37 1994"), Some(784_111_777));
    }

    #[test]
    fn two_digits_of_a_year_are_at_most_fifty_years_ahead() {
        assert_eq!(parsed("Wednesday, 09-Oct-75 00:00:00 GMT"), parsed("Wed, 09 Oct 2075 00:00:00 GMT"));
        assert_eq!(parsed("Saturday, 09-Oct-76 00:00:00 GMT"), parsed("Sat, 09 Oct 1976 00:00:00 GMT"));
    }

    #[test]
    fn the_weekday_tells_the_century_of_two_digits() {
        assert_eq!(parsed("Wednesday, 09-Oct-74 00:00:00 GMT"), parsed("Wed, 09 Oct 1974 00:00:00 GMT"));
        assert_eq!(parsed("Tuesday, 09-Oct-74 00:00:00 GMT"), parsed("Tue, 09 Oct 2074 00:00:00 GMT"));
    }

    #[test]
    fn a_day_that_does_not_exist_is_no_date() {
        assert_eq!(parsed("Sun, 29 Feb 2026 00:00:00 GMT"), None);
        assert!(parsed("Tue, 29 Feb 2028 00:00:00 GMT").is_some());
        assert_eq!(parsed("Thu, 00 Jan 2026 00:00:00 GMT"), None);
    }

    proptest! {
        #[test]
        fn what_another_library_writes_is_read_back(seconds in 0_u64..253_402_300_800) {
            let text = httpdate::fmt_http_date(at(seconds));
            prop_assert_eq!(parsed(&text), Some(seconds), "{}", text);
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}", now in 0_u64..u64::from(u32::MAX)) {
            let _ = since_epoch(&text, at(now));
        }

        #[test]
        fn nothing_in_the_shape_of_a_date_panics(
            text in "(Thu|Thursday|Mon)[, ]{1,2}[0-9]{1,3}[- ](Jan|Feb|Dec)[- ][0-9]{1,5} [0-9:]{0,9}( GMT)?"
        ) {
            let _ = parsed(&text);
        }
    }
}
