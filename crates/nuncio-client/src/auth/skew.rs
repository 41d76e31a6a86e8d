//! Clocks that differ: the commonest reason why a good signature is refused.

use std::fmt;
use std::time::Duration;

use http::HeaderMap;

use crate::Clock;
use crate::hints::answered_at;

/// Less than this is refused by no service that is known; most allow 5 minutes.
const NOTABLE: Duration = Duration::from_secs(60);

/// An extension of a 401 or 403 whose `Date` is a minute or more away from this machine's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockSkew {
    /// How far the clocks are apart.
    pub by: Duration,
    /// Whether this machine's clock is the later one.
    pub is_ahead: bool,
}

impl ClockSkew {
    pub(super) fn of(answered: &HeaderMap, clock: &Clock) -> Option<Self> {
        let (here, server) = (clock.since_epoch(), answered_at(answered, clock.now()));
        let by = here.abs_diff(server);
        (by >= NOTABLE).then_some(Self { by, is_ahead: here > server })
    }
}

impl fmt::Display for ClockSkew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.is_ahead { "ahead of" } else { "behind" };
        write!(f, "this machine's clock is {} s {side} the server's, by its Date header", self.by.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn told(date: &'static str) -> Option<String> {
        // 2025-10-09T08:53:20Z
        let clock = Clock::fixed(UNIX_EPOCH + Duration::from_secs(1_760_000_000));
        let mut headers = HeaderMap::new();
        headers.insert("date", date.parse().unwrap());
        ClockSkew::of(&headers, &clock).map(|skew| skew.to_string())
    }

    #[test]
    fn a_minute_and_more_is_told_with_its_direction() {
        assert_eq!(
            told("Thu, 09 Oct 2025 07:53:20 GMT").as_deref(),
            Some("this machine's clock is 3600 s ahead of the server's, by its Date header")
        );
        assert_eq!(
            told("Thu, 09 Oct 2025 08:54:20 GMT").as_deref(),
            Some("this machine's clock is 60 s behind the server's, by its Date header")
        );
        for near in ["Thu, 09 Oct 2025 08:54:19 GMT", "Thu, 09 Oct 2025 08:52:21 GMT", "soon"] {
            assert_eq!(told(near), None, "{near}");
        }
    }
}
