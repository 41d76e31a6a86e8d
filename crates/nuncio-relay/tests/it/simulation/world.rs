//! One schedule: what is owed, who receives, who dies when, and whether the rules held.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nuncio_client::Random;
use nuncio_relay::dispatch::{Dispatcher, Settings};
use nuncio_relay::settings::{self, Delivery};
use nuncio_relay::store::{
    Append, Appended, Change, DeliveryQuery, Document, DocumentKind, MemoryStore, Owed, Store,
};
use nuncio_relay::{Directory, Endpoint, Event, EventId, Headers, Origin, State};
use nuncio_service::Env;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::calls::{self, Services};
use super::clock::SetClock;
use super::mortal::MortalStore;
use super::receiver::{Kind, Log, Reach, Seen};

const KINDS: [Kind; 7] =
    [Kind::Good, Kind::Flaky, Kind::Hanging, Kind::Leaving, Kind::Away, Kind::Refusing, Kind::Services];

/// The schedule of Standard Webhooks, in seconds.
const WAITS: [u64; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// When all must be over: the schedule takes a little over three days, and dead receivers and clocks that are behind are waited for.
const HORIZON: Duration = Duration::from_secs(60 * 86_400);

/// How long a clock has to be ahead to be believed.
const PATIENCE: Duration = Duration::from_secs(86_400);

pub(super) struct World {
    seed: u64,
    random: Random,
    store: Arc<MemoryStore>,
    log: Arc<Mutex<Log>>,
    kinds: BTreeMap<String, Kind>,
    /// Those of the endpoints that call some.
    services: BTreeMap<String, Services>,
    directory: watch::Sender<Arc<Directory>>,
    clock: SetClock,
    /// Whether the clock jumps.
    jumps: bool,
    start: Instant,
    deaths: u64,
    /// How many of a thousand steps of the store fail.
    failures_per_mille: u128,
}

impl World {
    /// Runs the schedule of this seed: deliveries, attempts, deaths and disabled endpoints.
    pub(super) fn run(seed: u64) -> [u64; 5] {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut world = Self::new(seed).await;
            world.owe().await;
            world.live().await;
            world.judge().await
        })
    }

    async fn new(seed: u64) -> Self {
        let random = Random::seeded(seed);
        let pick = |bound: u128| (random.bits() % bound) as usize;
        let kinds: BTreeMap<_, _> = (0..=pick(4))
            .map(|number| (format!("endpoint-{number}"), KINDS[pick(KINDS.len() as u128)]))
            .collect();
        let endpoints = kinds.iter().map(|(name, kind)| {
            let delivery = Delivery {
                concurrency: NonZeroU32::new(1 + pick(8) as u32).unwrap(),
                rate: (pick(3) == 0).then(|| "3/s".parse().unwrap()),
                ..Delivery::default()
            };
            let mut settings: settings::Endpoint =
                serde_json::from_value(json!({ "from": "source/shop", "to": { "file": { "path": name } } }))
                    .unwrap();
            settings.delivery = delivery;
            if *kind == Kind::Services {
                settings.to = calls::target();
            }
            (name.clone(), Arc::new(Endpoint::new(settings, Env::default()).unwrap()))
        });
        let directory = Directory { endpoints: endpoints.collect(), ..Directory::default() };
        let store = Arc::new(MemoryStore::new());
        let put = |name: &String| {
            let (kind, value) = (DocumentKind::Endpoint, serde_json::Value::Null);
            Change::Put(Document { kind, name: name.clone(), from_file: false, value })
        };
        store.change(kinds.keys().map(put).collect(), None).await.unwrap();
        let called = kinds.iter().filter(|(_, kind)| **kind == Kind::Services);
        Self {
            services: called.map(|(name, _)| (name.clone(), Services::default())).collect(),
            seed,
            random: random.clone(),
            store,
            log: Arc::default(),
            kinds,
            directory: watch::Sender::new(Arc::new(directory)),
            clock: SetClock::new(),
            jumps: pick(3) == 0,
            start: Instant::now(),
            deaths: 0,
            failures_per_mille: [0, 0, 20, 100][pick(4)],
        }
    }

    fn pick(&self, bound: u64) -> u64 {
        (self.random.bits() % u128::from(bound)) as u64
    }

    fn now(&self) -> Timestamp {
        let since = self.clock.clock().since_epoch();
        Timestamp::from_millisecond(since.as_millis() as i64).unwrap()
    }

    async fn owe(&self) {
        for _ in 0..2 + self.pick(8) {
            let now = self.now();
            let event = Event {
                id: EventId::new(now, &self.random),
                origin: Origin::Source("shop".to_owned()),
                event_type: "order".to_owned(),
                at: now,
                headers: Headers::default(),
                body: bytes::Bytes::from_static(b"{}"),
            };
            let key = (self.pick(2) == 0).then(|| format!("key-{}", self.pick(2)));
            let due =
                now + SignedDuration::from_millis(self.pick(60_000) as i64 * i64::from(self.pick(2) == 0));
            let owed =
                self.kinds.keys().map(|name| Owed { endpoint: name.clone(), order_key: key.clone(), due });
            let append = Append { event, unique: None, owed: owed.collect() };
            assert_eq!(self.store.append(append).await.unwrap(), Appended::Stored);
        }
    }

    /// Workers come, die and are replaced, until nothing is left to be done.
    async fn live(&mut self) {
        let mut deaths_left = self.pick(6);
        // Workers that began before and after a jump tell each other nothing about the time: one process has no such.
        let crowd = if self.jumps && deaths_left > 0 { 1 } else { 1 + self.pick(2) };
        let jumping = self.jumps.then(|| self.clock.jump(self.random.clone()));
        let mut workers = Vec::new();
        while self.start.elapsed() < HORIZON {
            while (workers.len() as u64) < crowd {
                let half_steps = if deaths_left > 0 { self.pick(40) as i64 } else { i64::MAX };
                deaths_left = deaths_left.saturating_sub(1);
                workers.push(self.worker(half_steps));
            }
            // A step of the watch over the workers is an hour, or until one dies.
            let deaths = workers.iter().map(|(_, death, _)| Box::pin(death.notified())).collect::<Vec<_>>();
            let dead = tokio::select! {
                (_, index, _) = futures_util::future::select_all(deaths) => Some(index),
                () = sleep(Duration::from_secs(3_600)) => None,
            };
            if let Some(index) = dead {
                let (worker, _, _) = workers.remove(index);
                worker.abort();
                let _ = worker.await;
                self.deaths += 1;
                sleep(Duration::from_millis(self.pick(5_000))).await;
            } else if self.is_over().await {
                break;
            }
        }
        jumping.inspect(tokio::task::JoinHandle::abort);
        for (worker, _, handle) in workers {
            handle.stop();
            tokio::time::timeout(Duration::from_secs(120), worker).await.expect("a worker stops").unwrap();
        }
    }

    fn worker(
        &self,
        half_steps: i64,
    ) -> (tokio::task::JoinHandle<()>, Arc<tokio::sync::Notify>, nuncio_relay::dispatch::Handle) {
        let store = Arc::new(MortalStore::new(
            Arc::clone(&self.store),
            half_steps,
            Arc::clone(&self.log),
            self.random.clone(),
            self.failures_per_mille,
        ));
        let death = Arc::clone(&store.death);
        let targets = |(name, services): (&String, &Services)| {
            (name.clone(), services.targets(&self.clock.clock(), &self.random))
        };
        let reach = Reach {
            kinds: self.kinds.clone(),
            services: self.services.iter().map(targets).collect(),
            log: Arc::clone(&self.log),
            random: self.random.clone(),
            start: self.start,
            began_after: self.clock.count(),
        };
        let settings = Settings {
            concurrency: NonZeroU32::new(1 + self.pick(20) as u32).unwrap(),
            // Rare, so that what is not told to the dispatcher is late, and noticed.
            poll: Duration::from_secs(86_400),
            ..Settings::default()
        };
        let dispatcher = Dispatcher::new(
            store,
            Arc::new(reach),
            self.directory.subscribe(),
            self.clock.clock(),
            self.random.clone(),
            settings,
        );
        let handle = dispatcher.handle();
        (tokio::spawn(dispatcher.run()), death, handle)
    }

    /// Whether only disabled endpoints are owed anything.
    async fn is_over(&self) -> bool {
        self.store
            .endpoints()
            .await
            .unwrap()
            .iter()
            .all(|status| status.disabled.is_some() || status.next_due.is_none())
    }

    async fn judge(&self) -> [u64; 5] {
        let endpoints = self.store.endpoints().await.unwrap();
        let disabled: Vec<_> =
            endpoints.iter().filter(|status| status.disabled.is_some()).map(|status| &status.name).collect();
        let all = DeliveryQuery { limit: 10_000, ..DeliveryQuery::default() };
        let deliveries = self.store.deliveries(all).await.unwrap().items;
        let log = self.log.lock().unwrap();
        let mut broken = log.broken.clone();
        let disabling = disabling(&log, &deliveries);
        for delivery in &deliveries {
            let seen = log.seen.get(&delivery.id).cloned().unwrap_or_default();
            match delivery.state {
                State::Delivered if seen.taken.is_empty() => {
                    broken.push(format!("{} never arrived", delivery.id));
                }
                State::Waiting | State::Parked if !disabled.contains(&&delivery.endpoint) => {
                    broken.push(format!("{} to {} is stuck", delivery.id, delivery.endpoint));
                }
                State::Dead
                    if delivery.attempts < 10 && !self.has_expired(&seen) && !self.is_in_doubt(delivery) =>
                {
                    broken.push(format!("{} was given up after {} attempts", delivery.id, delivery.attempts));
                }
                _ => {}
            }
            if let (Some(disabled), Some((last, _))) = (disabling.get(&delivery.endpoint), seen.begun.last())
                && last > disabled
            {
                broken.push(format!("{} was sent to {}, which is disabled", delivery.id, delivery.endpoint));
            }
            // What cannot be written down is written down a little later, as long as the lease lasts.
            if self.deaths == 0 && seen.taken.len() > 1 {
                broken.push(format!("{} was taken {} times", delivery.id, seen.taken.len()));
            }
            // The waits of the schedule, also when a worker died: then the next attempt is later, never earlier.
            for (number, pair) in seen.begun.windows(2).enumerate() {
                let settled = pair[1].1.fence - pair[0].1.fence > 1;
                let wait = WAITS
                    .get(number)
                    .copied()
                    .filter(|_| settled && self.deaths == 0 && self.failures_per_mille == 0)
                    .unwrap_or(0);
                if pair[1].0 - pair[0].0 < Duration::from_secs(wait) {
                    broken.push(format!(
                        "{} was tried again before its time, after attempt {}",
                        delivery.id,
                        number + 1
                    ));
                }
            }
            if self.kinds[&delivery.endpoint] == Kind::Good {
                // A worker that begins after the clock was set back waits for as long, but not for longer than an event may get old.
                let behind = self.clock.jumped(Instant::now())[1].min(Delivery::default().expires_after.0);
                let bound =
                    Duration::from_secs(600) + (Duration::from_secs(120) + behind) * self.deaths as u32;
                match seen.begun.first() {
                    Some((began, _)) if *began - self.start < bound => {}
                    _ => broken
                        .push(format!("{} waited long though {} is good", delivery.id, delivery.endpoint)),
                }
            }
        }
        self.judge_order(&deliveries, &log, &mut broken);
        self.judge_calls(&deliveries, &mut broken);
        assert!(broken.is_empty(), "seed {} ({:?}):\n{}", self.seed, self.kinds, broken.join("\n"));
        [deliveries.len() as u64, log.attempts, self.deaths, disabled.len() as u64, self.clock.count()]
    }

    /// Whether a call may have been made for it of which nobody knows.
    fn is_in_doubt(&self, delivery: &nuncio_relay::Delivery) -> bool {
        let Some(services) = self.services.get(&delivery.endpoint) else { return false };
        let log = services.0.lock().unwrap();
        let is_unanswered = log.done.get(&delivery.event.to_string()).is_some_and(|done| done.in_doubt);
        is_unanswered || self.deaths > 0 || self.failures_per_mille > 0
    }

    /// Nothing is done twice, and for what has arrived all was done.
    fn judge_calls(&self, deliveries: &[nuncio_relay::Delivery], broken: &mut Vec<String>) {
        for (endpoint, services) in &self.services {
            let log = services.0.lock().unwrap();
            broken.extend(log.broken.iter().cloned());
            for delivery in deliveries.iter().filter(|delivery| delivery.endpoint == *endpoint) {
                let done = log.done.get(&delivery.event.to_string()).cloned().unwrap_or_default();
                let times = |step: &str| done.times.get(step).copied().unwrap_or_default();
                // How old a key is tells a clock that nobody sets.
                let once: &[_] = if self.jumps { &["say", "note"] } else { &["pay", "say", "note"] };
                if once.iter().any(|step| times(step) > 1) {
                    broken.push(format!("{} did something twice: {:?}", delivery.id, done.times));
                }
                if delivery.state == State::Delivered && times("note") != 1 {
                    broken.push(format!("{} arrived without all calls: {:?}", delivery.id, done.times));
                }
            }
        }
    }

    /// Whether the wait after the last attempt would have ended when the event was too old.
    fn has_expired(&self, seen: &Seen) -> bool {
        let Some((last, _)) = seen.begun.last() else { return false };
        let longest = Duration::from_secs(WAITS.iter().max().copied().unwrap_or(0) * 11 / 10);
        // A clock that was set forward is believed by a worker that begins after it, and after a day by all.
        let believed = if self.deaths > 0 { *last } else { *last - PATIENCE };
        let [ahead, _] = self.clock.jumped(believed);
        *last + longest + ahead - self.start > Delivery::default().expires_after.0
    }

    /// The first attempt of a delivery comes after the last of those that stand before it in its key.
    fn judge_order(&self, deliveries: &[nuncio_relay::Delivery], log: &Log, broken: &mut Vec<String>) {
        let mut queues: BTreeMap<(&str, &str), Vec<_>> = BTreeMap::new();
        for delivery in deliveries.iter().rev() {
            if let Some(key) = &delivery.order_key {
                queues.entry((&delivery.endpoint, key)).or_default().push(delivery);
            }
        }
        for queue in queues.values() {
            for pair in queue.windows(2) {
                let [first, second] = [pair[0].id, pair[1].id].map(|id| log.seen.get(&id));
                let (Some(first), Some(second)) = (first, second) else { continue };
                if first.begun.last().map(|(at, _)| *at) > second.begun.first().map(|(at, _)| *at) {
                    broken.push(format!("{} overtook {}", pair[1].id, pair[0].id));
                }
            }
        }
    }
}

/// When each endpoint was disabled.
fn disabling(log: &Log, deliveries: &[nuncio_relay::Delivery]) -> BTreeMap<String, Instant> {
    let endpoints: BTreeMap<_, _> =
        deliveries.iter().map(|delivery| (delivery.id, &delivery.endpoint)).collect();
    let mut disabling = BTreeMap::new();
    for (lease, (at, disables)) in &log.settled {
        if let (true, Some(endpoint)) = (*disables, endpoints.get(&lease.delivery)) {
            let first = disabling.entry((*endpoint).clone()).or_insert(*at);
            *first = (*at).min(*first);
        }
    }
    disabling
}
