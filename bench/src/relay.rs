//! `nuncio serve`, and webhooks for it: what the programs that measure the relay share.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use futures_util::future::join_all;
use http::Request;
use nuncio_webhook::{Outgoing, Secrets, provider, sign};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::children::sibling;
use crate::connection::Connection;

/// The secret of the source `shop`.
pub const SECRET: &str = "made-up-secret";

/// Over how many connections webhooks are sent.
pub const CONNECTIONS: u64 = 64;

/// For how long.
pub const RUN: Duration = Duration::from_secs(10);

const BODY_BYTES: usize = 1024;

/// A number of the environment, for a smaller run.
///
/// # Panics
/// When it is no number.
#[must_use]
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// `nuncio serve` with its store in a folder, until this is dropped.
pub struct Serving {
    process: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Serving {
    /// Serves the source `shop` and these endpoints.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start(folder: &Path, endpoints: &Value) -> Self {
        let config = serde_json::json!({
            "sources": { "shop": { "scheme": "github", "secrets": { "current": SECRET } } },
            "endpoints": endpoints,
        });
        fs::write(folder.join("relay.yaml"), config.to_string()).expect("a file");
        let mut process = Command::new(sibling("nuncio"))
            .args(["serve", "relay.yaml", "--listen", "127.0.0.1:0", "--store", "relay.db"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("nuncio starts");
        let mut url = String::new();
        BufReader::new(process.stdout.as_mut().expect("its output is piped"))
            .read_line(&mut url)
            .expect("it says its URL");
        let address = url.trim().trim_start_matches("http://").parse().expect("an address");
        Self { process, address }
    }

    /// What it has in memory, in bytes.
    #[must_use]
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How long each of many took.
pub struct Figures {
    /// From when it was to begin.
    pub took: Vec<Duration>,
}

impl Figures {
    /// How many a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.took.len() as f64 / RUN.as_secs_f64()
    }

    /// What, how many a second, median and 99th percentile in milliseconds.
    #[must_use]
    pub fn row(&self, what: &str) -> Vec<String> {
        let [p50, p99] = percentiles(&self.took);
        vec![what.to_owned(), format!("{:.0}", self.rate()), format!("{p50:.1}"), format!("{p99:.1}")]
    }
}

/// Median and 99th percentile, in milliseconds.
#[must_use]
pub fn percentiles(took: &[Duration]) -> [f64; 2] {
    let mut took = took.to_vec();
    took.sort_unstable();
    [0.5, 0.99].map(|share| {
        let index = (took.len().saturating_sub(1) as f64 * share) as usize;
        took.get(index).map_or(0.0, |took| took.as_secs_f64() * 1e3)
    })
}

/// A webhook of the source `shop`.
///
/// # Panics
/// When it cannot be signed.
#[must_use]
pub fn webhook(id: &str, body: &[u8]) -> http::request::Builder {
    let scheme = &provider("github").expect("it comes along").scheme;
    let outgoing = Outgoing { id, signed_at: UNIX_EPOCH, method: "POST", url: "", body, content_type: None };
    let headers = sign(scheme, &outgoing, &Secrets::new().with("current", SECRET)).expect("it can be signed");
    let request = Request::post("/in/shop").header("content-type", "application/json");
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

/// Sends webhooks for a while: each connection one after the other, or all together at a rate. What is late counts from when it was to be sent.
///
/// # Panics
/// When one is not acknowledged.
pub async fn ingest(address: SocketAddr, rate: Option<f64>) -> Figures {
    let run = nuncio_client::Clock::system().since_epoch().as_nanos();
    let begin = Instant::now() + Duration::from_millis(100);
    let senders = (0..CONNECTIONS).map(|sender| {
        tokio::spawn(async move {
            let mut connection = Connection::open(address).await;
            let mut took = Vec::new();
            sleep_until(begin).await;
            for number in 0_u64.. {
                let due = rate.map(|rate| {
                    begin + Duration::from_secs_f64((number * CONNECTIONS + sender) as f64 / rate)
                });
                if let Some(due) = due {
                    sleep_until(due).await;
                }
                let begun = due.unwrap_or_else(Instant::now);
                if begun.duration_since(begin) >= RUN {
                    break;
                }
                let id = format!("{run}-{sender}-{number}");
                let mut body = format!("{{\"id\":\"{id}\",\"fill\":\"").into_bytes();
                body.resize(BODY_BYTES - 2, b'x');
                body.extend_from_slice(b"\"}");
                connection.exchange(webhook(&id, &body), body.into()).await;
                took.push(begun.elapsed());
            }
            took
        })
    });
    let took = join_all(senders).await.into_iter().flat_map(|took| took.expect("a sender")).collect();
    Figures { took }
}
