//! `nuncio serve` killed at random moments while events become calls: nothing is done twice, and what is not known to be done is told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use nuncio_relay::store::{DeliveryQuery, SqliteStore, Store as _};
use nuncio_relay::{Delivery, State};
use nuncio_sandbox::Sandbox;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::killed_relay::{SECRET, send, start};
use crate::support::{Home, sandbox};

/// How often it is killed: `NUNCIO_KILLS`, or enough to land before, in and after calls.
fn kills() -> u32 {
    std::env::var("NUNCIO_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(60)
}

/// A way to the sandbox on which answers take up to 60 ms: many kills land when a call was made and nobody has been told so. Its address.
async fn slow_way_to(sandbox: &Sandbox) -> SocketAddr {
    let url = sandbox.url("slack").unwrap();
    let server = url.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let server = server.clone();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(server).await.unwrap();
                let (mut from_client, mut to_client) = client.split();
                let (mut from_server, mut to_server) = server.split();
                let answers = async {
                    let mut piece = [0; 4096];
                    while let Ok(length @ 1..) = from_server.read(&mut piece).await {
                        sleep(Duration::from_millis(fastrand::u64(0..60))).await;
                        to_client.write_all(&piece[..length]).await?;
                    }
                    Ok::<_, std::io::Error>(())
                };
                let _ = tokio::try_join!(copy(&mut from_client, &mut to_server), answers);
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_is_made_twice_however_often_it_is_killed() {
    let sandbox = sandbox(&["slack", "stripe"]).await;
    let way = slow_way_to(&sandbox).await;
    let home = Home::new()
        .with_env("SLACK_BOT_TOKEN", "made-up-slack-token")
        .with_env("STRIPE_SECRET_KEY", "made-up-stripe-key");
    let place = |name: &str| {
        let url = sandbox.url(name).unwrap();
        let path = url.trim_start_matches("http://").split_once('/').unwrap().1;
        format!("[services.{name}]\nbase_url = \"http://{way}/{path}\"\n")
    };
    home.write("config/nuncio/config.toml", &(place("slack") + &place("stripe")));
    let text = "{{ event.body.id }}";
    let calls = |operation: Value| {
        let delivery = json!({ "timeout": "2s", "schedule": ["1s", "1s", "1s", "5s", "5s", "30s"] });
        json!({ "from": "source/shop", "to": { "operation": operation }, "delivery": delivery })
    };
    let config = json!({
        "sources": { "shop": { "scheme": "github", "secrets": { "current": SECRET } } },
        "endpoints": {
            // A channel of its own for each: Slack takes one message a second and channel.
            "told": calls(json!({ "service": "slack", "operation": "chat.postMessage", "inputs": { "channel": text, "text": text } })),
            "kept": calls(json!({ "service": "stripe", "operation": "customers.create", "inputs": { "description": text } })),
        },
    });
    home.write("relay.yaml", &config.to_string());
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let url = format!("http://{address}/in/shop");
    let (is_over, numbers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let sender = tokio::spawn(send(url, numbers, Arc::clone(&is_over)));
    for _ in 0..kills() {
        let mut serving = start(&home, &address);
        sleep(Duration::from_millis(fastrand::u64(0..250))).await;
        serving.kill().unwrap();
        serving.wait().unwrap();
    }
    let mut serving = start(&home, &address);
    is_over.store(true, Ordering::Relaxed);
    let acknowledged: BTreeSet<String> = sender.await.unwrap().into_iter().map(|(body, _)| body).collect();
    // What a killed process had in its care is due again when its lease is over.
    let patience = Instant::now() + Duration::from_secs(150);
    let ended = loop {
        let ended = ended(&home.path("relay.db")).await;
        if ended.is_some() || Instant::now() > patience {
            break ended;
        }
        sleep(Duration::from_secs(1)).await;
    };
    serving.kill().unwrap();
    serving.wait().unwrap();

    let ended = ended.expect("all is delivered or given up");
    let messages = times(&sandbox, "slack", "messages", "text");
    let customers = times(&sandbox, "stripe", "customers", "description");
    let of = |endpoint: &'static str| ended.iter().filter(move |end| end.delivery.endpoint == endpoint);
    let in_doubt = of("told").filter(|end| end.delivery.state == State::Dead).count();
    let made_in_doubt =
        of("told").filter(|end| end.delivery.state == State::Dead && messages.contains_key(&end.id)).count();
    println!(
        "{} kills: {} acknowledged; {} messages of {} events, {in_doubt} in doubt of which {made_in_doubt} were there; {} customers of {}",
        kills(),
        acknowledged.len(),
        messages.len(),
        of("told").count(),
        customers.len(),
        of("kept").count()
    );
    let twice: Vec<_> = messages.iter().chain(&customers).filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "done twice: {twice:?}");
    for end in of("told") {
        match end.delivery.state {
            State::Delivered => assert_eq!(messages.get(&end.id), Some(&1), "{} has no message", end.id),
            state => {
                assert_eq!(state, State::Dead);
                let why = end.why.as_deref().unwrap_or_default();
                assert!(why.contains("the call may have been made"), "{}: {why}", end.id);
            }
        }
    }
    for end in of("kept") {
        assert_eq!((end.delivery.state, customers.get(&end.id)), (State::Delivered, Some(&1)), "{}", end.id);
    }
    for body in &acknowledged {
        let id = serde_json::from_str::<Value>(body).unwrap()["id"].as_str().unwrap().to_owned();
        assert_eq!(ended.iter().filter(|end| end.id == id).count(), 2, "{id} was acknowledged");
    }
    assert!(acknowledged.len() as u32 > kills() / 4 && in_doubt > 0, "too little happened");
}

/// How a delivery ended.
struct End {
    delivery: Delivery,
    /// What its event is about.
    id: String,
    /// What the last attempt said.
    why: Option<String>,
}

/// How all deliveries ended; nothing while some wait.
async fn ended(path: &Path) -> Option<Vec<End>> {
    let store = SqliteStore::open(path).unwrap();
    let all = DeliveryQuery { limit: 100_000, ..DeliveryQuery::default() };
    let deliveries = store.deliveries(all).await.unwrap().items;
    if deliveries.iter().any(|delivery| !matches!(delivery.state, State::Delivered | State::Dead)) {
        return None;
    }
    let mut ended = Vec::new();
    for delivery in deliveries {
        let event = store.event(delivery.event).await.unwrap().unwrap();
        let body: Value = serde_json::from_slice(&event.body).unwrap();
        let why = store.attempts(delivery.id).await.unwrap().pop().and_then(|attempt| attempt.error);
        ended.push(End { delivery, id: body["id"].as_str().unwrap().to_owned(), why });
    }
    Some(ended)
}

/// How often each text is there.
fn times(sandbox: &Sandbox, service: &str, resource: &str, name: &str) -> BTreeMap<String, u32> {
    let mut times = BTreeMap::new();
    for object in sandbox.objects(service, resource) {
        if let Some(text) = object[name].as_str() {
            *times.entry(text.to_owned()).or_default() += 1;
        }
    }
    times
}
