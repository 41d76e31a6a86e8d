//! What `nuncio serve` takes: webhooks verified and on disk, and deliveries to a receiver on this machine, beside what the disk can flush.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::future::join_all;
use http::Request;
use nuncio_bench::children::sibling;
use nuncio_bench::connection::Connection;
use nuncio_bench::disk::flushes;
use nuncio_bench::server::Server;
use nuncio_bench::table;
use nuncio_webhook::{Outgoing, Secrets, provider, sign};
use tokio::time::{Instant, sleep, sleep_until};

const SECRET: &str = "made-up-secret";
const CONNECTIONS: u64 = 64;
const RUN: Duration = Duration::from_secs(10);
const BODY_BYTES: usize = 1024;

fn main() {
    let folder = tempfile::tempdir_in(".").expect("a folder");
    let receiver = Server::start(1, Duration::ZERO);
    let dead = "127.0.0.1:9";
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    println!(
        "the disk flushes {:.0} times a second; bodies of 1 KiB over {CONNECTIONS} connections\n",
        flushes(folder.path())
    );
    let serving = Serving::start(folder.path(), receiver.address, dead);
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

struct Serving {
    process: Child,
    address: SocketAddr,
}

impl Serving {
    fn start(folder: &Path, receiver: SocketAddr, dead: &str) -> Self {
        let config = serde_json::json!({
            "sources": { "shop": { "scheme": "github", "secrets": { "current": SECRET } } },
            "endpoints": {
                "one": {
                    "from": "source/shop",
                    "to": { "http": {
                        "url": format!("http://{receiver}/v1/items"), "allow_addresses": ["127.0.0.0/8"],
                        "secrets": ["whsec_bWFkZS11cC1rZXktb2YtMjQtYnl0ZXM="],
                    } },
                    "delivery": { "concurrency": 64 },
                },
                "nobody": {
                    "from": "relay",
                    "to": { "http": { "url": format!("http://{dead}/"), "allow_addresses": ["127.0.0.0/8"] } },
                },
            },
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
    fn memory(&self) -> u64 {
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

struct Figures {
    took: Vec<Duration>,
}

impl Figures {
    fn rate(&self) -> f64 {
        self.took.len() as f64 / RUN.as_secs_f64()
    }

    fn row(&self, what: &str) -> Vec<String> {
        let mut took = self.took.clone();
        took.sort_unstable();
        let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        vec![
            what.to_owned(),
            format!("{:.0}", self.rate()),
            format!("{:.1}", at(0.5)),
            format!("{:.1}", at(0.99)),
        ]
    }
}

/// Sends webhooks for a while: each connection one after the other, or all together at a rate. What is late counts from when it was to be sent.
async fn ingest(address: SocketAddr, rate: Option<f64>) -> Figures {
    let scheme = &provider("github").expect("it comes along").scheme;
    let run = nuncio_client::Clock::system().since_epoch().as_nanos();
    let begin = Instant::now() + Duration::from_millis(100);
    let senders = (0..CONNECTIONS).map(|sender| {
        tokio::spawn(async move {
            let mut connection = Connection::open(address).await;
            let secrets = Secrets::new().with("current", SECRET);
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
                let outgoing = Outgoing {
                    id: &id,
                    signed_at: UNIX_EPOCH,
                    method: "POST",
                    url: "",
                    body: &body,
                    content_type: None,
                };
                let headers = sign(scheme, &outgoing, &secrets).expect("it can be signed");
                let request = Request::post("/in/shop").header("content-type", "application/json");
                let request =
                    headers.iter().fold(request, |request, (name, value)| request.header(name, value));
                connection.exchange(request, body.into()).await;
                took.push(begun.elapsed());
            }
            took
        })
    });
    let took = join_all(senders).await.into_iter().flat_map(|took| took.expect("a sender")).collect();
    Figures { took }
}
