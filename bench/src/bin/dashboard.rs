//! How long the pages of the dashboard take with a million events stored, a hundred thousand of which wait, and while 500 more a second arrive.
//! `NUNCIO_STORED` and `NUNCIO_WAITING` make it smaller.

use std::time::Duration;

use bytes::Bytes;
use nuncio_bench::connection::Connection;
use nuncio_bench::fill::fill_folder;
use nuncio_bench::relay::{Serving, ingest, percentiles, setting};
use nuncio_bench::table;
use serde_json::json;
use tokio::time::Instant;

/// How often each page is asked for.
const TIMES: usize = 50;

/// A page of each kind, with what is looked for far and in vain.
const PAGES: [&str; 17] = [
    "/",
    "/?type=order.created",
    "/?type=nothing",
    "/?origin=source/shop",
    "/?origin=application/nobody",
    "/?type=order.created&origin=relay",
    "/?q=nothing-of-the-kind",
    "/?state=waiting",
    "/?state=dead",
    "/?cursor=500000",
    "/deliveries",
    "/deliveries?state=dead",
    "/deliveries?endpoint=away&state=delivered",
    "/endpoints",
    "/endpoints/away",
    "/sources",
    "/sources/shop",
];

fn main() {
    let (stored, waiting) = (setting("NUNCIO_STORED", 1_000_000), setting("NUNCIO_WAITING", 100_000));
    let folder = tempfile::tempdir_in(".").expect("a folder");
    let endpoints = json!({ "away": {
        "from": "relay", "to": { "http": { "url": "http://127.0.0.1:9/", "allow_addresses": ["127.0.0.0/8"] } },
    } });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        fill_folder(folder.path(), &endpoints["away"], stored, waiting).await;
        println!("{stored} events, {waiting} of them owed; each page {TIMES} times\n");
        let serving = Serving::start(folder.path(), &endpoints);
        let mut connection = Connection::open(serving.address).await;
        let mut pages = PAGES.map(str::to_owned).to_vec();
        let newest = connection.get("/v1/events?limit=1").await;
        let newest: serde_json::Value = serde_json::from_slice(&newest).expect("JSON");
        pages.push(format!("/events/{}", newest["items"][0]["id"].as_str().expect("an id")));
        let mut rows = Vec::new();
        for page in &pages {
            rows.push(row(page, &ask(&mut connection, page).await));
        }
        table::print(&["page", "p50 ms", "p99 ms", "KiB"], &rows);
        println!();
        let flood = tokio::spawn(ingest(serving.address, Some(500.0)));
        let took = ask(&mut connection, "/").await;
        table::print(&["page, 500 events a second arriving", "p50 ms", "p99 ms", "KiB"], &[row("/", &took)]);
        flood.await.expect("webhooks");
    });
}

struct Asked {
    took: Vec<Duration>,
    last: Bytes,
}

async fn ask(connection: &mut Connection, page: &str) -> Asked {
    let (mut took, mut last) = (Vec::new(), Bytes::new());
    for _ in 0..TIMES {
        let begun = Instant::now();
        last = connection.get(page).await;
        took.push(begun.elapsed());
    }
    Asked { took, last }
}

fn row(page: &str, asked: &Asked) -> Vec<String> {
    let [p50, p99] = percentiles(&asked.took);
    let size = asked.last.len() as f64 / 1024.0;
    vec![page.to_owned(), format!("{p50:.1}"), format!("{p99:.1}"), format!("{size:.0}")]
}
