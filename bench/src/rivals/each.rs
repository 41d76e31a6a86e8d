//! A POST for each line of a file, 32 in flight, each answer as a line of another.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Lines, Write as _};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::way::runtime;

/// Calls under way at once.
pub const IN_FLIGHT: usize = 32;

/// An item of the input.
#[derive(Deserialize, Serialize)]
struct Item<'a> {
    email: &'a str,
    name: &'a str,
    balance: u64,
}

/// What the workers share: they run on one thread, but tokio does not know.
struct Files {
    items: Mutex<Lines<BufReader<File>>>,
    results: Mutex<BufWriter<File>>,
}

impl Files {
    fn next(&self) -> Option<String> {
        self.items.lock().expect("no worker fails").next().map(|line| line.expect("a line"))
    }

    fn write(&self, result: &[u8]) {
        let mut results = self.results.lock().expect("no worker fails");
        results.write_all(result).expect("room on the disk");
        results.write_all(b"\n").expect("room on the disk");
    }
}

/// Does it as `way` says.
///
/// # Panics
/// When anything goes wrong: it knows nothing of retries.
pub fn run(way: &str, address: &str, from: &str, to: &str) {
    let address: SocketAddr = address.parse().expect("an address");
    let files = Arc::new(Files {
        items: Mutex::new(BufReader::new(File::open(from).expect("the items")).lines()),
        results: Mutex::new(BufWriter::new(File::create(to).expect("a file to write"))),
    });
    runtime().block_on(async {
        let mut workers = JoinSet::new();
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        for _ in 0..IN_FLIGHT {
            let files = Arc::clone(&files);
            match way {
                "hyper" => workers.spawn(hyper(address, files)),
                "reqwest" => workers.spawn(reqwest(client.clone(), address, files)),
                _ => panic!("no way {way:?}"),
            };
        }
        workers.join_all().await;
    });
    files.results.lock().expect("no worker fails").flush().expect("room on the disk");
}

/// The floor.
async fn hyper(address: SocketAddr, files: Arc<Files>) {
    let mut connection = Connection::open(address).await;
    while let Some(line) = files.next() {
        let item: Item<'_> = serde_json::from_str(&line).expect("an item");
        let body = serde_json::to_vec(&item).expect("JSON");
        files.write(&connection.post("/v1/items", Bytes::from(body)).await);
    }
}

/// As most would write it: items are trees, and the result says whose it is.
async fn reqwest(client: reqwest::Client, address: SocketAddr, files: Arc<Files>) {
    let url = format!("http://{address}/v1/items");
    while let Some(line) = files.next() {
        let item: Value = serde_json::from_str(&line).expect("an item");
        let body = json!({ "email": item["email"], "name": item["name"], "balance": item["balance"] });
        let request = client.post(&url).header("content-type", "application/json").body(body.to_string());
        let response = request.send().await.expect("an answer").error_for_status().expect("a good one");
        let answer: Value = serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON");
        files.write(json!({ "item": item, "answer": answer }).to_string().as_bytes());
    }
}
