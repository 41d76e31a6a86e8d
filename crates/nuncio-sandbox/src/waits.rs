//! Waits that answers told, and whether clients keep them.

use std::collections::HashMap;
use std::time::Duration;

use http::header::RETRY_AFTER;

use crate::answer::Answer;

/// Timers that count in whole milliseconds end up to one too early.
const TIMER_SLACK: Duration = Duration::from_millis(2);

/// For each operation, the time since 1970 before which no request should come.
#[derive(Default)]
pub(crate) struct Waits(HashMap<String, Duration>);

impl Waits {
    /// Remembers the wait that a failure tells.
    pub(crate) fn note(&mut self, operation: &str, answer: &Answer, now: Duration) {
        if answer.status.is_success() {
            return;
        }
        let header =
            |name: &str| answer.headers.get(name)?.to_str().ok()?.parse().ok().map(Duration::from_secs);
        let after = header(RETRY_AFTER.as_str()).map(|wait| now + wait);
        let used_up = header("X-RateLimit-Remaining") == Some(Duration::ZERO);
        let reset = header("X-RateLimit-Reset").filter(|_| used_up);
        if let Some(until) = after.max(reset) {
            let known = self.0.entry(operation.to_owned()).or_default();
            *known = until.max(*known);
        }
    }

    /// Whether a request that comes now comes before it should.
    pub(crate) fn is_early(&self, operation: &str, now: Duration) -> bool {
        self.0.get(operation).is_some_and(|until| now + TIMER_SLACK < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_800_000_000);

    fn early_after(status: u16, headers: &[(&str, &str)]) -> [bool; 2] {
        let answer = headers
            .iter()
            .fold(Answer::new(status, None), |answer, (name, value)| answer.with_header(name, value));
        let mut waits = Waits::default();
        waits.note("rows.list", &answer, NOW);
        [900, 1_000].map(|millis| waits.is_early("rows.list", NOW + Duration::from_millis(millis)))
    }

    #[test]
    fn a_request_before_the_told_wait_is_over_is_early() {
        let reset = ("X-RateLimit-Reset", "1800000001");
        assert_eq!(early_after(429, &[("Retry-After", "1")]), [true, false]);
        assert_eq!(early_after(503, &[("Retry-After", "2")]), [true, true]);
        assert_eq!(early_after(403, &[("X-RateLimit-Remaining", "0"), reset]), [true, false]);
    }

    #[test]
    fn what_tells_no_wait_makes_nothing_early() {
        let reset = ("X-RateLimit-Reset", "1800000001");
        assert_eq!(early_after(429, &[]), [false; 2]);
        assert_eq!(early_after(403, &[("X-RateLimit-Remaining", "1"), reset]), [false; 2]);
        assert_eq!(early_after(200, &[("X-RateLimit-Remaining", "0"), reset]), [false; 2]);
    }

    #[test]
    fn the_longest_wait_counts_and_another_operation_has_its_own() {
        let mut waits = Waits::default();
        for wait in ["5", "1"] {
            waits.note("rows.list", &Answer::new(429, None).with_header("Retry-After", wait), NOW);
        }
        assert!(waits.is_early("rows.list", NOW + Duration::from_secs(4)));
        assert!(!waits.is_early("rows.get", NOW));
    }
}
