//! The dispatcher, rule by rule.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use nuncio_client::Random;
use nuncio_relay::dispatch::{Dispatcher, Handle, Settings};
use nuncio_relay::store::{DocumentKind, FaultyStore, HealthChange, Leased, MemoryStore};
use nuncio_relay::{Deliver, Directory, Endpoint, Fault, Journal, Outcome, State};
use nuncio_service::Env;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::world::World;

/// Answers what it was told to, then that it took the event; an answer takes a second.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Outcome>>>,
    begun: Arc<Mutex<Vec<(Instant, String)>>>,
}

impl Deliver for Script {
    fn deliver(&self, name: &str, _: Arc<Endpoint>, _: Leased, _: Journal) -> BoxFuture<'static, Outcome> {
        self.begun.lock().unwrap().push((Instant::now(), name.to_owned()));
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or_else(|| Outcome::taken(200));
        Box::pin(async move {
            sleep(Duration::from_secs(1)).await;
            answer
        })
    }
}

struct Scene {
    world: World,
    script: Script,
    store: Arc<FaultyStore>,
    dispatcher: Handle,
    task: tokio::task::JoinHandle<()>,
    start: Instant,
}

impl Scene {
    async fn new(answers: impl IntoIterator<Item = Outcome>) -> Self {
        let endpoint =
            json!({ "from": "application/acme", "order_by": ".body.key", "to": { "file": { "path": "a" } } });
        let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
        let documents =
            [(DocumentKind::Application, "acme", json!({})), (DocumentKind::Endpoint, "one", endpoint)];
        let world = World::over(Arc::clone(&store) as _, &documents).await;
        let directory = Directory::new(&world.store.documents().await.unwrap(), &Env::default()).unwrap();
        let script =
            Script { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Script::default() };
        let clock = world.clock.clone();
        // Rare, so that what the dispatcher is not told is late.
        let settings = Settings { poll: Duration::from_secs(86_400), ..Settings::default() };
        let sender = watch::Sender::new(Arc::new(directory));
        let dispatcher = Dispatcher::new(
            Arc::clone(&store) as _,
            Arc::new(script.clone()),
            sender.subscribe(),
            clock,
            Random::seeded(3),
            settings,
        );
        let handle = dispatcher.handle();
        let task = tokio::spawn(async move {
            let _settings_stay = sender;
            dispatcher.run().await;
        });
        Self { world, script, store, dispatcher: handle, task, start: Instant::now() }
    }

    async fn publish(&self, payload: &'static str) {
        let message = nuncio_relay::outbox::Message {
            application: "acme".to_owned(),
            event_type: "a".to_owned(),
            payload: payload.into(),
            idempotency_key: None,
        };
        self.world.outbox.publish(message).await.unwrap();
        self.dispatcher.wake("one", self.now());
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.world.clock.since_epoch().as_millis() as i64).unwrap()
    }

    /// When attempts began, in seconds.
    fn begun(&self) -> Vec<f32> {
        self.script.begun.lock().unwrap().iter().map(|(at, _)| (*at - self.start).as_secs_f32()).collect()
    }

    async fn states(&self) -> Vec<State> {
        self.world.owed().await.into_iter().map(|delivery| delivery.state).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_when_it_is_due_and_not_later() {
    let scene =
        Scene::new([Outcome::failed(Fault::Unavailable, "503"), Outcome::failed(Fault::Refused, "400")])
            .await;
    scene.publish("{}").await;
    sleep(Duration::from_secs(600)).await;
    let begun = scene.begun();
    assert_eq!(begun.len(), 3);
    assert!((6.0..6.6).contains(&begun[1]), "{begun:?}");
    assert!((307.0..338.0).contains(&begun[2]), "{begun:?}");
    assert_eq!(scene.states().await, [State::Delivered]);
}

#[tokio::test(start_paused = true)]
async fn the_next_of_a_key_follows_at_once() {
    let scene = Scene::new([]).await;
    for _ in 0..3 {
        scene.publish("{\"key\": 1}").await;
    }
    scene.publish("{\"key\": 2}").await;
    sleep(Duration::from_secs(10)).await;
    let begun: Vec<_> = scene.begun().iter().map(|at| at.round() as u32).collect();
    assert_eq!(begun, [0, 0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_enabled_again_gets_what_it_is_owed() {
    let scene = Scene::new([Outcome::failed(Fault::Gone, "410")]).await;
    scene.publish("{}").await;
    sleep(Duration::from_secs(5)).await;
    scene.publish("{}").await;
    sleep(Duration::from_secs(86_400)).await;
    assert_eq!(scene.begun().len(), 1);
    scene.world.store.set_health("one".to_owned(), HealthChange::Enable).await.unwrap();
    scene.dispatcher.wake("one", scene.now());
    sleep(Duration::from_secs(5)).await;
    assert_eq!(scene.states().await, [State::Delivered; 2]);
}

#[tokio::test(start_paused = true)]
async fn what_another_process_stored_is_found_at_the_next_look() {
    let scene = Scene::new([]).await;
    sleep(Duration::from_secs(10)).await;
    let message = nuncio_relay::outbox::Message {
        application: "acme".to_owned(),
        event_type: "a".to_owned(),
        payload: "{}".into(),
        idempotency_key: None,
    };
    // Its own dispatcher is not the one that is woken.
    scene.world.outbox.publish(message).await.unwrap();
    sleep(Duration::from_secs(80_000)).await;
    assert!(scene.begun().is_empty());
    sleep(Duration::from_secs(7_000)).await;
    assert_eq!(scene.states().await, [State::Delivered]);
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_what_is_under_way_and_begins_nothing() {
    let scene = Scene::new([]).await;
    for _ in 0..100 {
        scene.publish("{}").await;
    }
    sleep(Duration::from_millis(100)).await;
    let begun = scene.begun().len();
    assert!(begun > 0 && begun < 100);
    scene.dispatcher.stop();
    scene.task.await.unwrap();
    assert_eq!(scene.script.begun.lock().unwrap().len(), begun);
    let delivered = scene.world.owed().await.iter().filter(|owed| owed.state == State::Delivered).count();
    assert_eq!(delivered, begun);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_written_down() {
    let scene = Scene::new([Outcome::failed(Fault::Unavailable, "it is tired")]).await;
    scene.publish("{}").await;
    sleep(Duration::from_secs(60)).await;
    let delivery = scene.world.owed().await.remove(0);
    let attempts = scene.world.store.attempts(delivery.id).await.unwrap();
    let facts: Vec<_> =
        attempts.iter().map(|attempt| (attempt.number, attempt.status, attempt.error.as_deref())).collect();
    assert_eq!(facts, [(1, None, Some("it is tired")), (2, Some(200), None)]);
    assert!(attempts.iter().all(|attempt| attempt.took == Duration::from_secs(1)), "{attempts:?}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_down_is_written_down_when_the_store_is_well_again() {
    let scene = Scene::new([]).await;
    scene.publish("{}").await;
    sleep(Duration::from_millis(500)).await;
    scene.store.set_failing(true);
    sleep(Duration::from_secs(20)).await;
    scene.store.set_failing(false);
    sleep(Duration::from_secs(600)).await;
    assert_eq!((scene.begun().len(), scene.states().await), (1, vec![State::Delivered]));
    let delivery = scene.world.owed().await.remove(0);
    assert_eq!(scene.world.store.attempts(delivery.id).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_comes_due_while_the_store_fails_goes_out_when_it_is_well_again() {
    let scene = Scene::new([Outcome::failed(Fault::Unavailable, "503")]).await;
    scene.publish("{}").await;
    sleep(Duration::from_secs(3)).await;
    scene.store.set_failing(true);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(scene.begun().len(), 1);
    scene.store.set_failing(false);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(scene.states().await, [State::Delivered]);
}
