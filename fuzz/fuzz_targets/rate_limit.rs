//! `RateLimit`, `X-RateLimit-*` and their kin: within bounds, and a limiter can live with whatever they say.
#![no_main]

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use nuncio_client::Context;
use nuncio_client::hints::{rate_limit, should_retry};
use nuncio_client::limit::{Limiter, Limits};
use nuncio_fuzz::{headers, now};

/// The largest number of a structured field (RFC 9651, section 3.3.1).
const LARGEST: u64 = 999_999_999_999_999;
const YEAR: Duration = Duration::from_secs(366 * 86_400);

fuzz_target!(|data: &[u8]| {
    let headers = headers(data);
    let told = rate_limit::parse(&headers, now());
    let structured = headers.contains_key("ratelimit");
    assert!(told.len() <= 8);
    for told in &told {
        assert!(told.reset_after <= if structured { Duration::from_secs(LARGEST) } else { YEAR });
    }
    if !headers.keys().any(|name| name.as_str().contains("rate")) {
        assert!(told.is_empty());
    }
    let names: Vec<_> = headers.keys().cloned().collect();
    let _ = should_retry(&headers, &names);

    nuncio_fuzz::block_on(async {
        Limiter::new(Limits::default()).learn(&Context::default(), &told).expect("no template, no failure");
    });

    if let Some(bytes) = data.first_chunk::<24>() {
        let number = |at: usize| {
            u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes")) % (LARGEST + 1)
        };
        let (remaining, reset, limit) = (number(0), number(8), number(16));
        written_is_read(remaining, reset, limit);
    }
});

fn written_is_read(remaining: u64, reset: u64, limit: u64) {
    let value = |text: String| HeaderValue::try_from(text).expect("digits and letters");
    let mut headers = HeaderMap::new();
    headers.insert("ratelimit-policy", value(format!("\"made-up\";q={limit};w=60")));
    headers.insert("ratelimit", value(format!("\"made-up\";r={remaining};t={reset}")));
    let list = rate_limit::parse(&headers, now());
    headers.insert("ratelimit", value(format!("limit={limit}, remaining={remaining}, reset={reset}")));
    let dictionary = rate_limit::parse(&headers, now());
    for told in [list, dictionary] {
        let [told] = &told[..] else { panic!("one policy was written, and {told:?} read") };
        assert_eq!((told.limit, told.remaining), (Some(limit), remaining));
        assert_eq!(told.reset_after, Duration::from_secs(reset));
    }
}
