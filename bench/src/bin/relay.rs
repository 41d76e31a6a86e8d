//! What `nuncio serve` takes: webhooks verified and on disk, and deliveries to a receiver on this machine, beside what the disk can flush.

use std::time::Duration;

use bytes::Bytes;
use nuncio_bench::connection::Connection;
use nuncio_bench::disk::flushes;
use nuncio_bench::relay::{CONNECTIONS, Serving, ingest};
use nuncio_bench::server::Server;
use nuncio_bench::table;
use serde_json::json;
use tokio::time::{Instant, sleep};

fn main() {
    let folder = tempfile::tempdir_in(".").expect("a folder");
    let receiver = Server::start(1, Duration::ZERO);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    println!(
        "the disk flushes {:.0} times a second; bodies of 1 KiB over {CONNECTIONS} connections\n",
        flushes(folder.path())
    );
    let to = |url: String| {
        json!({ "http": {
        "url": url, "allow_addresses": ["127.0.0.0/8"], "secrets": ["whsec_bWFkZS11cC1rZXktb2YtMjQtYnl0ZXM="],
    } })
    };
    let receiving = to(format!("http://{}/v1/items", receiver.address));
    let endpoints = json!({
        "one": { "from": "source/shop", "to": receiving, "delivery": { "concurrency": 64 } },
        "nobody": { "from": "relay", "to": to("http://127.0.0.1:9/".to_owned()) },
    });
    let serving = Serving::start(folder.path(), &endpoints);
    println!("memory before the first request: {} MiB", serving.memory() / 1024 / 1024);
    runtime.block_on(async {
        Connection::open(serving.address).await.post("/v1/endpoints/one/disable", Bytes::new()).await;
        let full = ingest(serving.address, None).await;
        let half = ingest(serving.address, Some(full.rate() / 2.0)).await;
        table::print(
            &["webhooks, verified and on disk", "a second", "p50 ms", "p99 ms"],
            &[full.row("as fast as it takes them"), half.row("at half of that")],
        );
        let waiting = (full.took.len() + half.took.len()) as f64;
        Connection::open(receiver.address).await.get("/v1/posts").await;
        // The first connection was idle for too long to be kept.
        Connection::open(serving.address).await.post("/v1/endpoints/one/enable", Bytes::new()).await;
        let (start, mut delivered) = (Instant::now(), 0.0);
        let mut counter = Connection::open(receiver.address).await;
        while delivered < waiting * 0.999 && start.elapsed() < Duration::from_secs(60) {
            sleep(Duration::from_millis(20)).await;
            let count = counter.get("/v1/posts").await;
            delivered += std::str::from_utf8(&count)
                .ok()
                .and_then(|count| count.trim().parse::<f64>().ok())
                .unwrap_or(0.0);
        }
        println!(
            "\n{delivered:.0} of {waiting:.0} delivered, {:.0} a second, signed and settled",
            delivered / start.elapsed().as_secs_f64()
        );
    });
    println!("memory at the end: {} MiB", serving.memory() / 1024 / 1024);
}
