//! Schedules, in simulated time, against a service that is made up.

mod runs;
mod times;
mod timing;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use jiff::{SignedDuration, Timestamp};
use nuncio_client::{Body, Client, Clock, Error, Random, Request, Response};
use nuncio_relay::deliver::Connect;
use nuncio_relay::dispatch::{self, Dispatcher};
use nuncio_relay::schedule::{Handle, Scheduler, Settings, State};
use nuncio_relay::store::{
    Advance, Change, Document, DocumentKind, Documents, EventQuery, FaultyStore, From, MemoryStore, Store,
};
use nuncio_relay::{Directory, Event, Origin};
use nuncio_service::{Connection, Env, Service};
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::world::Nobody;

const SHOP: &str = "
service: shop
base_url: https://shop.example.com
timeout: 1d
deadline: 1d
retry: { attempts: 1 }
operations:
  list:
    get: /orders
    input: { since: integer }
    records: data
    pages: { cursor: { param: cursor, next: next } }
  ping: { post: /ping, input: { text: string } }
  charge: { post: /charge, input: { amount: integer! } }
";

/// 2026-03-01T00:00:00Z.
const BEGIN: i64 = 1_772_323_200;

/// A service with five pages of two orders each.
#[derive(Default)]
struct Shop {
    /// What was asked, in order: path and query, or path and body.
    asked: Mutex<Vec<String>>,
    /// Requests whose path and query contain this wait until they are let go.
    held: Mutex<Option<&'static str>>,
    let_go: Notify,
    /// Requests whose path and query contain this fail.
    broken: Mutex<Option<&'static str>>,
}

impl Shop {
    async fn answer(&self, request: Request) -> Response {
        let asked = request.uri().path_and_query().unwrap().to_string();
        self.asked.lock().unwrap().push(asked.clone());
        let is_in =
            |which: &Mutex<Option<&str>>| which.lock().unwrap().is_some_and(|part| asked.contains(part));
        while is_in(&self.held) {
            self.let_go.notified().await;
        }
        let is_broken = is_in(&self.broken);
        let (status, body) = match request.uri().path() {
            _ if is_broken => (500, r#"{"error":"made up"}"#.to_owned()),
            "/orders" => (200, orders(&asked)),
            _ => (200, r#"{"ok":true}"#.to_owned()),
        };
        let response = http::Response::builder().status(status).header("content-type", "application/json");
        response.body(Body::from(body)).unwrap()
    }

    fn hold(&self, which: &'static str) {
        *self.held.lock().unwrap() = Some(which);
    }

    fn fail(&self, which: Option<&'static str>) {
        *self.broken.lock().unwrap() = which;
    }

    fn release(&self) {
        *self.held.lock().unwrap() = None;
        self.let_go.notify_waiters();
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn orders(asked: &str) -> String {
    let cursor = asked.split("cursor=p").nth(1).and_then(|rest| rest.split('&').next());
    let page: u32 = cursor.map_or(0, |page| page.parse().unwrap());
    let next = if page < 4 { json!(format!("p{}", page + 1)) } else { Value::Null };
    json!({ "data": [{ "id": page * 2 }, { "id": page * 2 + 1 }], "next": next }).to_string()
}

/// A relay with one schedule, named `job`.
struct World {
    store: Arc<dyn Store>,
    /// The same store, as schedulers see it.
    faulty: Arc<FaultyStore>,
    shop: Arc<Shop>,
    /// How far the clock was set, in seconds.
    set: Arc<AtomicI64>,
    clock: Clock,
    directory: watch::Sender<Arc<Directory>>,
    running: Option<(JoinHandle<()>, Handle)>,
}

impl World {
    async fn new(settings: Value) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let faulty = Arc::new(FaultyStore::new(Arc::clone(&store)));
        let set = Arc::new(AtomicI64::new(0));
        let (begin, offset) = (Instant::now(), Arc::clone(&set));
        let clock = Clock::new(move || {
            let secs = u64::try_from(BEGIN + offset.load(Ordering::Relaxed)).unwrap();
            UNIX_EPOCH + Duration::from_secs(secs) + begin.elapsed()
        });
        let directory = watch::Sender::new(Arc::default());
        let mut world = Self { store, faulty, shop: Arc::default(), set, clock, directory, running: None };
        world.set_up(settings).await;
        world.start();
        world.settle().await;
        world
    }

    async fn set_up(&mut self, settings: Value) {
        let kind = DocumentKind::Schedule;
        let document = Document { kind, name: "job".to_owned(), from_file: true, value: settings };
        self.store.change(vec![Change::Put(document)], None).await.unwrap();
        let documents: Documents = self.store.documents().await.unwrap();
        self.directory.send_replace(Arc::new(Directory::new(&documents, &Env::default()).unwrap()));
    }

    fn scheduler(&self) -> Scheduler {
        let shop = Arc::clone(&self.shop);
        let connect: Connect = Arc::new(move |_, _| {
            let shop = Arc::clone(&shop);
            let transport = tower::service_fn(move |request: Request| {
                let shop = Arc::clone(&shop);
                async move { Ok::<_, Error>(shop.answer(request).await) }
            });
            let client = Client::builder().transport(transport);
            Box::pin(async move {
                let settings = nuncio_service::Settings { client, ..nuncio_service::Settings::default() };
                Connection::new(Service::from_yaml(SHOP, "shop.yaml")?, settings)
            })
        });
        let random = Random::seeded(1);
        let dispatcher = Dispatcher::new(
            Arc::clone(&self.store),
            Arc::new(Nobody),
            self.directory.subscribe(),
            self.clock.clone(),
            random.clone(),
            dispatch::Settings::default(),
        );
        let store: Arc<dyn Store> = Arc::clone(&self.faulty) as _;
        Scheduler::new(
            store,
            self.directory.subscribe(),
            dispatcher.handle(),
            connect,
            (self.clock.clone(), random),
            Settings::default(),
        )
    }

    /// What somebody else does to what is kept.
    async fn change(&self, change: fn(&mut State, Timestamp)) {
        let mut kept = self.store.schedules().await.unwrap().remove("job").unwrap();
        let millis = i64::try_from(self.clock.since_epoch().as_millis()).unwrap();
        change(&mut kept.state, Timestamp::from_millisecond(millis).unwrap());
        let step = Advance { name: "job".to_owned(), kept, events: Vec::new() };
        assert!(self.store.advance(step).await.unwrap());
        self.running.as_ref().unwrap().1.wake();
    }

    fn start(&mut self) {
        let scheduler = self.scheduler();
        let handle = scheduler.handle();
        self.running = Some((tokio::spawn(scheduler.run()), handle));
    }

    /// As a kill does: nothing is finished.
    async fn kill(&mut self) {
        let (running, _) = self.running.take().unwrap();
        running.abort();
        drop(running.await);
    }

    async fn stop(&mut self) {
        let (running, handle) = self.running.take().unwrap();
        handle.stop();
        running.await.unwrap();
    }

    /// Lets all happen that needs no time to pass but a little.
    async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    async fn pass(&self, secs: u64) {
        tokio::time::sleep(Duration::from_secs(secs)).await;
    }

    /// Sets the clock.
    fn set_clock(&self, by: i64) {
        self.set.fetch_add(by, Ordering::Relaxed);
    }

    async fn state(&self) -> State {
        self.store.schedules().await.unwrap().remove("job").unwrap().state
    }

    /// What times the runs that ended were due, in seconds after the beginning, the oldest first.
    async fn ended(&self) -> Vec<i64> {
        let ended = self.state().await.ended;
        ended.iter().rev().map(|ended| ended.due.as_second() - BEGIN).collect()
    }

    async fn events(&self, origin: Origin) -> Vec<Event> {
        let query =
            EventQuery { origin: Some(origin), from: From::After(0), limit: 500, ..EventQuery::default() };
        let mut events = Vec::new();
        for summary in self.store.events(query).await.unwrap().items {
            events.push(self.store.event(summary.id).await.unwrap().unwrap());
        }
        events
    }

    async fn bodies(&self) -> Vec<Value> {
        let events = self.events(Origin::Schedule("job".to_owned())).await;
        events.iter().map(|event| serde_json::from_slice(&event.body).unwrap()).collect()
    }
}

fn ping(extra: &Value) -> Value {
    let mut settings = json!({ "call": { "service": "shop", "operation": "ping" } });
    settings.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    settings
}

fn ids(count: u64) -> Vec<Value> {
    (0..count).map(|id| json!({ "id": id })).collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}
