//! What keeps the store small, and what sends again.

use std::sync::Arc;
use std::time::Duration;

use nuncio_relay::dispatch::{Dispatcher, Settings};
use nuncio_relay::replay::{Replays, Selection};
use nuncio_relay::store::{DocumentKind, EventQuery, LeaseRequest, Settlement, SqliteStore, Store, Then};
use nuncio_relay::{Directory, Retention, State, Upkeep};
use nuncio_service::model::Span;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{advance, sleep};

use crate::world::{SECRET, World};

const DAY: Duration = Duration::from_secs(86_400);

fn documents() -> [(DocumentKind, &'static str, serde_json::Value); 2] {
    [
        (DocumentKind::Source, "github", json!({ "scheme": "github", "secrets": { "current": SECRET } })),
        (
            DocumentKind::Endpoint,
            "one",
            json!({ "from": "source/github", "types": ["push"], "to": { "file": { "path": "a" } } }),
        ),
    ]
}

async fn send(world: &World, count: u32, event_type: &str) {
    for number in 0..count {
        let reply = world
            .send("github", &format!("{event_type}-{number}"), &[("x-github-event", event_type)], b"{}")
            .await;
        assert_eq!(reply.status, 200);
    }
}

/// Gives up all that is owed.
async fn give_up(world: &World) {
    let now = now(world);
    let request = LeaseRequest { endpoint: "one".to_owned(), now, until: now, latest: now, limit: 1000 };
    for leased in world.store.lease(vec![request]).await.unwrap().remove(0).taken {
        let settlement = Settlement {
            lease: leased.lease,
            now,
            attempt: None,
            progress: None,
            then: Then::Dead,
            health: None,
            tell: vec![],
        };
        world.store.settle(settlement).await.unwrap();
    }
}

fn now(world: &World) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(world.clock.since_epoch().as_millis() as i64).unwrap()
}

#[tokio::test(start_paused = true)]
async fn events_go_when_they_are_old_and_owed_to_nobody() {
    let world = World::new(&documents()).await;
    send(&world, 700, "issues").await;
    send(&world, 3, "push").await;
    advance(29 * DAY).await;
    send(&world, 2, "star").await;
    let retention = Retention { max_age: Span(30 * DAY), max_bytes: None };
    let upkeep = Upkeep::new(Arc::clone(&world.store) as Arc<dyn Store>, world.clock.clone(), retention);
    assert_eq!(upkeep.tidy().await.unwrap(), 0);
    advance(2 * DAY).await;
    assert_eq!(upkeep.tidy().await.unwrap(), 700);
    assert_eq!(world.events().await.len(), 5);
}

#[tokio::test]
async fn the_oldest_events_go_when_the_store_is_too_large() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.path().join("store.db")).unwrap());
    let world = World::over(Arc::clone(&store), &documents()).await;
    let body: &'static [u8] = vec![b' '; 10_000].leak();
    for number in 0..1500 {
        world.send("github", &format!("n-{number}"), &[("x-github-event", "issues")], body).await;
    }
    let before = store.stats().await.unwrap();
    let retention = Retention { max_age: Span(30 * DAY), max_bytes: Some(before.bytes / 2) };
    let removed = Upkeep::new(Arc::clone(&store), world.clock.clone(), retention).tidy().await.unwrap();
    let after = store.stats().await.unwrap();
    assert!(after.bytes <= before.bytes / 2, "{before:?} {after:?}");
    assert!(after.events > 100 && after.events + removed == 1500, "{after:?}");
    // Those that are left are the newest.
    let newest = store.events(EventQuery { limit: 2000, ..EventQuery::default() }).await.unwrap().items;
    assert_eq!(newest.first().map(|event| event.position), Some(1500));
    assert_eq!(newest.last().map(|event| event.position), Some(1501 - after.events));
}

fn replays(world: &World) -> Replays {
    let directory = watch::Sender::new(Arc::new(Directory::default())).subscribe();
    let nobody = Arc::new(crate::world::Nobody);
    let store = Arc::clone(&world.store) as Arc<dyn Store>;
    let random = nuncio_client::Random::seeded(2);
    let dispatcher = Dispatcher::new(
        Arc::clone(&store),
        nobody,
        directory,
        world.clock.clone(),
        random.clone(),
        Settings::default(),
    );
    Replays::new(store, dispatcher.handle(), world.clock.clone(), random)
}

fn selection(per_second: u32) -> Selection {
    serde_json::from_value(json!({ "endpoint": "one", "per_second": per_second })).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_replay_makes_dead_letters_due_at_its_rate() {
    let world = World::new(&documents()).await;
    send(&world, 100, "push").await;
    give_up(&world).await;
    let replays = replays(&world);
    let name = replays.begin(selection(20)).await.unwrap();
    sleep(Duration::from_millis(2_450)).await;
    let waiting = || async { world.owed().await.iter().filter(|owed| owed.state == State::Waiting).count() };
    assert_eq!(waiting().await, 50);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(waiting().await, 100);
    let job = replays.list().await.unwrap().remove(&name).unwrap();
    assert_eq!((job.count, job.ended_at.is_some()), (100, true));
}

#[tokio::test(start_paused = true)]
async fn a_replay_goes_on_after_a_restart_and_repeats_nothing() {
    let world = World::new(&documents()).await;
    send(&world, 60, "push").await;
    give_up(&world).await;
    let first = replays(&world);
    let name = first.begin(selection(10)).await.unwrap();
    sleep(Duration::from_millis(2_050)).await;
    // The process ends, and some of what it made due is given up again.
    drop(first);
    give_up(&world).await;
    let second = replays(&world);
    let so_far = second.list().await.unwrap()[&name].count;
    assert_eq!(so_far, 21);
    second.resume().await.unwrap();
    sleep(Duration::from_secs(30)).await;
    let job = second.list().await.unwrap().remove(&name).unwrap();
    assert!(job.count == 60 && job.ended_at.is_some(), "{job:?}");
}

#[tokio::test(start_paused = true)]
async fn a_replay_that_is_cancelled_stops() {
    let world = World::new(&documents()).await;
    send(&world, 50, "push").await;
    give_up(&world).await;
    let replays = replays(&world);
    let name = replays.begin(selection(10)).await.unwrap();
    sleep(Duration::from_millis(1_050)).await;
    let job = replays.cancel(&name).await.unwrap().unwrap();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(replays.list().await.unwrap()[&name], job);
    assert_eq!(job.count, 11);
    assert_eq!(replays.cancel("nobody").await.unwrap(), None);
}
