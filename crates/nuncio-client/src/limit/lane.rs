//! What the calls of one scope share: their buckets, what the server said, and who waits.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::adaptive::Learner;
use super::pace::Pace;
use super::{Bucket, Limits, Quota, Scope};
use crate::{Context, Error};

/// Names a lane: the scope, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    All,
    Key(Option<Arc<str>>),
    Operation(Option<Arc<str>>, Option<Arc<str>>),
}

impl Place {
    pub(super) fn of(scope: Scope, context: &Context) -> Self {
        match scope {
            Scope::All => Self::All,
            Scope::Key => Self::Key(context.limit_key.clone()),
            Scope::Operation => Self::Operation(context.limit_key.clone(), context.operation.clone()),
        }
    }

    pub(super) fn scope(&self) -> Scope {
        match self {
            Self::All => Scope::All,
            Self::Key(_) => Scope::Key,
            Self::Operation(..) => Scope::Operation,
        }
    }
}

/// Why a call cannot go now.
#[derive(Debug)]
pub(super) struct Closed {
    /// It cannot go before, whatever the others do, unless they give up.
    pub(super) earliest: Instant,
    /// It can go then if nothing happens. Nothing: it can go when something happens.
    pub(super) recheck: Option<Instant>,
    /// What holds it.
    pub(super) by: Hold,
}

/// What holds a call. It becomes text only when someone is told.
#[derive(Debug, Clone)]
pub(super) enum Hold {
    Quota(Arc<str>),
    /// By its name, where the server gives one.
    Server(Option<Arc<str>>),
    Pace,
    Concurrency(NonZeroU32),
    Earlier,
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quota(name) => write!(f, "the limit {name:?}"),
            Self::Server(Some(policy)) => write!(f, "the server's limit {policy:?}"),
            Self::Server(None) => f.write_str("the server's limit"),
            Self::Pace => f.write_str("the pace that the server puts up with"),
            Self::Concurrency(bound) => write!(f, "the concurrency bound of {bound}"),
            Self::Earlier => f.write_str("earlier calls"),
        }
    }
}

impl Closed {
    /// Both hold it: the later counts.
    pub(super) fn and(self, other: Self) -> Self {
        let recheck = self.recheck.max(other.recheck);
        let longer = if other.earliest > self.earliest { other } else { self };
        Self { recheck, ..longer }
    }
}

/// A call that waits, in the lane that holds it.
#[derive(Debug)]
pub(super) struct Parked {
    pub(super) tokens: u32,
    pub(super) notify: Arc<Notify>,
}

/// Where the tokens of a quota are.
#[derive(Debug)]
enum Tokens {
    Own(Bucket),
    /// In the bucket of this number among those that several lists share.
    Shared(usize),
}

/// The buckets that lists of limits share, by name.
pub(super) type Shared = [(Arc<str>, Bucket)];

impl Tokens {
    fn bucket<'a>(&'a self, shared: &'a Shared) -> &'a Bucket {
        match self {
            Self::Own(bucket) => bucket,
            Self::Shared(number) => &shared[*number].1,
        }
    }
}

#[derive(Debug)]
pub(super) struct Lane {
    /// Number of the list of limits that it is of.
    pub(super) list: usize,
    place: Place,
    buckets: Vec<(Arc<str>, Tokens)>,
    pub(super) learner: Learner,
    pub(super) pace: Pace,
    /// By arrival.
    queue: BTreeMap<u64, Parked>,
    queued_tokens: u64,
    /// Calls on their way through this lane, and calls under way whose answers it is to be told.
    pub(super) holders: u32,
}

impl Lane {
    pub(super) fn new(list: usize, place: Place, limits: &Limits, shared: &Shared, now: Instant) -> Self {
        let scope = place.scope();
        let quotas = limits.quotas.iter().filter(|quota| quota.per == scope);
        let buckets = quotas.map(|quota| {
            let number = shared.iter().position(|(name, _)| scope == Scope::All && *name == quota.name);
            let own = || Tokens::Own(Bucket::new(quota.capacity, quota.refill, now));
            (quota.name.clone(), number.map_or_else(own, Tokens::Shared))
        });
        Self {
            list,
            buckets: buckets.collect(),
            place,
            learner: Learner::default(),
            pace: Pace::default(),
            queue: BTreeMap::new(),
            queued_tokens: 0,
            holders: 0,
        }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Why a call of `tokens` that came as number `arrival` cannot go as far as this lane is concerned; nothing if it can.
    ///
    /// # Errors
    /// A bucket never holds so many tokens.
    pub(super) fn closed(
        &mut self,
        tokens: u32,
        arrival: u64,
        shared: &Shared,
        now: Instant,
    ) -> Result<Option<Closed>, Error> {
        self.check_capacity(tokens, shared)?;
        let behind = self.queue.first_key_value().is_some_and(|(first, _)| *first < arrival);
        if !behind {
            self.learner.lapse(tokens, now);
        }
        // Everyone in the queue is before one who comes now, whose place it tells. One who waits already asks again only when
        // something changed: what its own tokens wait for is enough then.
        let newest = self.queue.last_key_value().is_none_or(|(last, _)| *last < arrival);
        let ahead = if newest { self.queued_tokens } else { 0 };
        let needed = ahead + u64::from(tokens);
        let empty = self.buckets.iter().filter_map(|(name, tokens)| {
            let at = tokens.bucket(shared).opens_at(needed, now)?;
            Some(Closed { earliest: at, recheck: Some(at), by: Hold::Quota(Arc::clone(name)) })
        });
        let learned = self.learner.closed(needed, now).into_iter().chain(self.pace.closed(now));
        let closed = empty.chain(learned).reduce(Closed::and);
        Ok(closed.or_else(|| behind.then_some(Closed { earliest: now, recheck: None, by: Hold::Earlier })))
    }

    fn check_capacity(&self, tokens: u32, shared: &Shared) -> Result<(), Error> {
        let mut capacities = self.buckets.iter().map(|(name, of)| (name, of.bucket(shared).capacity()));
        let Some((name, capacity)) = capacities.find(|(_, capacity)| tokens > capacity.get()) else {
            return Ok(());
        };
        let message = format!("a call takes {tokens} tokens of the limit {name:?}, which holds {capacity}");
        Err(Error::configuration(message)
            .advise("raise the capacity of the limit, or lower the cost of the call"))
    }

    /// Takes the tokens of a call for which this and every other lane is open.
    pub(super) fn take(&mut self, tokens: u32, shared: &mut Shared, now: Instant) {
        for (_, of) in &mut self.buckets {
            match of {
                Tokens::Own(bucket) => bucket.take(tokens, now),
                Tokens::Shared(number) => shared[*number].1.take(tokens, now),
            }
        }
        self.pace.take(tokens, now);
    }

    pub(super) fn set_quota(&mut self, quota: &Quota, now: Instant) {
        for (_, of) in self.buckets.iter_mut().filter(|(name, _)| *name == quota.name) {
            if let Tokens::Own(bucket) = of {
                bucket.set_quota(quota.capacity, quota.refill, now);
            }
        }
    }

    pub(super) fn park(&mut self, arrival: u64, parked: Parked) {
        self.queued_tokens += u64::from(parked.tokens);
        self.queue.insert(arrival, parked);
    }

    /// Takes a call out of the queue.
    pub(super) fn leave(&mut self, arrival: u64) {
        if let Some(parked) = self.queue.remove(&arrival) {
            self.queued_tokens -= u64::from(parked.tokens);
        }
    }

    /// The call whose turn it is.
    pub(super) fn first(&self) -> Option<&Parked> {
        self.queue.first_key_value().map(|(_, parked)| parked)
    }

    pub(super) fn is_first(&self, arrival: u64) -> bool {
        self.queue.first_key_value().is_some_and(|(first, _)| *first == arrival)
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = &Parked> {
        self.queue.values()
    }

    /// When it can be forgotten without loss, if that is known: a lane that is made anew has full buckets.
    pub(super) fn forgettable_at(&self, now: Instant) -> Option<Instant> {
        if self.holders > 0 {
            return None;
        }
        let learned = self.learner.forgettable_at(now)?.max(self.pace.forgettable_at(now));
        let own = self.buckets.iter().filter_map(|(_, of)| match of {
            Tokens::Own(bucket) => Some(bucket.full_at(now)),
            Tokens::Shared(_) => None,
        });
        Some(own.fold(learned, Instant::max))
    }
}
