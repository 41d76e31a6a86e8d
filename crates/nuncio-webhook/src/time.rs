//! Timestamps as providers write them, each in one spelling.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::scheme::TimeUnit;

const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// The time that `text` stands for. What else a lenient parser takes was perhaps not what was signed.
pub(crate) fn read(text: &[u8], unit: TimeUnit) -> Option<SystemTime> {
    let since = match unit {
        TimeUnit::Seconds => Duration::from_secs(digits(text)?),
        TimeUnit::Milliseconds => Duration::from_millis(digits(text)?),
        TimeUnit::Rfc3339 => rfc3339(text)?,
    };
    UNIX_EPOCH.checked_add(since)
}

/// `time` as the provider writes it.
pub(crate) fn write(time: SystemTime, unit: TimeUnit) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    match unit {
        TimeUnit::Seconds => since.as_secs().to_string(),
        TimeUnit::Milliseconds => since.as_millis().to_string(),
        TimeUnit::Rfc3339 => {
            let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
            let (year, month, day) = date(days);
            let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
        }
    }
}

/// Digits alone, without a zero before them.
fn digits(text: &[u8]) -> Option<u64> {
    // 15 digits of seconds are 30 million years, and no clock overflows.
    if text.len() > 15 || text.starts_with(b"0") {
        return None;
    }
    number(text)
}

fn number(text: &[u8]) -> Option<u64> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
    let (first, rest) = text.split_first()?;
    rest.iter().try_fold(digit(first)?, |number, byte| number.checked_mul(10)?.checked_add(digit(byte)?))
}

/// `2026-11-24T16:00:00Z`, with a fraction and an offset if need be (RFC 3339, section 5.6), of the years 1970 to 9999.
fn rfc3339(text: &[u8]) -> Option<Duration> {
    let (date, rest) = text.split_at_checked(19)?;
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if marks.iter().any(|(at, mark)| date[*at] != *mark) {
        return None;
    }
    let part = |from: usize, to: usize, max: u64| number(&date[from..to]).filter(|value| *value <= max);
    let (year, month, day) = (part(0, 4, 9999)?, part(5, 7, 12)?, part(8, 10, 31)?);
    let (hour, minute, second) = (part(11, 13, 23)?, part(14, 16, 59)?, part(17, 19, 59)?);
    let days = days(year, month, day)?;
    let (fraction, offset) = match rest.strip_prefix(b".") {
        Some(rest) => rest.split_at(rest.iter().position(|byte| !byte.is_ascii_digit())?),
        None => (&b"0"[..], rest),
    };
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let nanos = number(fraction)? * 10u64.pow(9 - u32::try_from(fraction.len()).ok()?);
    let local = i64::try_from(days).ok()? * SECONDS_PER_DAY
        + i64::try_from(hour * 3600 + minute * 60 + second).ok()?;
    let seconds = u64::try_from(local - offset_seconds(offset)?).ok()?;
    Some(Duration::new(seconds, u32::try_from(nanos).ok()?))
}

fn offset_seconds(text: &[u8]) -> Option<i64> {
    let (sign, rest) = match text {
        b"Z" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let [h1, h2, b':', m1, m2] = rest else { return None };
    let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
    (hours < 24 && minutes < 60).then_some(sign * i64::try_from(hours * 3600 + minutes * 60).ok()?)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970 to a date; `None` for a date that no calendar has.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || month == 0 || day == 0 || day > days_of_month(year, month) {
        return None;
    }
    let years: u64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    let months: u64 = (1..month).map(|month| days_of_month(year, month)).sum();
    Some(years + months + day - 1)
}

/// The date so many days after 1970 began.
fn date(mut days: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    while days >= if is_leap(year) { 366 } else { 365 } {
        days -= if is_leap(year) { 366 } else { 365 };
        year += 1;
    }
    let mut month = 1;
    while days >= days_of_month(year, month) {
        days -= days_of_month(year, month);
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> Option<u128> {
        let time = read(text.as_bytes(), TimeUnit::Rfc3339)?;
        Some(time.duration_since(UNIX_EPOCH).unwrap().as_nanos())
    }

    #[test]
    fn a_date_and_time_is_read_with_fraction_and_offset() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2016-07-11T10:10:33-07:00", 1_468_257_033_000_000_000),
            ("2025-10-09T08:53:20Z", 1_760_000_000_000_000_000),
            ("2025-10-09T10:53:20.123456789+02:00", 1_760_000_000_123_456_789),
            ("2024-02-29T00:00:00.5Z", 1_709_164_800_500_000_000),
        ] {
            assert_eq!(nanos(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn another_spelling_of_a_date_and_time_is_none() {
        for text in [
            "",
            "2025-10-09",
            "2025-10-09 08:53:20Z",
            "2025-10-09t08:53:20Z",
            "2025-10-09T08:53:20",
            "2025-10-09T08:53:20z",
            "2025-10-09T08:53:20.Z",
            "2025-10-09T08:53:20.1234567890Z",
            "2025-10-09T24:00:00Z",
            "2025-13-09T08:53:20Z",
            "2025-02-29T00:00:00Z",
            "2025-10-09T08:53:20+0200",
            "2025-10-09T08:53:20+02:60",
            "+025-10-09T08:53:20Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+01:00",
            "2025-10-09T08:53:20Z ",
            "2025-10-09T08:53:20.5",
        ] {
            assert_eq!(nanos(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for unit in [TimeUnit::Seconds, TimeUnit::Milliseconds, TimeUnit::Rfc3339] {
            for seconds in (1..200_000_000_000).step_by(7_777_777_777).chain([951_782_400, 1_709_164_799]) {
                let time = UNIX_EPOCH + Duration::from_secs(seconds);
                assert_eq!(read(write(time, unit).as_bytes(), unit), Some(time), "{unit:?} {seconds}");
            }
        }
    }
}
