//! How long a server asks us to stay away.
//!
//! # Precedence
//!
//! The first of these that says something is what counts:
//!
//! 1. `retry-after-ms`: milliseconds. It restates `Retry-After`, which knows only whole seconds, exactly.
//! 2. `Retry-After` (RFC 9110, section 10.2.3): meant for this very request.
//! 3. The reset of a rate limit of which nothing remains: about requests in general, so it comes last.
//!
//! A header that is sent several times counts with its longest wait; one that cannot be read counts as absent. A date is compared with
//! the answer's own `Date`, so that a clock that is wrong here does not matter.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, header};

use super::http_date;

/// A wait that a server asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// How long from now. Zero: at once.
    pub wait: Duration,
    /// Where it was said, for people.
    pub by: &'static str,
}

/// No wait is longer than this, some 30,000 years: what servers write as "never" does not overflow a sum.
const LONGEST: Duration = Duration::from_secs(1_000_000_000_000);

const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");

/// The wait that an answer asks for, by the [precedence](self#precedence) above.
///
/// `reset` is when the rate limit is reset, given only if nothing remains of it.
#[must_use]
pub fn told(headers: &HeaderMap, now: SystemTime, reset: Option<Duration>) -> Option<Told> {
    let longest = |name: HeaderName, parse: &dyn Fn(&str) -> Option<Duration>| {
        headers.get_all(name).iter().filter_map(|value| parse(value.to_str().ok()?)).max()
    };
    let by = |by| move |wait| Told { wait, by };
    longest(RETRY_AFTER_MS, &milliseconds)
        .map(by("retry-after-ms"))
        .or_else(|| {
            let now =
                headers.contains_key(header::RETRY_AFTER).then(|| http_date::answered_at(headers, now))?;
            longest(header::RETRY_AFTER, &|value| parse(value, UNIX_EPOCH + now)).map(by("Retry-After"))
        })
        .or_else(|| reset.map(by("the reset of the rate limit")))
}

/// Reads one `Retry-After`: seconds, with a fraction or without, or a date in one of HTTP's three forms. A date in the past is zero.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use nuncio_client::hints::retry_after::parse;
///
/// let now = UNIX_EPOCH + Duration::from_secs(784_111_777);
/// assert_eq!(parse("1.5", now), Some(Duration::from_millis(1_500)));
/// assert_eq!(parse("Sun, 06 Nov 1994 08:49:47 GMT", now), Some(Duration::from_secs(10)));
/// assert_eq!(parse("soon", now), None);
/// ```
#[must_use]
pub fn parse(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim_ascii();
    seconds(value).or_else(|| {
        let date = http_date::since_epoch(value, now)?;
        Some(date.saturating_sub(now.duration_since(UNIX_EPOCH).unwrap_or_default()))
    })
}

fn milliseconds(value: &str) -> Option<Duration> {
    seconds(value.trim_ascii()).map(|thousandfold| thousandfold / 1_000)
}

/// Digits, with a fraction or without. Signs, exponents and `inf`, which are numbers to Rust, are none here.
fn seconds(text: &str) -> Option<Duration> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let valid = match text.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(text),
    };
    let seconds: f64 = valid.then(|| text.parse().ok())??;
    Some(Duration::from_secs_f64(seconds.min(LONGEST.as_secs_f64())))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const NOW: SystemTime = UNIX_EPOCH;

    fn asked(
        headers: &[(&'static str, &'static str)],
        reset: Option<u64>,
    ) -> Option<(Duration, &'static str)> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        told(&map, NOW, reset.map(Duration::from_secs)).map(|told| (told.wait, told.by))
    }

    #[test]
    fn milliseconds_come_before_seconds_and_a_reset_comes_last() {
        let both = [("retry-after", "2"), ("retry-after-ms", "1500")];
        assert_eq!(asked(&both, Some(60)), Some((Duration::from_millis(1_500), "retry-after-ms")));
        assert_eq!(asked(&both[..1], Some(60)), Some((Duration::from_secs(2), "Retry-After")));
        assert_eq!(asked(&[], Some(60)), Some((Duration::from_secs(60), "the reset of the rate limit")));
        assert_eq!(asked(&[], None), None);
    }

    #[test]
    fn zero_is_a_word_and_not_an_absence() {
        assert_eq!(asked(&[("retry-after", "0")], Some(60)), Some((Duration::ZERO, "Retry-After")));
    }

    #[test]
    fn the_longest_of_a_repeated_header_counts() {
        let repeated =
            [("retry-after", "2"), ("retry-after", "junk"), ("retry-after", "Thu, 01 Jan 1970 00:00:09 GMT")];
        assert_eq!(asked(&repeated, None).map(|(wait, _)| wait), Some(Duration::from_secs(9)));
    }

    #[test]
    fn what_cannot_be_read_counts_as_absent() {
        let junk = [("retry-after-ms", "fast"), ("retry-after", "3")];
        assert_eq!(asked(&junk, None), Some((Duration::from_secs(3), "Retry-After")));
        assert_eq!(
            asked(&[("retry-after", "-1")], Some(5)).map(|(_, by)| by),
            Some("the reset of the rate limit")
        );
    }

    #[test]
    fn a_date_is_counted_from_the_servers_own_clock() {
        let a_year_ahead =
            [("date", "Fri, 01 Jan 1971 00:00:00 GMT"), ("retry-after", "Fri, 01 Jan 1971 00:00:08 GMT")];
        assert_eq!(asked(&a_year_ahead, None).map(|(wait, _)| wait), Some(Duration::from_secs(8)));
    }

    #[test]
    fn milliseconds_may_have_a_fraction() {
        assert_eq!(
            asked(&[("retry-after-ms", "0.5")], None).map(|(wait, _)| wait),
            Some(Duration::from_micros(500))
        );
    }

    #[test]
    fn a_number_without_end_saturates() {
        let nines = "9".repeat(5_000);
        assert_eq!(parse(&nines, NOW), Some(LONGEST));
    }
}
