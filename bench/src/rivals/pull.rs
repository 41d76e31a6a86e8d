//! Every record of a cursor-paged list as a line of a file.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::connection::Connection;
use crate::way::runtime;

/// A page, its records as they came.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    next: Option<&'a str>,
}

/// Does it as `way` says, from the server at `address`, to the file `to`.
///
/// # Panics
/// When anything goes wrong: it knows nothing of retries.
pub fn run(way: &str, address: &str, to: &str) {
    let address: SocketAddr = address.parse().expect("an address");
    let out = BufWriter::with_capacity(64 << 10, File::create(to).expect("a file to write"));
    runtime().block_on(async {
        match way {
            "hyper" => hyper(address, out).await,
            "reqwest" => reqwest(address, out).await,
            "value" => reqwest_value(address, out).await,
            _ => panic!("no way {way:?}"),
        }
    });
}

/// The floor.
async fn hyper(address: SocketAddr, mut out: BufWriter<File>) {
    let mut connection = Connection::open(address).await;
    let mut path = "/v1/records".to_owned();
    loop {
        let body = connection.get(&path).await;
        let Some(next) = write_records(&body, &mut out) else { break };
        path = format!("/v1/records?cursor={next}");
    }
    out.flush().expect("room on the disk");
}

async fn reqwest(address: SocketAddr, mut out: BufWriter<File>) {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut url = format!("http://{address}/v1/records");
    loop {
        let response =
            client.get(&url).send().await.expect("an answer").error_for_status().expect("a good one");
        let body = response.bytes().await.expect("a body");
        let Some(next) = write_records(&body, &mut out) else { break };
        url = format!("http://{address}/v1/records?cursor={next}");
    }
    out.flush().expect("room on the disk");
}

/// Writes the records without a tree, and returns the cursor of the next page.
fn write_records(body: &[u8], out: &mut BufWriter<File>) -> Option<String> {
    let page: Page<'_> = serde_json::from_slice(body).expect("a page");
    for record in page.data {
        out.write_all(record.get().as_bytes()).expect("room on the disk");
        out.write_all(b"\n").expect("room on the disk");
    }
    page.next.map(str::to_owned)
}

/// As most would write it: JSON is a tree.
async fn reqwest_value(address: SocketAddr, mut out: BufWriter<File>) {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut url = format!("http://{address}/v1/records");
    loop {
        let response =
            client.get(&url).send().await.expect("an answer").error_for_status().expect("a good one");
        let page: Value = serde_json::from_slice(&response.bytes().await.expect("a body")).expect("JSON");
        for record in page["data"].as_array().expect("records") {
            serde_json::to_writer(&mut out, record).expect("room on the disk");
            out.write_all(b"\n").expect("room on the disk");
        }
        let Some(next) = page["next"].as_str() else { break };
        url = format!("http://{address}/v1/records?cursor={next}");
    }
    out.flush().expect("room on the disk");
}
