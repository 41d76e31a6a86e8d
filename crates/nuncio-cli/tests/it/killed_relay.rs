//! `nuncio serve` killed at random moments: nothing that it acknowledged is lost, and nothing is delivered that was not stored.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::num::NonZeroU32;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use http::HeaderMap;
use nuncio_client::retry::Policy;
use nuncio_client::{Client, Clock};
use nuncio_relay::store::{EventQuery, From, SqliteStore, Store as _};
use nuncio_webhook::{Outgoing, Secrets, provider, sign};
use serde_json::json;
use tokio::time::Instant;

use crate::support::Home;

pub(crate) const SECRET: &str = "made-up-secret-of-the-shop";
const SENDERS: u64 = 4;

/// How often it is killed: `NUNCIO_KILLS`, or as often as the project promises to have seen.
fn kills() -> u32 {
    std::env::var("NUNCIO_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(200)
}

/// What the receiver got: the webhook-ids under which each body came.
type Received = Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_acknowledged_is_stored_and_delivered_however_often_it_is_killed() {
    let received = Received::default();
    let log = Arc::clone(&received);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let receiver = format!("http://{}", listener.local_addr().unwrap());
    let note = move |headers: HeaderMap, body: String| {
        let id = headers["webhook-id"].to_str().unwrap().to_owned();
        log.lock().unwrap().entry(body).or_default().insert(id);
        async {}
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(note)).await });
    let home = Home::new();
    let config = json!({
        "sources": { "shop": { "scheme": "github", "secrets": { "current": SECRET } } },
        "endpoints": { "one": {
            "from": "source/shop",
            "to": { "http": { "url": receiver, "allow_addresses": ["127.0.0.0/8"] } },
            // A lease is a little longer than an attempt may be: what a killed process had is due again then.
            "delivery": { "timeout": "1s", "schedule": ["1s", "1s", "1s", "5s", "5s", "30s"] },
        } },
    });
    home.write("relay.yaml", &config.to_string());
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let url = format!("http://{address}/in/shop");
    let is_over = Arc::new(AtomicBool::new(false));
    let numbers = Arc::new(AtomicU64::new(0));
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| tokio::spawn(send(url.clone(), Arc::clone(&numbers), Arc::clone(&is_over))))
        .collect();

    for _ in 0..kills() {
        let mut serving = start(&home, &address);
        tokio::time::sleep(Duration::from_millis(fastrand::u64(0..150))).await;
        serving.kill().unwrap();
        serving.wait().unwrap();
    }
    let mut serving = start(&home, &address);
    is_over.store(true, Ordering::Relaxed);
    let mut acknowledged = BTreeSet::new();
    for sender in senders {
        acknowledged.extend(sender.await.unwrap().into_iter().map(|(body, _)| body));
    }
    let is_there =
        |received: &Received| acknowledged.iter().all(|body| received.lock().unwrap().contains_key(body));
    let patience = Instant::now() + Duration::from_secs(150);
    while !is_there(&received) && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    serving.kill().unwrap();
    serving.wait().unwrap();

    let stored = stored(&home.path("relay.db")).await;
    let received = received.lock().unwrap();
    println!(
        "{} kills: {} acknowledged, {} stored, {} delivered",
        kills(),
        acknowledged.len(),
        stored.len(),
        received.len()
    );
    let lost: Vec<_> = acknowledged.iter().filter(|body| !stored.contains_key(*body)).collect();
    assert!(lost.is_empty(), "acknowledged and not stored: {lost:?}");
    let twice: Vec<_> = stored.iter().filter(|(_, ids)| ids.len() > 1).collect();
    assert!(twice.is_empty(), "stored as two events: {twice:?}");
    let undelivered: Vec<_> = acknowledged.iter().filter(|body| !received.contains_key(*body)).collect();
    assert!(undelivered.is_empty(), "not delivered: {undelivered:?}");
    for (body, ids) in received.iter() {
        assert_eq!(stored.get(body), Some(ids), "{body} was delivered as something else than what is stored");
    }
    assert!(acknowledged.len() as u32 > kills(), "too little happened");
}

pub(crate) fn start(home: &Home, address: &str) -> Child {
    let args = ["serve", "relay.yaml", "--listen", address, "--store", "relay.db"];
    let mut child = home.command(&args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("http"), "it did not start");
    child
}

/// Sends webhook after webhook, each again until it is acknowledged, as providers do. The bodies that were, and when.
pub(crate) async fn send(
    url: String,
    numbers: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
) -> Vec<(String, Instant)> {
    let client = Client::builder()
        .retry(Policy { attempts: NonZeroU32::MIN, ..Policy::default() })
        .deadline(Duration::from_secs(10))
        .build()
        .unwrap();
    let secrets = Secrets::new().with("current", SECRET);
    let scheme = &provider("github").unwrap().scheme;
    let mut acknowledged = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let id = format!("made-up-{}", numbers.fetch_add(1, Ordering::Relaxed));
        let body = json!({ "id": id }).to_string();
        loop {
            let signed_at = Clock::system().now();
            let outgoing = Outgoing {
                id: &id,
                signed_at,
                method: "POST",
                url: &url,
                body: body.as_bytes(),
                content_type: None,
            };
            let mut call =
                client.post(&url).body(body.clone(), http::HeaderValue::from_static("application/json"));
            for (name, value) in sign(scheme, &outgoing, &secrets).unwrap() {
                call = call.header(name.parse().unwrap(), value.parse().unwrap());
            }
            if call.send().await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        acknowledged.push((body, Instant::now()));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    acknowledged
}

/// What the store at `path` has: the ids of the events of each body.
pub(crate) async fn stored(path: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let store = SqliteStore::open(path).unwrap();
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    let mut stored: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut from = From::After(0);
    loop {
        let page = store.events(EventQuery { from, limit: 1000, ..EventQuery::default() }).await.unwrap();
        for summary in page.items {
            let event = store.event(summary.id).await.unwrap().unwrap();
            let body = String::from_utf8(event.body.to_vec()).unwrap();
            stored.entry(body).or_default().insert(event.id.to_string());
        }
        let Some(next) = page.next else { return stored };
        from = From::After(next);
    }
}
