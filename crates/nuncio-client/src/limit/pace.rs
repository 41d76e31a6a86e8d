//! How fast to call a server that refuses calls and does not say how many it allows.
//!
//! A 429 without `Retry-After` and without rate limit fields says one thing: too fast. Retries do not help against that. Each call waits
//! for itself, and all together come as fast as before, until their attempts or the budget of retries are spent. So from the first such
//! refusal on, the calls go one by one at a pace that follows what the server took.
//!
//! A refusal cuts the pace to 7/10 of what the server took in the last second, as TCP does when a packet is lost (CUBIC, RFC 9438). The
//! calls that were under way then are refused for the same reason and cut nothing. After the first refusal the pace doubles each
//! second until the next one has shown where the limit is; from then on it grows by a tenth a second. A minute without a refusal
//! ends it.

use std::time::Duration;

use tokio::time::Instant;

use super::lane::{Closed, Hold};

/// What is left of the pace after a refusal.
const KEPT: f64 = 0.7;

/// Growth in a second, once a limit was found.
const GROWTH: f64 = 0.1;

/// Tokens a second at the least: one in ten seconds.
const SLOWEST: f64 = 0.1;

/// How long a refusal is remembered.
const MEMORY: Duration = Duration::from_secs(60);

/// A call that went late lets the next go earlier by as much as timers are late.
const LATE: Duration = Duration::from_millis(2);

/// The pace of the calls that share a limit.
#[derive(Debug, Default)]
pub(super) struct Pace {
    taken: Meter,
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    /// Tokens a second, after the refusal.
    rate: f64,
    /// When the server refused.
    since: Instant,
    /// Whether there were refusals before, so that the limit is not far from the rate.
    found: bool,
    /// When the next call can go.
    next: Instant,
}

impl Pace {
    /// Why no call can go now, if none can.
    pub(super) fn closed(&self, now: Instant) -> Option<Closed> {
        let held = self.held.as_ref().filter(|held| now < held.next)?;
        Some(Closed { earliest: held.next, recheck: Some(held.next), by: Hold::Pace })
    }

    /// A call goes.
    pub(super) fn take(&mut self, tokens: u32, now: Instant) {
        if let Some(held) = &mut self.held {
            let time = Duration::from_secs_f64(f64::from(tokens) / held.rate_at(now));
            held.next = held.next.max(now - LATE.min(now - held.since)) + time;
        }
    }

    /// The server took a call.
    pub(super) fn taken(&mut self, tokens: u32, now: Instant) {
        self.taken.count(tokens, now);
        self.held.take_if(|held| now >= held.since + MEMORY);
    }

    /// The server refused a call that went at `went`.
    pub(super) fn refused(&mut self, went: Instant, now: Instant) {
        // Fewer than one in a second are too few to tell a pace.
        let taken = self.taken.last_second(now).max(1.0);
        let pace = match &self.held {
            Some(held) if went <= held.since => return,
            Some(held) => taken.min(held.rate_at(now)),
            None => taken,
        };
        let rate = (pace * KEPT).max(SLOWEST);
        let next = now + Duration::from_secs_f64(1.0 / pace);
        self.held = Some(Held { rate, since: now, found: self.held.is_some(), next });
    }

    /// When it can be forgotten without loss.
    pub(super) fn forgettable_at(&self, now: Instant) -> Instant {
        self.held.as_ref().map_or(now, |held| held.since + MEMORY)
    }
}

impl Held {
    fn rate_at(&self, now: Instant) -> f64 {
        let secs = (now - self.since).as_secs_f64();
        self.rate * if self.found { 1.0 + GROWTH * secs } else { secs.exp2() }
    }
}

/// Tokens in the last second: what was counted in this one, and of the one before as much as lies within.
#[derive(Debug, Default)]
struct Meter {
    /// The second that is counted, from its begin.
    second: Option<Instant>,
    count: u64,
    before: u64,
}

impl Meter {
    fn count(&mut self, tokens: u32, now: Instant) {
        self.turn(now);
        self.count += u64::from(tokens);
    }

    fn last_second(&mut self, now: Instant) -> f64 {
        let begin = self.turn(now);
        self.count as f64 + self.before as f64 * (1.0 - (now - begin).as_secs_f64())
    }

    /// Begins another second when this one is over.
    fn turn(&mut self, now: Instant) -> Instant {
        const SECOND: Duration = Duration::from_secs(1);
        let begin = self.second.unwrap_or(now);
        let begin = match now - begin {
            age if age < SECOND => begin,
            age => {
                let next_one = age < 2 * SECOND;
                self.before = if next_one { self.count } else { 0 };
                self.count = 0;
                if next_one { begin + SECOND } else { now }
            }
        };
        *self.second.insert(begin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets calls go whenever the pace allows it, for `time`, to a server that takes one in each `interval`: how many were taken and refused.
    fn run(pace: &mut Pace, now: &mut Instant, time: Duration, interval: Duration) -> (u32, u32) {
        let (mut taken, mut refused, mut open_at) = (0, 0, *now);
        let end = *now + time;
        while *now < end {
            if let Some(closed) = pace.closed(*now) {
                *now = closed.earliest;
                continue;
            }
            let went = *now;
            pace.take(1, went);
            *now += Duration::from_millis(1);
            if went >= open_at {
                open_at = went + interval;
                taken += 1;
                pace.taken(1, *now);
            } else {
                refused += 1;
                pace.refused(went, *now);
            }
        }
        (taken, refused)
    }

    #[test]
    fn most_of_what_a_server_takes_is_found_with_few_refusals() {
        let minute = Duration::from_secs(60);
        for per_second in [2, 20, 200] {
            let (mut pace, mut now) = (Pace::default(), Instant::now());
            let (taken, refused) = run(&mut pace, &mut now, minute, Duration::from_secs(1) / per_second);
            assert!(taken > 60 * per_second * 6 / 10, "{taken} taken at {per_second}/s");
            assert!(refused < 40, "{refused} refused at {per_second}/s");
        }
    }

    #[test]
    fn calls_that_were_under_way_cut_the_pace_once() {
        let now = Instant::now();
        let mut pace = Pace::default();
        for _ in 0..100 {
            pace.taken(1, now);
        }
        let later = now + Duration::from_millis(10);
        for _ in 0..16 {
            pace.refused(now, later);
        }
        let opens = pace.closed(later).expect("held").earliest - later;
        assert_eq!(opens.as_millis(), 10, "as before");
        pace.take(1, later + opens);
        let opens = pace.closed(later + opens).expect("held").earliest - later - opens;
        assert_eq!(opens.as_millis(), 14, "70 a second");
    }

    #[test]
    fn a_minute_without_a_refusal_ends_it() {
        let now = Instant::now();
        let mut pace = Pace::default();
        pace.refused(now, now);
        assert!(pace.closed(now).is_some());
        assert_eq!(pace.forgettable_at(now), now + MEMORY);
        pace.taken(1, now + MEMORY);
        assert_eq!(pace.forgettable_at(now + MEMORY), now + MEMORY);
        assert!(pace.held.is_none());
    }

    #[test]
    fn without_a_refusal_nothing_is_held() {
        let now = Instant::now();
        let mut pace = Pace::default();
        for _ in 0..1_000 {
            assert!(pace.closed(now).is_none());
            pace.take(1, now);
            pace.taken(1, now);
        }
    }

    #[test]
    fn the_last_second_slides() {
        let now = Instant::now();
        let mut meter = Meter::default();
        let at = |millis| now + Duration::from_millis(millis);
        meter.count(10, at(0));
        assert_eq!(meter.last_second(at(900)), 10.0);
        assert_eq!(meter.last_second(at(1_500)), 5.0);
        meter.count(4, at(1_500));
        assert_eq!(meter.last_second(at(2_250)), 3.0);
        assert_eq!(meter.last_second(at(9_000)), 0.0);
    }
}
