//! What the relay's store takes: events stored, deliveries leased and settled, beside what the disk can flush, with little stored and with a million
//! events and a hundred thousand waiting retries.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use nuncio_bench::disk::flushes;
use nuncio_bench::fill::{append, fill_up, now};
use nuncio_bench::table;
use nuncio_client::Random;
use nuncio_relay::Attempt;
use nuncio_relay::store::{
    Change, Document, DocumentKind, LeaseRequest, Settlement, SqliteStore, Store, Then,
};
use tokio::time::Instant;

/// How long events are stored.
const RUN: Duration = Duration::from_secs(5);

/// How many wait for the store at a time.
const CALLERS: usize = 256;

const STORED: u64 = 1_000_000;
const WAITING: u64 = 100_000;

fn main() {
    let folder = tempfile::tempdir_in(".").expect("a folder");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    println!(
        "events for {} s, {CALLERS} callers, bodies of 1 KiB; the disk flushes {:.0} times a second\n",
        RUN.as_secs(),
        flushes(folder.path())
    );
    runtime.block_on(async {
        let store = Arc::new(SqliteStore::open(&folder.path().join("store.db")).expect("a store"));
        let put = |name: &str| {
            let (kind, value) = (DocumentKind::Endpoint, serde_json::Value::Null);
            Change::Put(Document { kind, name: name.to_owned(), from_file: false, value })
        };
        store.change(vec![put("one"), put("away")], None).await.expect("a change");
        let mut rows = Vec::new();
        for fill in [false, true] {
            if fill {
                fill_up(&store, STORED, WAITING, "away").await;
            }
            let stats = store.stats().await.expect("stats");
            let label = format!("{} events, {} waiting", stats.events, stats.waiting);
            rows.push(ingest(&store, &label).await);
            rows.push(deliver(&store, &label).await);
        }
        table::print(&["", "stored before", "a second", "p50 ms", "p99 ms"], &rows);
    });
}

async fn ingest(store: &Arc<SqliteStore>, label: &str) -> Vec<String> {
    let random = Random::new();
    let end = Instant::now() + RUN;
    let callers = (0..CALLERS).map(|_| {
        let (store, random) = (Arc::clone(store), random.clone());
        tokio::spawn(async move {
            let mut took = Vec::new();
            while Instant::now() < end {
                let append = append(took.len() as u64, &random, "one");
                let begun = Instant::now();
                store.append(append).await.expect("it is stored");
                took.push(begun.elapsed());
            }
            took
        })
    });
    let took = futures_util::future::join_all(callers)
        .await
        .into_iter()
        .flat_map(|took| took.expect("a caller"))
        .collect();
    row("ingest: dedupe key, one delivery", label, took, RUN)
}

/// Leases 64 at a time and settles each, as the dispatcher does, until nothing is due.
async fn deliver(store: &Arc<SqliteStore>, label: &str) -> Vec<String> {
    let start = Instant::now();
    let workers = (0..4).map(|_| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            let mut took = Vec::new();
            loop {
                let begun = Instant::now();
                let now = now();
                let until = Timestamp::from_second(now.as_second() + 60).expect("a time");
                let request = LeaseRequest {
                    endpoint: "one".to_owned(),
                    now,
                    until,
                    latest: Timestamp::MAX,
                    limit: 64,
                };
                let taken = store.lease(vec![request]).await.expect("a lease").remove(0).taken;
                if taken.is_empty() {
                    return took;
                }
                let settle = |lease, attempt| {
                    let attempt = Attempt {
                        number: attempt,
                        at: now,
                        took: Duration::from_millis(3),
                        status: Some(200),
                        step: None,
                        error: None,
                        excerpt: Bytes::from_static(b"ok"),
                    };
                    let (attempt, then) = (Some(attempt), Then::Delivered);
                    store.settle(Settlement {
                        lease,
                        now,
                        attempt,
                        progress: None,
                        then,
                        health: None,
                        tell: Vec::new(),
                    })
                };
                let settled = futures_util::future::join_all(
                    taken.into_iter().map(|leased| settle(leased.lease, leased.attempt)),
                );
                took.extend(
                    settled
                        .await
                        .into_iter()
                        .map(|settled| settled.map(|_| begun.elapsed()).expect("it is settled")),
                );
            }
        })
    });
    let took = futures_util::future::join_all(workers)
        .await
        .into_iter()
        .flat_map(|took| took.expect("a worker"))
        .collect();
    row("delivery: lease and settle", label, took, start.elapsed())
}

fn row(what: &str, label: &str, mut took: Vec<Duration>, all: Duration) -> Vec<String> {
    took.sort_unstable();
    let at = |share: f64| {
        let index = (took.len().saturating_sub(1) as f64 * share) as usize;
        took.get(index).map_or(0.0, |took| took.as_secs_f64() * 1e3)
    };
    let rate = took.len() as f64 / all.as_secs_f64();
    vec![
        what.to_owned(),
        label.to_owned(),
        format!("{rate:.0}"),
        format!("{:.1}", at(0.5)),
        format!("{:.1}", at(0.99)),
    ]
}
