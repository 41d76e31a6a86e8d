//! What a server's headers say of its rate limits.
//!
//! # Precedence
//!
//! The first of these forms that tells both what remains and when it is reset is what counts; forms are never mixed.
//!
//! 1. `RateLimit`, with the windows, limits and units of `RateLimit-Policy`: the list of
//!    [draft-ietf-httpapi-ratelimit-headers-10](https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/10/)
//!    (`"burst";r=50;t=30`, several policies side by side) or the dictionary of drafts up to 07 (`limit=100, remaining=50, reset=30`).
//! 2. `RateLimit-Limit`, `-Remaining` and `-Reset`: drafts up to 06, and what servers send today.
//! 3. `X-RateLimit-Limit`, `-Remaining` and `-Reset`.
//! 4. `X-Rate-Limit-Limit`, `-Remaining` and `-Reset`.
//!
//! # A reset: seconds or a time of day?
//!
//! In the first form, always seconds from now. In the others servers do as they like (GitLab sends `RateLimit-Reset` as a time), so
//! the value decides. A number that is a time within a year of now, in seconds or in milliseconds since 1970, is that time; any other
//! number is seconds from now, and none if it is more than a year. A date of HTTP is that time. Times are compared with the answer's
//! own `Date`, so that a clock that is wrong here does not matter.
//!
//! # What does not count
//!
//! A header that cannot be read counts as absent. Policies that count something else than requests (`qu`) say nothing about calls. The
//! partition key (`pk`) is not looked at: a policy is taken to be about all calls to which the answer is taken to apply. An answer
//! from a cache (`Age` above 0) says nothing of now.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, header};
use sfv::{BareItem, Dictionary, Item, List, ListEntry, Parser};

use super::http_date;
use crate::limit::Learned;

/// Policies that are read from one answer.
const MAX_POLICIES: usize = 8;

const YEAR: Duration = Duration::from_secs(366 * 86_400);

/// The rate limits that an answer tells of, by the [precedence](self#precedence) above; none if it tells of none.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use nuncio_client::hints::rate_limit::parse;
///
/// let mut headers = http::HeaderMap::new();
/// headers.insert("ratelimit-remaining", "5".parse().unwrap());
/// headers.insert("ratelimit-reset", "30".parse().unwrap());
/// let told = parse(&headers, UNIX_EPOCH + Duration::from_secs(1_800_000_000));
/// assert_eq!((told[0].remaining, told[0].reset_after), (5, Duration::from_secs(30)));
/// ```
#[must_use]
pub fn parse(headers: &HeaderMap, now: SystemTime) -> Vec<Learned> {
    // Most answers tell nothing, and one look at the names costs less than looking each of them up.
    if !headers.keys().any(|name| is_told_by(name.as_str())) {
        return Vec::new();
    }
    if text(headers, header::AGE.as_str()).is_some_and(|age| age != "0") {
        return Vec::new();
    }
    let structured = structured(headers);
    if !structured.is_empty() {
        return structured;
    }
    SEPARATE.iter().find_map(|names| separate(headers, names, now)).into_iter().collect()
}

/// Names of the headers for the limit, what remains, and the reset.
const SEPARATE: [[&str; 3]; 3] = [
    ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"],
    ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"],
    ["x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset"],
];

/// Whether a header of this name is one of those that are read here.
fn is_told_by(name: &str) -> bool {
    ["ratelimit", "x-ratelimit", "x-rate-limit"].iter().any(|start| name.starts_with(start))
}

/// The first value of a header, if it is text.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    Some(headers.get(name)?.to_str().ok()?.trim_ascii())
}

fn structured(headers: &HeaderMap) -> Vec<Learned> {
    // Lines of one structured field are read as one (RFC 9651, section 4.2).
    let joined = |name: &str| {
        let lines: Option<Vec<_>> = headers.get_all(name).iter().map(|line| line.to_str().ok()).collect();
        lines.filter(|lines| !lines.is_empty()).map(|lines| lines.join(", "))
    };
    let Some(current) = joined("ratelimit") else { return Vec::new() };
    if let Ok(current) = Parser::new(&current).parse::<List>() {
        let policies = joined("ratelimit-policy").and_then(|text| Parser::new(&text).parse::<List>().ok());
        let policies = policies.unwrap_or_default();
        return items(&current).filter_map(|item| named(item, &policies)).take(MAX_POLICIES).collect();
    }
    Parser::new(&current)
        .parse::<Dictionary>()
        .ok()
        .and_then(|fields| combined(&fields))
        .into_iter()
        .collect()
}

fn items(list: &List) -> impl Iterator<Item = &Item> {
    list.iter().filter_map(|entry| match entry {
        ListEntry::Item(item) => Some(item),
        ListEntry::InnerList(_) => None,
    })
}

/// `"burst";r=50;t=30`, and `"burst";q=100;w=60;qu="requests"` among the policies.
fn named(item: &Item, policies: &List) -> Option<Learned> {
    let policy = name(item)?;
    let described = items(policies).find(|described| name(described) == Some(policy));
    let described = |parameter: &str| described.and_then(|item| item.params.get(parameter));
    if described("qu").is_some_and(|unit| spelled(unit) != Some("requests")) {
        return None;
    }
    Some(Learned {
        policy: Some(policy.into()),
        limit: described("q").and_then(count),
        remaining: count(item.params.get("r")?)?,
        // Without a reset, a whole window is the most that it can take.
        reset_after: Duration::from_secs(count(item.params.get("t").or_else(|| described("w"))?)?),
        refill: None,
    })
}

/// `limit=100, remaining=50, reset=30`.
fn combined(fields: &Dictionary) -> Option<Learned> {
    let field = |name: &str| match fields.get(name)? {
        ListEntry::Item(item) => count(&item.bare_item),
        ListEntry::InnerList(_) => None,
    };
    Some(Learned {
        policy: None,
        limit: field("limit"),
        remaining: field("remaining")?,
        reset_after: Duration::from_secs(field("reset")?),
        refill: None,
    })
}

/// A policy's name: a string, or a token in drafts up to 08.
fn name(item: &Item) -> Option<&str> {
    spelled(&item.bare_item)
}

fn spelled(value: &BareItem) -> Option<&str> {
    match value {
        BareItem::String(text) => Some(text.as_str()),
        BareItem::Token(token) => Some(token.as_str()),
        _ => None,
    }
}

fn count(value: &BareItem) -> Option<u64> {
    u64::try_from(i64::from(value.as_integer()?)).ok()
}

fn separate(headers: &HeaderMap, [limit, remaining, reset]: &[&str; 3], now: SystemTime) -> Option<Learned> {
    let remaining = number(text(headers, remaining)?)?;
    let reset_after = reset_after(text(headers, reset)?, http_date::answered_at(headers, now))?;
    // Drafts up to 06 list policies after the limit: `100, 100;w=60`.
    let limit = text(headers, limit).and_then(|text| number(text.split([',', ';']).next()?));
    Some(Learned {
        policy: None,
        limit: limit.map(|limit| limit as u64),
        remaining: remaining as u64,
        reset_after,
        refill: None,
    })
}

/// By the [rule](self#a-reset-seconds-or-a-time-of-day) above, with `now` since 1970.
fn reset_after(value: &str, now: Duration) -> Option<Duration> {
    let Some(number) = number(value) else {
        return Some(http_date::since_epoch(value, UNIX_EPOCH + now)?.saturating_sub(now));
    };
    let seconds = |number| Duration::try_from_secs_f64(number).ok();
    let is_time = |time: &Duration| time.abs_diff(now) <= YEAR;
    let time = seconds(number).filter(is_time).or_else(|| seconds(number / 1_000.0).filter(is_time));
    match time {
        Some(time) => Some(time.saturating_sub(now)),
        None => seconds(number).filter(|delta| *delta <= YEAR),
    }
}

/// Digits, with a fraction or without: some servers count in fractions.
fn number(text: &str) -> Option<f64> {
    let plain = text.trim_ascii();
    let valid = plain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    valid.then(|| plain.parse().ok())?
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    /// 2027-01-15T08:00:00Z.
    const NOW: u64 = 1_800_000_000;

    fn told(headers: &[(&'static str, &str)]) -> Vec<Learned> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).expect(value));
        }
        parse(&map, UNIX_EPOCH + Duration::from_secs(NOW))
    }

    /// Policy, limit, remaining and seconds to the reset of each.
    fn brief(headers: &[(&'static str, &str)]) -> Vec<(Option<String>, Option<u64>, u64, u64)> {
        let brief = |told: Learned| {
            (told.policy.map(|name| name.to_string()), told.limit, told.remaining, told.reset_after.as_secs())
        };
        told(headers).into_iter().map(brief).collect()
    }

    fn reset(value: &str) -> Option<u64> {
        let told = brief(&[("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", value)]);
        told.first().map(|(.., seconds)| *seconds)
    }

    fn named(
        name: &str,
        limit: Option<u64>,
        remaining: u64,
        seconds: u64,
    ) -> (Option<String>, Option<u64>, u64, u64) {
        (Some(name.to_owned()), limit, remaining, seconds)
    }

    #[test]
    fn each_policy_of_the_list_is_told_with_its_limit() {
        let headers = [
            ("ratelimit-policy", r#""burst";q=100;w=60,"daily";q=1000;w=86400;pk=:cHsdsRa894==:"#),
            ("ratelimit", r#""burst";r=50;t=30"#),
            ("ratelimit", r#""daily";r=900;t=4000"#),
        ];
        assert_eq!(
            brief(&headers),
            [named("burst", Some(100), 50, 30), named("daily", Some(1_000), 900, 4_000)]
        );
    }

    #[test]
    fn a_list_without_policies_and_with_tokens_for_names_is_read() {
        assert_eq!(brief(&[("ratelimit", "default;r=1;t=7")]), [named("default", None, 1, 7)]);
    }

    #[test]
    fn a_policy_without_a_reset_takes_its_window() {
        let headers = [("ratelimit-policy", r#""burst";q=100;w=60"#), ("ratelimit", r#""burst";r=50"#)];
        assert_eq!(brief(&headers), [named("burst", Some(100), 50, 60)]);
        assert_eq!(brief(&headers[1..]), []);
    }

    #[test]
    fn a_policy_that_counts_something_else_than_requests_is_not_about_calls() {
        let headers = [
            ("ratelimit-policy", r#""bytes";q=65535;qu="content-bytes";w=10, "calls";q=5;qu="requests""#),
            ("ratelimit", r#""bytes";r=0;t=10, "calls";r=4;t=9"#),
        ];
        assert_eq!(brief(&headers), [named("calls", Some(5), 4, 9)]);
    }

    #[test]
    fn the_dictionary_of_older_drafts_is_read() {
        assert_eq!(brief(&[("ratelimit", "limit=100, remaining=50, reset=30")]), [(None, Some(100), 50, 30)]);
    }

    #[test]
    fn three_headers_are_read_under_each_of_their_names() {
        for prefix in ["ratelimit", "x-ratelimit", "x-rate-limit"] {
            let mut map = HeaderMap::new();
            for (name, value) in [("limit", "100, 100;w=60"), ("remaining", "7"), ("reset", "30")] {
                let name = http::HeaderName::try_from(format!("{prefix}-{name}")).expect(name);
                map.insert(name, HeaderValue::from_static(value));
            }
            let told = parse(&map, UNIX_EPOCH + Duration::from_secs(NOW));
            let expected = (Some(100), 7, Duration::from_secs(30));
            assert_eq!(
                told.iter().map(|told| (told.limit, told.remaining, told.reset_after)).collect::<Vec<_>>(),
                [expected]
            );
        }
    }

    #[test]
    fn the_first_form_that_tells_enough_counts_alone() {
        let headers = [
            ("ratelimit", "soon"),
            ("ratelimit-remaining", "7"),
            ("x-ratelimit-remaining", "8"),
            ("x-ratelimit-reset", "30"),
            ("x-rate-limit-remaining", "9"),
            ("x-rate-limit-reset", "60"),
        ];
        assert_eq!(brief(&headers), [(None, None, 8, 30)]);
    }

    #[test]
    fn a_small_number_is_seconds_and_one_like_now_is_a_time() {
        assert_eq!(reset("30"), Some(30));
        assert_eq!(reset("2592000"), Some(2_592_000));
        assert_eq!(reset(&(NOW + 30).to_string()), Some(30));
        assert_eq!(reset(&(NOW * 1_000 + 30_000).to_string()), Some(30));
        assert_eq!(reset("1800000030.5"), Some(30));
        assert_eq!(reset("Fri, 15 Jan 2027 08:00:30 GMT"), Some(30));
    }

    #[test]
    fn a_reset_that_is_past_is_now() {
        assert_eq!(reset(&(NOW - 5).to_string()), Some(0));
        assert_eq!(reset("0"), Some(0));
    }

    #[test]
    fn a_time_is_compared_with_the_date_of_the_answer() {
        let headers = [
            ("date", "Fri, 15 Jan 2027 09:00:00 GMT"),
            ("x-ratelimit-remaining", "1"),
            ("x-ratelimit-reset", "1800003630"),
        ];
        assert_eq!(brief(&headers), [(None, None, 1, 30)]);
    }

    #[test]
    fn a_fraction_of_a_call_is_none() {
        assert_eq!(
            brief(&[("x-ratelimit-remaining", "598.9"), ("x-ratelimit-reset", "1")]),
            [(None, None, 598, 1)]
        );
    }

    #[test]
    fn an_answer_from_a_cache_tells_nothing() {
        let headers = [("ratelimit", r#""burst";r=0;t=30"#), ("age", "12")];
        assert_eq!(brief(&headers), []);
    }

    #[test]
    fn what_cannot_be_read_counts_as_absent() {
        for value in ["", "-1", "+5", "1e3", "inf", "NaN", "soon", "1.2.3", "99999999999", &"9".repeat(400)] {
            assert_eq!(reset(value), None, "{value}");
            assert_eq!(
                brief(&[("x-ratelimit-remaining", value), ("x-ratelimit-reset", "soon")]),
                [],
                "{value}"
            );
        }
        for value in [
            r#""a";r=-1;t=5"#,
            r#""a";r=1;t="5""#,
            "limit=1, remaining=x, reset=3",
            r#"("a");r=1;t=5"#,
            "5;r=1;t=5",
        ] {
            assert_eq!(brief(&[("ratelimit", value)]), [], "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_value_of_any_header_panics(values in prop::collection::vec("[ -~]{0,40}", 6), like in prop::bool::ANY) {
            let names = ["ratelimit", "ratelimit-policy", "ratelimit-remaining", "ratelimit-reset", "age", "date"];
            let mut map = HeaderMap::new();
            for (name, value) in names.into_iter().zip(&values) {
                let value = if like { value.replace(|c: char| c.is_alphabetic(), "r") } else { value.clone() };
                map.insert(name, HeaderValue::from_str(&value).expect("printable"));
            }
            let _ = parse(&map, UNIX_EPOCH + Duration::from_secs(NOW));
        }
    }
}
