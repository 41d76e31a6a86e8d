//! `nuncio serve` while the clock of the machine is set forward and back: nothing is lost, nothing is sent twice at once, and nothing is held up.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::killed_relay::{SECRET, send, start, stored};
use crate::support::Home;

const HOUR: i64 = 3_600;
const WEEK: i64 = 168 * HOUR;

/// What a receiver saw of one webhook-id.
#[derive(Default)]
struct Seen {
    body: String,
    under_way: u32,
    most_at_once: u32,
    attempts: u32,
    taken: u32,
}

/// A receiver and what it saw, by webhook-id.
#[derive(Clone, Default)]
struct Receiver {
    seen: Arc<Mutex<BTreeMap<String, Seen>>>,
    is_down: Arc<AtomicBool>,
}

impl Receiver {
    async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let this = self.clone();
        let take = move |headers: HeaderMap, body: String| {
            let this = this.clone();
            let id = headers["webhook-id"].to_str().unwrap().to_owned();
            async move { this.take(id, body).await }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(take)).await });
        url
    }

    /// A third is taken at once, a third after a while, a third at the second attempt.
    async fn take(&self, id: String, body: String) -> StatusCode {
        let kind = body.bytes().filter(u8::is_ascii_digit).map(u32::from).sum::<u32>() % 3;
        let attempt = {
            let mut seen = self.seen.lock().unwrap();
            let seen = seen.entry(id.clone()).or_default();
            seen.body = body;
            seen.attempts += 1;
            seen.under_way += 1;
            seen.most_at_once = seen.most_at_once.max(seen.under_way);
            seen.attempts
        };
        if kind == 1 {
            sleep(Duration::from_millis(1_500)).await;
        }
        let is_taken = !self.is_down.load(Ordering::Relaxed) && (kind != 2 || attempt > 1);
        let mut seen = self.seen.lock().unwrap();
        let seen = seen.entry(id).or_default();
        seen.under_way -= 1;
        seen.taken += u32::from(is_taken);
        // An endpoint that says no to one event gets the others as fast as before.
        if is_taken { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }
    }

    /// Waits until all these bodies were taken; those that were not after a minute.
    async fn lacks(&self, bodies: &[String]) -> Vec<String> {
        let lacking = || {
            let seen = self.seen.lock().unwrap();
            let taken: BTreeSet<_> =
                seen.values().filter(|seen| seen.taken > 0).map(|seen| &seen.body).collect();
            bodies.iter().filter(|body| !taken.contains(body)).cloned().collect::<Vec<_>>()
        };
        let patience = Instant::now() + Duration::from_secs(60);
        while !lacking().is_empty() && Instant::now() < patience {
            sleep(Duration::from_millis(100)).await;
        }
        lacking()
    }
}

/// A home whose clock can be set, and by what file; nothing where there is no compiler.
fn home(receiver: &str, schedule: &Value) -> Option<(Home, PathBuf)> {
    let home = Home::new();
    let Some(shim) = home.compile("set_clock") else {
        println!("skipped: there is no C compiler (cc) to set a clock with");
        return None;
    };
    let clock = home.path("clock");
    let home = home
        .with_env("LD_PRELOAD", &shim.display().to_string())
        .with_env("NUNCIO_CLOCK_FILE", &clock.display().to_string());
    let config = json!({
        "sources": { "shop": { "scheme": "github", "secrets": { "current": SECRET } } },
        "endpoints": { "one": {
            "from": "source/shop",
            "to": { "http": { "url": receiver, "allow_addresses": ["127.0.0.0/8"] } },
            "delivery": { "schedule": schedule },
        } },
    });
    home.write("relay.yaml", &config.to_string());
    Some((home, clock))
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_loses_nothing_and_sends_nothing_twice() {
    let receiver = Receiver::default();
    let url = receiver.serve().await;
    let Some((home, clock)) = home(&url, &json!(["1s", "1s", "1s", "5s", "5s"])) else { return };
    let address = free_address();
    let mut serving = start(&home, &address);
    let (is_over, numbers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let url = format!("http://{address}/in/shop");
    let senders: Vec<_> =
        (0..3).map(|_| tokio::spawn(send(url.clone(), Arc::clone(&numbers), Arc::clone(&is_over)))).collect();
    let jumps = [HOUR, 0, WEEK, 0, -HOUR, -WEEK, WEEK, -HOUR, 0];
    for offset in jumps {
        sleep(Duration::from_millis(700)).await;
        // At once: the file is never seen half written.
        home.write("clock.new", &offset.to_string());
        std::fs::rename(home.path("clock.new"), &clock).unwrap();
    }
    sleep(Duration::from_millis(700)).await;
    is_over.store(true, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    for sender in senders {
        acknowledged.extend(sender.await.unwrap().into_iter().map(|(body, _)| body));
    }
    let lacking = receiver.lacks(&acknowledged).await;
    serving.kill().unwrap();
    serving.wait().unwrap();

    let stored = stored(&home.path("relay.db")).await;
    let seen = receiver.seen.lock().unwrap();
    let twice: Vec<_> = seen.iter().filter(|(_, seen)| seen.taken > 1).map(|(id, _)| id).collect();
    let at_once: Vec<_> = seen.iter().filter(|(_, seen)| seen.most_at_once > 1).map(|(id, _)| id).collect();
    println!(
        "{} jumps: {} acknowledged, {} stored, {} delivered in {} attempts, {} lost, {} taken twice",
        jumps.len(),
        acknowledged.len(),
        stored.len(),
        seen.values().filter(|seen| seen.taken > 0).count(),
        seen.values().map(|seen| seen.attempts).sum::<u32>(),
        lacking.len(),
        twice.len()
    );
    assert!(acknowledged.len() > 20, "too little happened");
    assert!(acknowledged.iter().all(|body| stored.contains_key(body)), "acknowledged and not stored");
    assert!(lacking.is_empty(), "{} were not delivered, such as {:?}", lacking.len(), lacking.first());
    assert!(at_once.is_empty(), "two attempts at once: {at_once:?}");
    assert!(twice.is_empty(), "taken twice: {twice:?}");
    for (id, seen) in seen.iter() {
        assert_eq!(
            stored.get(&seen.body),
            Some(&BTreeSet::from([id.clone()])),
            "delivered as something else"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_due_by_a_clock_that_was_a_week_ahead_is_not_held_up() {
    let receiver = Receiver::default();
    receiver.is_down.store(true, Ordering::Relaxed);
    let url = receiver.serve().await;
    let Some((home, clock)) = home(&url, &json!(["1h"])) else { return };
    std::fs::write(&clock, WEEK.to_string()).unwrap();
    let address = free_address();
    let mut serving = start(&home, &address);
    let (is_over, numbers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let sender = tokio::spawn(send(format!("http://{address}/in/shop"), numbers, Arc::clone(&is_over)));
    let begun = || receiver.seen.lock().unwrap().values().filter(|seen| seen.under_way == 0).count();
    while begun() == 0 {
        sleep(Duration::from_millis(20)).await;
    }
    is_over.store(true, Ordering::Relaxed);
    let acknowledged: Vec<_> = sender.await.unwrap().into_iter().map(|(body, _)| body).collect();
    while begun() < acknowledged.len() {
        sleep(Duration::from_millis(20)).await;
    }
    serving.kill().unwrap();
    serving.wait().unwrap();
    std::fs::remove_file(&clock).unwrap();
    receiver.is_down.store(false, Ordering::Relaxed);
    let mut serving = start(&home, &address);
    let lacking = receiver.lacks(&acknowledged).await;
    serving.kill().unwrap();
    serving.wait().unwrap();
    assert!(
        !acknowledged.is_empty() && lacking.is_empty(),
        "{} of {} were held up",
        lacking.len(),
        acknowledged.len()
    );
}
