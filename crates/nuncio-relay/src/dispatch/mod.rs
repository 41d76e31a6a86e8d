//! Delivers what is owed.
//!
//! One task decides, and each attempt is a task of its own. A delivery is leased, tried, and settled with what came of it; what a worker that dies
//! had in its care is due again when its lease ends. Each endpoint has a lane of its own, so that a slow or dead one holds back no other.

mod lane;
mod lanes;
mod pace;
mod run;
mod verdict;

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use nuncio_client::{Clock, Random};
use tokio::sync::{Notify, oneshot, watch};

use crate::clock;
use crate::directory::{Directory, Endpoint};
use crate::outcome::Outcome;
use crate::progress::Journal;
use crate::store::{Leased, Store};

pub use pace::{Breaker, Pace};

/// Makes one attempt to deliver.
pub trait Deliver: Send + Sync {
    /// Tries to deliver to the endpoint of this name. Dropping the future gives up; the endpoint may or may not have got the event then.
    /// What must be known if the worker dies meanwhile, or when it goes on from there another time, is written into the journal.
    fn deliver(
        &self,
        name: &str,
        endpoint: Arc<Endpoint>,
        leased: Leased,
        journal: Journal,
    ) -> BoxFuture<'static, Outcome>;
}

/// Settings of a [`Dispatcher`].
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How many attempts may be under way at once, to all endpoints together. Default: 1024.
    pub concurrency: NonZeroU32,
    /// How much longer than an attempt a lease is. Default: 30 s.
    pub lease_margin: Duration,
    /// How often the store is asked what is due without having been told. Only needed for what other processes store. Default: 10 s.
    pub poll: Duration,
    /// How long attempts that are under way may take to end after a [`Handle::stop`]. Default: 30 s.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: NonZeroU32::new(1024).unwrap_or(NonZeroU32::MIN),
            lease_margin: Duration::from_secs(30),
            poll: Duration::from_secs(10),
            grace: Duration::from_secs(30),
        }
    }
}

/// Delivers what is owed, until it is stopped or dropped.
pub struct Dispatcher {
    store: Arc<dyn Store>,
    deliver: Arc<dyn Deliver>,
    directory: watch::Receiver<Arc<Directory>>,
    clock: Clock,
    /// By which something is old.
    age: Clock,
    random: Random,
    settings: Settings,
    calls: Arc<Calls>,
}

/// Tells a [`Dispatcher`] what is new. Copies reach the same one.
#[derive(Clone)]
pub struct Handle(Arc<Calls>);

struct Calls {
    /// By which something is due.
    pace: Clock,
    pending: Mutex<Pending>,
    notify: Notify,
}

/// What was called out and not heard yet.
#[derive(Default)]
struct Pending {
    due: BTreeMap<String, Timestamp>,
    /// Who wants to know how endpoints are delivered to.
    asking: Vec<oneshot::Sender<BTreeMap<String, Pace>>>,
    is_stopping: bool,
}

impl Handle {
    /// The time by which deliveries are due. It showed the time of day when the dispatcher was made, and goes on evenly from there however the clock
    /// of the machine is set: what waits is neither hurried nor held up.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        clock::now(&self.0.pace)
    }

    /// Something is owed to the endpoint from this time on, told by [`now`](Self::now), or it may be delivered to again.
    pub fn wake(&self, endpoint: &str, due: Timestamp) {
        self.0.call(|pending| match pending.due.get_mut(endpoint) {
            Some(known) => *known = due.min(*known),
            None => drop(pending.due.insert(endpoint.to_owned(), due)),
        });
    }

    /// How endpoints are delivered to now, by their names. The dispatcher says so at its next turn, and one that does not run never does: whoever asks
    /// waits within bounds.
    pub async fn paces(&self) -> BTreeMap<String, Pace> {
        let (tell, told) = oneshot::channel();
        self.0.call(|pending| pending.asking.push(tell));
        told.await.unwrap_or_default()
    }

    /// No attempt begins any more. [`Dispatcher::run`] returns when those that are under way have ended, or their grace has.
    pub fn stop(&self) {
        self.0.call(|pending| pending.is_stopping = true);
    }
}

impl Calls {
    fn call(&self, change: impl FnOnce(&mut Pending)) {
        change(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        self.notify.notify_one();
    }

    fn take(&self) -> Pending {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let is_stopping = pending.is_stopping;
        std::mem::replace(&mut *pending, Pending { is_stopping, ..Pending::default() })
    }
}

impl Dispatcher {
    /// A dispatcher that has not begun yet.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        deliver: Arc<dyn Deliver>,
        directory: watch::Receiver<Arc<Directory>>,
        clock: Clock,
        random: Random,
        settings: Settings,
    ) -> Self {
        let calls =
            Calls { pace: Clock::starting_at(clock.now()), pending: Mutex::default(), notify: Notify::new() };
        let age = clock::patient(clock.clone());
        Self { store, deliver, directory, clock, age, random, settings, calls: Arc::new(calls) }
    }

    /// What it is told things by.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.calls))
    }
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatcher").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}
