//! How much an endpoint is given at a time.

use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;
use nuncio_client::Random;
use nuncio_client::limit::Bucket;
use tokio::time::Instant;

use crate::outcome::{Fault, Outcome};
use crate::settings::Delivery;

use super::pace::{self, Pace};
use super::verdict::later;

/// How many attempts a lane begins with at once, before it knows the endpoint.
const FIRST_WINDOW: u32 = 4;

/// After so many failures in a row an endpoint is taken for dead.
const FAILURES_TO_OPEN: u32 = 10;

/// How long a dead endpoint is left alone at first. Each probe that fails doubles it, as far as the settings say.
const FIRST_OPEN: Duration = Duration::from_secs(5);

/// One endpoint's share: how many attempts may be under way, and whether any may begin now.
///
/// - *Adaptive concurrency*: the window widens by one for each success until the endpoint is slowed for the first time, from then on by one a
///   round. It halves, at most once a round, when the endpoint says that it is under load or does not answer.
/// - *Breaker*: after ten failures in a row nothing is sent for a while, then one probe.
/// - *The endpoint's word*: nothing is sent before a `Retry-After` is over.
/// - *Rate*: a token bucket.
#[derive(Debug)]
pub(super) struct Lane {
    max_window: u32,
    longest_pause: Duration,
    window: f64,
    has_been_slowed: bool,
    /// Attempts that began before say nothing new: their failure is part of the same trouble.
    slowed_at: Option<Instant>,
    in_flight: u32,
    breaker: Breaker,
    quiet_until: Option<Instant>,
    bucket: Option<Bucket>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breaker {
    Closed {
        failures: u32,
    },
    Open {
        until: Instant,
        length: Duration,
    },
    /// One attempt is under way that tells.
    Probing {
        length: Duration,
    },
}

/// What an outcome changed about an endpoint's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing.
    None,
    /// It is taken for dead.
    Failed,
    /// It took an event.
    Worked,
}

/// When attempts may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// So many now.
    Now(NonZeroU32),
    /// None before.
    At(Instant),
    /// None before one that is under way has ended.
    Full,
}

impl Lane {
    pub(super) fn new(delivery: &Delivery, now: Instant) -> Self {
        let Delivery { concurrency, rate, longest_pause, .. } = *delivery;
        Self {
            max_window: concurrency.get(),
            longest_pause: longest_pause.0,
            window: f64::from(concurrency.get().min(FIRST_WINDOW)),
            has_been_slowed: false,
            slowed_at: None,
            in_flight: 0,
            breaker: Breaker::Closed { failures: 0 },
            quiet_until: None,
            bucket: rate.map(|rate| Bucket::new(rate.tokens(), rate, now)),
        }
    }

    /// Other settings; what was learned stays.
    pub(super) fn set(&mut self, delivery: &Delivery, now: Instant) {
        let Delivery { concurrency, rate, longest_pause, .. } = *delivery;
        self.max_window = concurrency.get();
        self.longest_pause = longest_pause.0;
        self.window = self.window.min(f64::from(self.max_window));
        match (&mut self.bucket, rate) {
            (Some(bucket), Some(rate)) => bucket.set_quota(rate.tokens(), rate, now),
            (bucket, rate) => *bucket = rate.map(|rate| Bucket::new(rate.tokens(), rate, now)),
        }
    }

    /// How many attempts may begin.
    pub(super) fn room(&self, now: Instant) -> Room {
        if let Some(until) = self.quiet_until.filter(|until| *until > now) {
            return Room::At(until);
        }
        let slots = match self.breaker {
            Breaker::Open { until, .. } if until > now => return Room::At(until),
            Breaker::Open { .. } => 1_u32.saturating_sub(self.in_flight),
            Breaker::Probing { .. } => 0,
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a window is a small count"
            )]
            Breaker::Closed { .. } => (self.window as u32).saturating_sub(self.in_flight),
        };
        let Some(slots) = NonZeroU32::new(slots) else { return Room::Full };
        let Some(bucket) = &self.bucket else { return Room::Now(slots) };
        match NonZeroU32::new(bucket.level(now)) {
            Some(tokens) => Room::Now(slots.min(tokens)),
            None => Room::At(bucket.opens_at(1, now).unwrap_or(now)),
        }
    }

    /// How it is delivered to.
    pub(super) fn pace(&self, now: Timestamp, instant: Instant) -> Pace {
        let at = |until: Instant| later(now, until.saturating_duration_since(instant));
        let breaker = match self.breaker {
            Breaker::Closed { failures } => pace::Breaker::Closed { failures },
            Breaker::Open { until, .. } => pace::Breaker::Open { until: at(until) },
            Breaker::Probing { .. } => pace::Breaker::Probing,
        };
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a window is a small count"
        )]
        let window = self.window as u32;
        let quiet_until = self.quiet_until.filter(|until| *until > instant).map(at);
        Pace { breaker, in_flight: self.in_flight, window, quiet_until }
    }

    /// An attempt begins.
    pub(super) fn begin(&mut self, now: Instant) {
        self.in_flight += 1;
        if let Breaker::Open { length, .. } = self.breaker {
            self.breaker = Breaker::Probing { length };
        }
        if let Some(bucket) = &mut self.bucket {
            // It had a token when it was asked for room.
            let _ = bucket.consume(1, now);
        }
    }

    /// An attempt that began at `began` has ended.
    pub(super) fn end(&mut self, outcome: &Outcome, began: Instant, now: Instant, random: &Random) -> Turn {
        self.in_flight = self.in_flight.saturating_sub(1);
        let fault = outcome.result.as_ref().err().map(|failure| failure.fault);
        if let Err(failure) = &outcome.result
            && let Some(wait) = failure.retry_after
        {
            self.quiet_until = self.quiet_until.max(Some(now + wait));
        }
        match fault {
            None => self.widen(),
            Some(Fault::Throttled | Fault::Unavailable) => self.narrow(began, now),
            Some(_) => {}
        }
        self.judge(fault, now, random)
    }

    fn widen(&mut self) {
        let step = if self.has_been_slowed { 1.0 / self.window } else { 1.0 };
        self.window = (self.window + step).min(f64::from(self.max_window));
    }

    fn narrow(&mut self, began: Instant, now: Instant) {
        if self.slowed_at.is_none_or(|at| began >= at) {
            self.window = (self.window / 2.0).max(1.0);
            self.has_been_slowed = true;
            self.slowed_at = Some(now);
        }
    }

    fn judge(&mut self, fault: Option<Fault>, now: Instant, random: &Random) -> Turn {
        match (fault, self.breaker) {
            (None, _) => {
                self.breaker = Breaker::Closed { failures: 0 };
                Turn::Worked
            }
            // That it answers at all says that it lives, whatever it thinks of this event.
            (Some(Fault::Refused | Fault::Gone), _) => {
                self.breaker = Breaker::Closed { failures: 0 };
                Turn::None
            }
            (Some(_), Breaker::Probing { length }) => {
                self.open(length * 2, now, random);
                Turn::Failed
            }
            (Some(_), Breaker::Closed { failures }) if failures + 1 >= FAILURES_TO_OPEN => {
                self.window = 1.0;
                self.open(FIRST_OPEN, now, random);
                Turn::Failed
            }
            (Some(_), Breaker::Closed { failures }) => {
                self.breaker = Breaker::Closed { failures: failures + 1 };
                Turn::None
            }
            // One that began before it was taken for dead.
            (Some(_), Breaker::Open { .. }) => Turn::None,
        }
    }

    fn open(&mut self, length: Duration, now: Instant, random: &Random) {
        let length = length.min(self.longest_pause);
        self.breaker = Breaker::Open { until: now + length + random.below(length / 10), length };
    }
}

#[cfg(test)]
mod tests;
