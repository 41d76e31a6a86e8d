//! What an answer tells of the server's own limits.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode};

use super::Refill;
use crate::graphql;
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

    /// What the [cost](graphql::cost()) of a GraphQL request leaves room for, counted in requests like that one: they are what one
    /// token stands for, unless the server does not tell what they cost. Nothing without a refill or a reset.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use nuncio_client::limit::{LimitLayer, Learned, Limiter};
    /// use nuncio_client::{Clock, graphql};
    ///
    /// let clock = Clock::system();
    /// let layer = LimitLayer::new(Limiter::default(), clock.clone());
    /// let layer = layer.with_body_hint(Arc::new(move |body| Learned::from_cost(&graphql::cost(body, clock.now())?)));
    /// ```
    #[must_use]
    pub fn from_cost(cost: &graphql::Cost) -> Option<Self> {
        let each = cost.requested.unwrap_or(1).max(1);
        let missing = cost.limit.unwrap_or(cost.remaining).saturating_sub(cost.remaining);
        let refilled = |rate: f64| Duration::try_from_secs_f64(missing as f64 / rate).ok();
        Some(Self {
            policy: Some("GraphQL cost".into()),
            limit: cost.limit.map(|limit| limit / each),
            remaining: cost.remaining / each,
            reset_after: cost.reset_after.or_else(|| cost.refill_per_second.and_then(refilled))?,
            refill: cost.refill_per_second.and_then(|rate| per_second(rate / each as f64)),
        })
    }
}

/// `rate` tokens a second, rounded down to whole tokens in a quarter of an hour.
fn per_second(rate: f64) -> Option<Refill> {
    const PERIOD: NonZeroU32 = NonZeroU32::new(900).expect("not zero");
    // A cast saturates, and no number becomes 0.
    let tokens = (rate * f64::from(PERIOD.get())) as u32;
    Some(Refill::new(NonZeroU32::new(tokens)?, PERIOD))
}

/// What an answer says of the server's limits.
///
/// A wait (`Retry-After`, `retry-after-ms`) on a failure counts alone, since it takes precedence over the rate limit fields
/// (draft-ietf-httpapi-ratelimit-headers-10, section 5). Otherwise the [fields](rate_limit) do.
pub(super) fn heard(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Vec<Learned> {
    let failed = status.is_client_error() || status.is_server_error();
    match failed.then(|| retry_after::told(headers, now, None)).flatten() {
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

    fn from_body(body: &str) -> Option<Learned> {
        Learned::from_cost(&graphql::cost(body.as_bytes(), UNIX_EPOCH)?)
    }

    fn throttle_status(available: f64, rate: f64) -> String {
        format!(
            r#"{{"data": {{}}, "extensions": {{"cost": {{"requestedQueryCost": 100, "throttleStatus":
            {{"maximumAvailable": 1000.0, "currentlyAvailable": {available}, "restoreRate": {rate}}}}}}}}}"#
        )
    }

    #[test]
    fn the_cost_of_a_graphql_request_is_counted_in_requests_like_it() {
        let told = from_body(&throttle_status(350.0, 50.0)).expect("a cost");
        assert_eq!((told.limit, told.remaining, told.reset_after), (Some(10), 3, Duration::from_secs(13)));
        assert_eq!(
            told.refill.map(|refill| refill.to_string()).as_deref(),
            Some("450/15m"),
            "one in two seconds"
        );
    }

    #[test]
    fn a_graphql_limit_that_never_comes_back_is_not_held() {
        assert_eq!(from_body(&throttle_status(350.0, 0.0)), None);
        assert_eq!(from_body(r#"{"data": {"rateLimit": {"remaining": 0}}}"#), None);
    }
}
