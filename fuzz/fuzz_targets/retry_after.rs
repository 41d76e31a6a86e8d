//! `Retry-After` and HTTP dates: against `httpdate`, within its bound, the longest of several.
#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, HeaderValue, header};
use libfuzzer_sys::fuzz_target;
use nuncio_client::hints::retry_after::{parse, told};
use nuncio_fuzz::now;

const LONGEST: Duration = Duration::from_secs(1_000_000_000_000);

fuzz_target!(|text: &str| {
    let wait = parse(text, now());
    assert!(wait.is_none_or(|wait| wait <= LONGEST));

    let text = text.trim_ascii();
    let digits = !text.is_empty() && text.len() < 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        assert_eq!(wait, text.parse().ok().map(Duration::from_secs));
    }
    if let Ok(date) = httpdate::parse_http_date(text) {
        let expected = date.duration_since(now()).unwrap_or_default();
        let two_digit_year = text.contains('-');
        if httpdate::fmt_http_date(date) == text || (wait.is_some() && !two_digit_year) {
            assert_eq!(wait, Some(expected));
        }
    }

    let Some(value) = HeaderValue::from_str(text).ok().filter(|_| text.is_ascii()) else { return };
    let mut headers = HeaderMap::from_iter([(header::RETRY_AFTER, value)]);
    let alone = told(&headers, now(), None);
    assert_eq!(alone.map(|told| told.wait), wait);
    headers.append(header::RETRY_AFTER, HeaderValue::from_static("7"));
    let longest = wait.unwrap_or_default().max(Duration::from_secs(7));
    assert_eq!(told(&headers, now(), Some(Duration::ZERO)).map(|told| told.wait), Some(longest));

    // The same text as the date of the answer shifts the clock and breaks nothing.
    headers.insert(header::DATE, headers[header::RETRY_AFTER].clone());
    let _ = told(&headers, UNIX_EPOCH, None);
});
