//! An access token, and how long it is good for.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::time::Instant;

use super::tokens::Tokens;
use crate::{Clock, Secret};

/// How long before its end a token is replaced, so that it does not expire on the road: 60 s, or a tenth of its life if that is
/// shorter.
pub const MARGIN: Duration = Duration::from_secs(60);

/// A token as calls use it.
#[derive(Debug, Clone)]
pub(in crate::auth) struct Token {
    pub(in crate::auth) value: Secret,
    /// Nothing: good until it is refused.
    lifetime: Option<Duration>,
    obtained_at: SystemTime,
    /// How old it was when it was taken up here, and when that was.
    age: Duration,
    since: Instant,
}

impl Token {
    /// The access token of `tokens`, where they have one.
    pub(in crate::auth) fn of(tokens: &Tokens, clock: &Clock) -> Option<Self> {
        let obtained_at = tokens.obtained_at;
        Some(Self {
            value: tokens.access_token.clone()?,
            lifetime: tokens.lifetime(),
            obtained_at,
            age: clock.now().duration_since(obtained_at).unwrap_or_default(),
            since: Instant::now(),
        })
    }

    /// Whether it can still be used.
    pub(in crate::auth) fn is_valid(&self, clock: &Clock) -> bool {
        self.lifetime.is_none_or(|lifetime| self.age(clock) < lifetime)
    }

    /// Whether it is too early to replace it.
    pub(in crate::auth) fn is_fresh(&self, clock: &Clock) -> bool {
        self.lifetime.is_none_or(|lifetime| self.age(clock) < lifetime - MARGIN.min(lifetime / 10))
    }

    /// The monotonic clock may stand still while a laptop sleeps; the time of day may be set back. The later of both is right.
    fn age(&self, clock: &Clock) -> Duration {
        let by_clock = clock.now().duration_since(self.obtained_at).unwrap_or_default();
        by_clock.max(self.age + self.since.elapsed())
    }
}

/// Reads `expires_in` (RFC 6749, section 5.1): seconds, as a number or, as some servers write it, a string. Nothing when it is missing
/// or unreadable; zero when it is not positive.
pub(in crate::auth) fn lifetime(expires_in: Option<&Value>) -> Option<Duration> {
    let secs = match expires_in? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    if secs.is_nan() {
        return None;
    }
    Some(Duration::try_from_secs_f64(secs.max(0.0)).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn token(lifetime: Option<Duration>, clock: &Clock) -> Token {
        let obtained_at = clock.now();
        let tokens = Tokens {
            access_token: Some("made-up-token".into()),
            obtained_at,
            expires_at: lifetime.map(|lifetime| obtained_at + lifetime),
            ..Tokens::default()
        };
        Token::of(&tokens, clock).unwrap()
    }

    #[test]
    fn expires_in_is_read_in_all_its_forms() {
        let read = |value: Value| lifetime(Some(&value));
        assert_eq!(read(json!(3600)), Some(3600 * SECOND));
        assert_eq!(read(json!("3600")), Some(3600 * SECOND));
        assert_eq!(read(json!(1.5)), Some(Duration::from_millis(1500)));
        assert_eq!(read(json!("0.5")), Some(SECOND / 2));
        assert_eq!(read(json!(0)), Some(Duration::ZERO));
        assert_eq!(read(json!(-1)), Some(Duration::ZERO));
        assert_eq!(read(json!(1e300)), Some(Duration::MAX));
        for unreadable in [json!(null), json!("soon"), json!("NaN"), json!([3600]), json!(true)] {
            assert_eq!(read(unreadable.clone()), None, "{unreadable}");
        }
        assert_eq!(lifetime(None), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_replaced_60_s_before_it_expires() {
        let clock = Clock::system();
        let token = token(Some(3600 * SECOND), &clock);
        tokio::time::advance(3539 * SECOND).await;
        assert!(token.is_fresh(&clock));
        tokio::time::advance(SECOND).await;
        assert!(!token.is_fresh(&clock) && token.is_valid(&clock));
        tokio::time::advance(60 * SECOND).await;
        assert!(!token.is_valid(&clock));
    }

    #[tokio::test(start_paused = true)]
    async fn the_margin_of_a_short_token_is_a_tenth_of_its_life() {
        let clock = Clock::system();
        let token = token(Some(100 * SECOND), &clock);
        tokio::time::advance(89 * SECOND).await;
        assert!(token.is_fresh(&clock));
        tokio::time::advance(SECOND).await;
        assert!(!token.is_fresh(&clock) && token.is_valid(&clock));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_without_a_lifetime_is_good_until_it_is_refused() {
        let clock = Clock::starting_at(SystemTime::UNIX_EPOCH);
        let token = token(None, &clock);
        tokio::time::advance(1_000_000 * SECOND).await;
        assert!(token.is_fresh(&clock));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_without_any_life_is_never_used_again() {
        let clock = Clock::system();
        assert!(!token(Some(Duration::ZERO), &clock).is_valid(&clock));
    }

    #[tokio::test(start_paused = true)]
    async fn time_slept_through_counts_by_the_time_of_day() {
        let start = SystemTime::UNIX_EPOCH + 1_000_000 * SECOND;
        let token = token(Some(3600 * SECOND), &Clock::fixed(start));
        assert!(!token.is_valid(&Clock::fixed(start + 3600 * SECOND)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_was_kept_is_as_old_as_it_is() {
        let start = SystemTime::UNIX_EPOCH + 1_000_000 * SECOND;
        let kept = Tokens {
            access_token: Some("made-up-token".into()),
            obtained_at: start - 3000 * SECOND,
            expires_at: Some(start + 600 * SECOND),
            ..Tokens::default()
        };
        let token = Token::of(&kept, &Clock::fixed(start)).unwrap();
        tokio::time::advance(539 * SECOND).await;
        // By the monotonic clock alone: the time of day stands still here.
        assert!(token.is_fresh(&Clock::fixed(start)));
        tokio::time::advance(SECOND).await;
        assert!(!token.is_fresh(&Clock::fixed(start)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_set_back_does_not_prolong_a_token() {
        let start = SystemTime::UNIX_EPOCH + 1_000_000 * SECOND;
        let token = token(Some(3600 * SECOND), &Clock::fixed(start));
        tokio::time::advance(3600 * SECOND).await;
        assert!(!token.is_valid(&Clock::fixed(start - 500 * SECOND)));
    }
}
