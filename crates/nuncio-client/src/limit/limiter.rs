//! Waiting for one's turn.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::bucket::after;
use super::lane::{Closed, Hold};
use super::state::{Attempt, State, Taken, Turn};
use super::{Learned, Limits, Refill};
use crate::{Context, Error, Event, Evidence, Kind};

/// Holds calls to [`Limits`]. Copies share everything: what one takes, the others wait for.
///
/// Asking is cheap: the work does not grow with the number of keys and of calls that wait, and a call that need not wait takes a lock
/// for well under a microsecond. Waits are rounded up to the millisecond, as `tokio::time` does.
#[derive(Debug, Clone)]
pub struct Limiter {
    max_wait: Duration,
    /// Number of its list of limits.
    list: usize,
    state: Arc<Mutex<State>>,
}

impl Limiter {
    /// A limiter with full buckets.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let max_wait = limits.max_wait;
        Self { max_wait, list: 0, state: Arc::new(Mutex::new(State::new(vec![limits], &[]))) }
    }

    /// Limiters for operations of one service that has several lists of limits: one for each list, in their order.
    ///
    /// Calls of all of them count towards the bound on concurrency of each. The quotas of [`Scope::All`](super::Scope::All) that have a
    /// name in `shared` share one bucket for each name, as large as the first of them; all others are of their list alone. Calls that
    /// wait for the same shared bucket go in order of arrival within their list.
    #[must_use]
    pub fn sharing(lists: Vec<Limits>, shared: &[&str]) -> Vec<Self> {
        let max_waits: Vec<Duration> = lists.iter().map(|limits| limits.max_wait).collect();
        let state = Arc::new(Mutex::new(State::new(lists, shared)));
        let limiters = max_waits.into_iter().enumerate();
        limiters.map(|(list, max_wait)| Self { max_wait, list, state: Arc::clone(&state) }).collect()
    }

    /// Waits until the call of `context` may go, and takes what it [costs](Context::cost) from all its buckets at once.
    ///
    /// Calls with the same key and operation go in the order in which they were first polled. A future that is dropped has taken
    /// nothing, and its place goes to the next. The context's observer is told of a wait by [`Event::Limited`].
    ///
    /// # Errors
    /// - [`Kind::Limit`] as soon as it is known that the turn comes after the context's deadline or later than [`Limits::max_wait`].
    ///   The error says which limit it is and when to [come back](Error::retry_after).
    /// - [`Kind::Limit`] for a new key while [`Limits::max_keys`] others are in use.
    /// - [`Kind::Configuration`] for a call that costs more than a bucket can hold.
    pub async fn acquire(&self, context: &Context) -> Result<Permit, Error> {
        let arrived = Instant::now();
        let mut waiter = Waiter { limiter: self, turn: Turn::default() };
        let mut held: Option<Hold> = None;
        let mut now = arrived;
        loop {
            let closed = match self.with(|state| state.attempt(self.list, &mut waiter.turn, context, now))? {
                Attempt::Goes(taken) => {
                    if let Some(by) = held {
                        let waited = now - arrived;
                        context.observer.notify(&Event::Limited { waited, reason: &by.to_string() });
                    }
                    return Ok(Permit { limiter: self.clone(), taken });
                }
                Attempt::Waits(closed) => closed,
            };
            let patience = after(arrived, self.max_wait);
            let latest = context.deadline.map_or(patience, |deadline| deadline.min(patience));
            if closed.earliest > latest || now >= latest {
                return Err(too_late(&closed, now, latest.saturating_duration_since(arrived)));
            }
            let recheck = closed.recheck.map_or(latest, |at| at.min(latest));
            held.get_or_insert(closed.by);
            let notify = waiter.turn.notify().expect("a call that waits is parked");
            // Woken or not: the state says what it means.
            let _ = timeout_at(recheck, notify.notified()).await;
            now = Instant::now();
        }
    }

    /// Waits for `tokens` of a call without key and operation, for work that goes another way to the same service.
    ///
    /// It is as [`acquire`](Self::acquire) for a call that is over at once, so it waits for the bound on concurrency too.
    ///
    /// # Errors
    /// Those of [`acquire`](Self::acquire).
    pub async fn consume(&self, tokens: NonZeroU32) -> Result<(), Error> {
        self.acquire(&Context { cost: tokens, ..Context::default() }).await.map(drop)
    }

    /// Takes in what the server said of its limits elsewhere than in the answer to a call that has a [`Permit`]. `context` tells
    /// whose they are.
    ///
    /// # Errors
    /// [`Kind::Limit`] for a new key while [`Limits::max_keys`] others are in use.
    pub fn learn(&self, context: &Context, told: &[Learned]) -> Result<(), Error> {
        self.with(|state| state.learn(self.list, context, told, Instant::now()))
    }

    /// Changes the quota `name`, for all keys and in all lists that [share](Self::sharing) with this one, from now on. What is in a bucket stays there as far as it fits.
    ///
    /// # Errors
    /// [`Kind::Configuration`] when there is no quota of that name.
    pub fn set_quota(&self, name: &str, capacity: NonZeroU32, refill: Refill) -> Result<(), Error> {
        self.with(|state| state.set_quota(name, capacity, refill, Instant::now()))
    }

    /// Changes the bound on calls under way at once, of all lists. Under a lower bound, those that are too many finish.
    pub fn set_concurrency(&self, concurrency: Option<NonZeroU32>) {
        self.with(|state| state.set_concurrency(concurrency));
    }

    #[cfg(test)]
    pub(super) fn keys(&self) -> usize {
        self.with(|state| state.keys())
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        let (result, woken) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let result = f(&mut state);
            (result, state.take_woken())
        };
        for notify in woken {
            notify.notify_one();
        }
        result
    }
}

impl Default for Limiter {
    /// Sets no limit, but obeys those that the server tells of.
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

/// Gives the place in the queue away when the wait ends, however it ends.
struct Waiter<'a> {
    limiter: &'a Limiter,
    turn: Turn,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if self.turn.is_open() {
            self.limiter.with(|state| state.exit(&mut self.turn));
        }
    }
}

/// The right to make one call. Dropping it tells that the call is over.
#[derive(Debug)]
#[must_use = "a permit that is dropped does not count as a call under way"]
pub struct Permit {
    limiter: Limiter,
    taken: Taken,
}

impl Permit {
    /// Says that the call was answered, and what the answer told of the server's limits (nothing: an empty slice). Only the first time
    /// counts. A call that ends without this is taken to be one that the server may have counted.
    pub fn answered(&mut self, told: &[Learned]) {
        self.limiter.with(|state| state.answered(&mut self.taken, told, Instant::now()));
    }

    /// Says that the call was refused for coming too fast, and that nothing of what the answer told says until when. Stands instead of
    /// [`answered`](Self::answered).
    pub fn refused(&mut self, told: &[Learned]) {
        self.limiter.with(|state| state.refused(&mut self.taken, told, Instant::now()));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limiter.with(|state| state.release(&mut self.taken));
    }
}

fn too_late(closed: &Closed, now: Instant, patience: Duration) -> Error {
    let (what, patience) = (&closed.by, in_words(patience));
    let error = if closed.earliest > now {
        let wait = closed.earliest - now;
        let message = format!(
            "{what} has no room for another {}, and the call may wait for {patience}",
            in_words(wait)
        );
        Error::new(Kind::Limit, message).come_back_after(wait)
    } else {
        Error::new(Kind::Limit, format!("{what} had no room within the {patience} that the call may wait"))
    };
    error
        .evidence_is(Evidence::NeverSent)
        .advise("make fewer calls, come back later, or allow a longer wait or deadline")
}

fn in_words(time: Duration) -> String {
    match time.as_secs() {
        0..120 => format!("{:.1} s", time.as_secs_f64()),
        secs @ 120..7_200 => format!("{} min", secs.div_ceil(60)),
        secs => format!("{} h", secs.div_ceil(3_600)),
    }
}
