//! Receivers of every kind, which notice what must not happen.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use nuncio_client::Random;
use nuncio_relay::deliver::Targets;
use nuncio_relay::store::{Lease, Leased};
use nuncio_relay::{Deliver, DeliveryId, Endpoint, Failure, Fault, Journal, Outcome};
use tokio::time::{Instant, sleep};

/// What a receiver is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Good,
    /// Fails now and then, in every way.
    Flaky,
    /// Never answers.
    Hanging,
    /// Wants no more after some events.
    Leaving,
    /// Is dead for a day.
    Away,
    /// Says to everything that it will not have it.
    Refusing,
    /// Services that are called.
    Services,
}

/// What was seen of one delivery.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// When each attempt began, and under which lease.
    pub(super) begun: Vec<(Instant, Lease)>,
    /// When the receiver took it.
    pub(super) taken: Vec<Instant>,
    /// Under which lease the receiver said to leave it alone, and until when, and how often the clock had jumped when that worker began.
    pub(super) quiet: Option<(Lease, Instant, u64)>,
}

#[derive(Default)]
pub(super) struct Log {
    pub(super) seen: BTreeMap<DeliveryId, Seen>,
    /// Leases that were settled, when, and whether that disabled the endpoint.
    pub(super) settled: HashMap<Lease, (Instant, bool)>,
    pub(super) attempts: u64,
    pub(super) broken: Vec<String>,
    /// Attempts of workers that live, by delivery.
    active: BTreeMap<DeliveryId, Lease>,
}

/// What one worker reaches the receivers by.
pub(super) struct Reach {
    pub(super) kinds: BTreeMap<String, Kind>,
    pub(super) services: BTreeMap<String, Targets>,
    pub(super) log: Arc<Mutex<Log>>,
    pub(super) random: Random,
    pub(super) start: Instant,
    /// How often the clock had jumped when the worker began.
    pub(super) began_after: u64,
}

/// Ends the attempt in the log even when its worker dies.
struct Active(Arc<Mutex<Log>>, Lease);

impl Drop for Active {
    fn drop(&mut self) {
        let mut log = self.0.lock().unwrap();
        if log.active.get(&self.1.delivery) == Some(&self.1) {
            log.active.remove(&self.1.delivery);
        }
    }
}

impl Deliver for Reach {
    fn deliver(
        &self,
        name: &str,
        endpoint: Arc<Endpoint>,
        leased: Leased,
        journal: Journal,
    ) -> BoxFuture<'static, Outcome> {
        let kind = self.kinds[name];
        let lease = leased.lease;
        let calls = self.services.get(name).map(|targets| targets.deliver(name, endpoint, leased, journal));
        let (log, random, start) = (Arc::clone(&self.log), self.random.clone(), self.start);
        let began_after = self.began_after;
        Box::pin(async move {
            let now = Instant::now();
            let delivery = lease.delivery;
            {
                let mut log = log.lock().unwrap();
                log.attempts += 1;
                if let Some(other) = log.active.insert(delivery, lease) {
                    log.broken.push(format!("two attempts of {delivery} at once: {other:?} and {lease:?}"));
                }
                let Log { seen, settled, .. } = &mut *log;
                let seen = seen.entry(delivery).or_default();
                // What was never written down is not known, and one who began after a jump has another clock.
                let is_early = seen.quiet.is_some_and(|(lease, until, after)| {
                    settled.contains_key(&lease) && now < until && after == began_after
                });
                seen.begun.push((now, lease));
                if is_early {
                    log.broken.push(format!("{delivery} came back before the Retry-After was over"));
                }
            }
            let _active = Active(Arc::clone(&log), lease);
            sleep(random.below(Duration::from_millis(400))).await;
            let outcome = match calls {
                Some(calls) => calls.await,
                None => match answer(kind, &random, start) {
                    None => std::future::pending().await,
                    Some(outcome) => outcome,
                },
            };
            let mut log = log.lock().unwrap();
            let now = Instant::now();
            match &outcome.result {
                Ok(()) => log.seen.entry(delivery).or_default().taken.push(now),
                Err(failure) => {
                    let quiet = failure.retry_after.map(|wait| (lease, now + wait, began_after));
                    log.seen.entry(delivery).or_default().quiet = quiet;
                }
            }
            outcome
        })
    }
}

/// What a receiver answers; `None` for nothing, ever.
fn answer(kind: Kind, random: &Random, start: Instant) -> Option<Outcome> {
    let chance = random.bits() % 100;
    let wait = Duration::from_secs((random.bits() % 900) as u64);
    match kind {
        Kind::Good | Kind::Services => Some(Outcome::taken(200)),
        Kind::Hanging => None,
        Kind::Refusing => Some(Outcome::failed(Fault::Refused, "400")),
        Kind::Away if start.elapsed() < Duration::from_secs(86_400) => {
            Some(Outcome::failed(Fault::Unavailable, "503"))
        }
        Kind::Away => Some(Outcome::taken(204)),
        Kind::Leaving if chance < 20 => Some(Outcome::failed(Fault::Gone, "410")),
        Kind::Leaving => Some(Outcome::taken(200)),
        Kind::Flaky => match chance {
            0..=59 => Some(Outcome::taken(200)),
            60..=74 => Some(Outcome::failed(Fault::Unavailable, "500")),
            75..=84 => {
                let (reason, retry_after) = ("429".to_owned(), Some(wait));
                let failure = Failure { fault: Fault::Throttled, reason, retry_after, is_final: false };
                Some(Outcome { result: Err(failure), ..Outcome::taken(429) })
            }
            85..=92 => Some(Outcome::failed(Fault::Refused, "422")),
            93..=97 => None,
            // The attempt breaks off, and nothing is printed about it.
            _ => std::panic::resume_unwind(Box::new("a panic")),
        },
    }
}
