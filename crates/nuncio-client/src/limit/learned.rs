//! What an answer tells of the server's own limits.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode};

use super::Refill;
use crate::hints::{rate_limit, retry_after};

/// What a server said of one of its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learned {
    /// Its name, where the server gives one. Limits of different names are held side by side; what is told of a name replaces what
    /// was known of it, unless it would widen a limit that is not reset yet.
    pub policy: Option<Arc<str>>,
    /// The most that it allows, where that is known.
    pub limit: Option<u64>,
    /// What it allows until the reset, in the tokens that calls [cost](crate::Context::cost).
    pub remaining: u64,
    /// Time until the limit is as if nothing had been spent. More than a day counts as a day: a mistake does not shut us out for a
    /// year.
    pub reset_after: Duration,
    /// How fast more is allowed before the reset. Nothing: only at the reset.
    pub refill: Option<Refill>,
}

impl Learned {
    /// Nothing is allowed for `wait`, by the server's word named `by`.
    #[must_use]
    pub fn pause(by: &str, wait: Duration) -> Self {
        Self { policy: Some(by.into()), limit: None, remaining: 0, reset_after: wait, refill: None }
    }
}

/// What an answer says of the server's limits.
///
/// A wait (`Retry-After`, `retry-after-ms`) on a failure counts alone, since it takes precedence over the rate limit fields
/// (draft-ietf-httpapi-ratelimit-headers-10, section 5). Otherwise the [fields](rate_limit) do.
pub(super) fn heard(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Vec<Learned> {
    let failed = status.is_client_error() || status.is_server_error();
    match retry_after::told(headers, now, None).filter(|_| failed) {
        Some(told) => vec![Learned::pause(told.by, told.wait)],
        None => rate_limit::parse(headers, now),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn from(status: u16, headers: &[(&'static str, &'static str)]) -> Vec<Learned> {
        let headers = headers.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        });
        heard(StatusCode::from_u16(status).expect("a status"), &headers.collect(), UNIX_EPOCH)
    }

    #[test]
    fn a_wait_on_a_refusal_counts_alone() {
        let headers = [("retry-after", "5"), ("ratelimit", r#""day";r=0;t=60"#)];
        for status in [403, 429, 503] {
            assert_eq!(
                from(status, &headers),
                [Learned::pause("Retry-After", Duration::from_secs(5))],
                "{status}"
            );
        }
    }

    #[test]
    fn a_wait_on_a_success_is_not_about_limits() {
        assert_eq!(from(202, &[("retry-after", "5")]), []);
    }
}
