//! What requests cost, as servers tell it within the answer.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use memchr::memmem::Finder;
use serde::Deserialize;

use super::response::Envelope;
use crate::hints::timestamp;

/// The points of a limit after a request, for a limiter to go by.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Cost {
    /// Points that are left.
    pub remaining: u64,
    /// Points that there can be.
    pub limit: Option<u64>,
    /// Points that this request took or, when it was throttled, that it needs.
    pub requested: Option<u64>,
    /// Points that come back per second, in a bucket.
    pub refill_per_second: Option<f64>,
    /// Time until all points come back, in a window.
    pub reset_after: Option<Duration>,
}

impl Cost {
    /// Time until a request like this one can be made again: zero when it can now; nothing when it never can, or the server does not say.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        let missing = self.requested.unwrap_or(1).saturating_sub(self.remaining);
        if missing == 0 {
            return Some(Duration::ZERO);
        }
        if self.is_too_large() {
            return None;
        }
        match self.refill_per_second {
            Some(refill) => Duration::try_from_secs_f64(missing as f64 / refill).ok(),
            None => self.reset_after,
        }
    }

    /// Whether the request needs more points than there can ever be.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.limit.is_some_and(|limit| self.requested > Some(limit))
    }
}

/// The cost told in `body`, at `now`: Shopify's `extensions.cost` or the `rateLimit` of a GitHub query that asks for it.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use nuncio_client::graphql;
///
/// let body = r#"{"data": {}, "extensions": {"cost": {
///     "requestedQueryCost": 752,
///     "throttleStatus": {"maximumAvailable": 1000.0, "currentlyAvailable": 666, "restoreRate": 50.0}
/// }}}"#;
/// let cost = graphql::cost(body.as_bytes(), SystemTime::UNIX_EPOCH).unwrap();
/// assert_eq!((cost.remaining, cost.limit), (666, Some(1000)));
/// assert_eq!(cost.wait(), Some(Duration::from_millis(1720)));
/// ```
#[must_use]
pub fn cost(body: &[u8], now: SystemTime) -> Option<Cost> {
    if !MEMBERS.iter().any(|name| name.find(body).is_some()) {
        return None;
    }
    let envelope = Envelope::of(body)?;
    envelope.bucket().or_else(|| envelope.window(now))
}

/// What holds a cost. Most answers have neither, and a search for the names is many times faster than reading JSON.
static MEMBERS: LazyLock<[Finder<'static>; 2]> =
    LazyLock::new(|| ["throttleStatus", "rateLimit"].map(Finder::new));

impl Envelope<'_> {
    /// <https://shopify.dev/docs/api/usage/limits>: a leaky bucket, with figures that are written as floats.
    pub(super) fn bucket(&self) -> Option<Cost> {
        #[derive(Deserialize)]
        struct Extensions {
            cost: QueryCost,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct QueryCost {
            requested_query_cost: Option<f64>,
            throttle_status: ThrottleStatus,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct ThrottleStatus {
            maximum_available: f64,
            currently_available: f64,
            restore_rate: f64,
        }

        let Extensions { cost } = serde_json::from_str(self.extensions?.get()).ok()?;
        let status = cost.throttle_status;
        Some(Cost {
            remaining: points(status.currently_available.floor()),
            limit: Some(points(status.maximum_available)),
            requested: cost.requested_query_cost.map(|cost| points(cost.ceil())),
            refill_per_second: Some(status.restore_rate),
            reset_after: None,
        })
    }

    /// <https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>: a window of an hour.
    fn window(&self, now: SystemTime) -> Option<Cost> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            rate_limit: RateLimit,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct RateLimit {
            remaining: u64,
            limit: Option<u64>,
            cost: Option<u64>,
            reset_at: Option<String>,
        }

        let Data { rate_limit } = serde_json::from_str(self.data?.get()).ok()?;
        let reset = rate_limit.reset_at.and_then(|at| timestamp::since_epoch(&at));
        Some(Cost {
            remaining: rate_limit.remaining,
            limit: rate_limit.limit,
            requested: rate_limit.cost,
            refill_per_second: None,
            reset_after: reset.map(|at| (UNIX_EPOCH + at).duration_since(now).unwrap_or_default()),
        })
    }
}

/// A cast saturates: below zero is 0, as is no number.
fn points(figure: f64) -> u64 {
    figure as u64
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn told(body: &Value) -> Option<Cost> {
        cost(body.to_string().as_bytes(), at(1_753_997_000))
    }

    fn shopify(requested: &Value, available: f64, restore_rate: f64) -> Cost {
        told(&json!({"extensions": {"cost": {
            "requestedQueryCost": requested,
            "actualQueryCost": null,
            "throttleStatus":
                {"maximumAvailable": 1000.0, "currentlyAvailable": available, "restoreRate": restore_rate},
        }}}))
        .unwrap()
    }

    #[test]
    fn the_wait_of_a_bucket_is_what_is_missing_by_what_comes_back() {
        assert_eq!(shopify(&json!(202), 118.0, 50.0).wait(), Some(Duration::from_millis(1680)));
        assert_eq!(shopify(&json!(118), 118.0, 50.0).wait(), Some(Duration::ZERO));
        assert_eq!(shopify(&json!(null), 0.5, 2.0).wait(), Some(Duration::from_millis(500)));
    }

    #[test]
    fn odd_figures_are_no_wait() {
        assert_eq!(shopify(&json!(10), 0.0, 0.0).wait(), None);
        assert_eq!(shopify(&json!(10), 0.0, -1.0).wait(), None);
        assert_eq!(shopify(&json!(10), -5.0, 1.0).remaining, 0);
        assert_eq!(shopify(&json!(1e300), 0.0, 1.0).wait(), None);
    }

    #[test]
    fn a_request_beyond_the_limit_can_never_be_made() {
        let cost = shopify(&json!(1001), 1000.0, 50.0);
        assert!(cost.is_too_large());
        assert_eq!(cost.wait(), None);
    }

    #[test]
    fn the_wait_of_a_window_is_until_its_reset() {
        let rate_limit = json!({"limit": 5000, "cost": 3, "remaining": 2, "resetAt": "2025-07-31T21:38:16Z"});
        let cost = told(&json!({"data": {"viewer": {"login": "x"}, "rateLimit": rate_limit}})).unwrap();
        assert_eq!((cost.remaining, cost.limit, cost.requested), (2, Some(5000), Some(3)));
        assert_eq!(cost.wait(), Some(Duration::from_secs(1_753_997_896 - 1_753_997_000)));
    }

    #[test]
    fn a_reset_in_the_past_is_no_wait() {
        let rate_limit = json!({"remaining": 0, "resetAt": "2025-07-01T00:00:00Z"});
        assert_eq!(told(&json!({"data": {"rateLimit": rate_limit}})).unwrap().wait(), Some(Duration::ZERO));
    }

    #[test]
    fn an_answer_that_tells_no_cost_has_none() {
        for body in [
            json!({"data": {"rateLimit": null}}),
            json!({"data": {"rateLimit": {"used": 1}}}),
            json!({"data": null, "extensions": {"cost": 12}}),
            json!({"extensions": {"cost": {"throttleStatus": {}}}}),
            json!([]),
        ] {
            assert_eq!(told(&body), None, "{body}");
        }
        assert_eq!(cost(b"<html>", at(0)), None);
    }
}
