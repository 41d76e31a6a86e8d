//! What one dead endpoint among a hundred costs the others: each webhook is owed to all, and the hundredth works, refuses connections, or takes them and
//! never answers. Counted is what arrives at the other 99. `NUNCIO_EVENTS` makes it smaller.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use nuncio_bench::connection::Connection;
use nuncio_bench::relay::{Serving, percentiles, setting, webhook};
use nuncio_bench::table;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, sleep_until};

const OTHERS: u64 = 99;

/// How many webhooks a second: each is 100 deliveries.
const RATE: f64 = 10.0;

/// How long what is late is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// When each delivery to one of the others arrived, and of which webhook.
type Arrivals = Arc<Mutex<Vec<(Instant, usize)>>>;

fn main() {
    let events = setting("NUNCIO_EVENTS", 200) as usize;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    println!(
        "{events} webhooks, each to 100 endpoints; latency is from sending the webhook to its arrival\n"
    );
    runtime.block_on(async {
        let (silent, _held) = silent().await;
        let arrivals = Arrivals::default();
        let receiver = receiver(Arc::clone(&arrivals)).await;
        let mut rows: Vec<Vec<String>> = Vec::new();
        for (load, rate) in [("all at once", None), ("10 webhooks a second", Some(RATE))] {
            let mut first = None;
            for (what, hundredth) in [
                ("works", format!("http://{receiver}/dead")),
                ("refuses", "http://127.0.0.1:9/".to_owned()),
                ("hangs", format!("http://{silent}/")),
            ] {
                arrivals.lock().expect("a lock").clear();
                let (a_second, took) = run(events, rate, receiver, &hundredth, &arrivals).await;
                let [p50, p99] = percentiles(&took);
                let ratio = a_second / *first.get_or_insert(a_second);
                rows.push(vec![
                    format!("the hundredth {what}, {load}"),
                    format!("{a_second:.0}"),
                    format!("{ratio:.2}"),
                    format!("{p50:.0}"),
                    format!("{p99:.0}"),
                ]);
            }
        }
        table::print(&["", "a second to the 99", "ratio", "p50 ms", "p99 ms"], &rows);
    });
}

/// Deliveries a second to the 99, and how long each took.
async fn run(
    events: usize,
    rate: Option<f64>,
    receiver: SocketAddr,
    hundredth: &str,
    arrivals: &Arrivals,
) -> (f64, Vec<Duration>) {
    let folder = tempfile::tempdir_in(".").expect("a folder");
    let endpoint = |url: String| {
        json!({ "from": "source/shop", "to": { "http": {
            "url": url, "allow_addresses": ["127.0.0.0/8"], "secrets": ["whsec_bWFkZS11cC1rZXktb2YtMjQtYnl0ZXM="],
        } } })
    };
    let mut endpoints: serde_json::Map<String, Value> = (0..OTHERS)
        .map(|number| (format!("other-{number}"), endpoint(format!("http://{receiver}/other"))))
        .collect();
    endpoints.insert("hundredth".to_owned(), endpoint(hundredth.to_owned()));
    let serving = Serving::start(folder.path(), &Value::Object(endpoints));
    let mut connection = Connection::open(serving.address).await;
    let begin = Instant::now();
    let mut sent = Vec::with_capacity(events);
    for number in 0..events {
        if let Some(rate) = rate {
            sleep_until(begin + Duration::from_secs_f64(number as f64 / rate)).await;
        }
        sent.push(Instant::now());
        let body = json!({ "number": number }).to_string();
        connection.exchange(webhook(&number.to_string(), body.as_bytes()), body.into()).await;
    }
    let wanted = events * OTHERS as usize;
    let patience = Instant::now() + PATIENCE;
    while arrivals.lock().expect("a lock").len() < wanted && Instant::now() < patience {
        sleep(Duration::from_millis(5)).await;
    }
    let arrived = arrivals.lock().expect("a lock").clone();
    assert!(arrived.len() >= wanted, "{} of {wanted} arrived", arrived.len());
    let last = arrived.iter().map(|(at, _)| *at).max().unwrap_or(begin);
    let took = arrived.iter().map(|(at, number)| *at - sent[*number]).collect();
    (wanted as f64 / (last - begin).as_secs_f64(), took)
}

/// Takes connections, and never says a word.
async fn silent() -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    let held = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    (address, held)
}

async fn receiver(arrivals: Arrivals) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let arrivals = Arc::clone(&arrivals);
            let service = service_fn(move |request| note(Arc::clone(&arrivals), request));
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    address
}

async fn note(arrivals: Arrivals, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let at = Instant::now();
    let is_other = request.uri().path() == "/other";
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let number = serde_json::from_slice::<Value>(&body).ok().and_then(|body| body["number"].as_u64());
    if let Some(number) = number.filter(|_| is_other) {
        arrivals.lock().expect("a lock").push((at, number as usize));
    }
    Ok(Response::new(Full::new(Bytes::new())))
}
