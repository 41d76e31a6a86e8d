//! What the programs share: a server to talk to, a stopwatch, a table. A figure is a median, and what counts is its ratio to the first row.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::time::Instant;

/// Starts a server that answers every request with `body` as JSON. It has a thread of its own, so that it takes no time from those who call.
///
/// # Panics
/// When no port can be bound.
#[must_use]
pub fn serve(body: &'static [u8]) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    listener.set_nonblocking(true).expect("a socket that can be polled");
    thread::spawn(move || runtime().block_on(answer(listener, body)));
    address
}

async fn answer(listener: std::net::TcpListener, body: &'static [u8]) {
    let listener = TcpListener::from_std(listener).expect("a runtime with io");
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).expect("a connected socket");
        let service = service_fn(move |_: hyper::Request<Incoming>| async move {
            let response = Response::new(Full::new(Bytes::from_static(body)));
            Ok::<_, Infallible>(response)
        });
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

/// A runtime on the current thread: what is measured is work, not scheduling.
///
/// # Panics
/// When the operating system refuses one.
#[must_use]
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Samples of one way to do the job.
pub struct Way {
    name: &'static str,
    samples: Vec<Duration>,
}

impl Way {
    /// A way without samples.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, samples: Vec::new() }
    }

    /// Does `work` `times` times and keeps the average as one sample.
    pub async fn sample(&mut self, times: u32, mut work: impl AsyncFnMut()) {
        let start = Instant::now();
        for _ in 0..times {
            work().await;
        }
        self.samples.push(start.elapsed() / times);
    }

    fn median(&self) -> Duration {
        let mut sorted = self.samples.clone();
        sorted.sort();
        sorted[sorted.len() / 2]
    }
}

/// Prints the medians and their ratios to the first.
pub fn print(ways: &[&Way]) {
    let base = ways[0].median();
    for way in ways {
        let median = way.median();
        let ratio = median.as_secs_f64() / base.as_secs_f64();
        println!("{:<28} {:>9.2} µs  {ratio:>5.2}", way.name, median.as_secs_f64() * 1e6);
    }
}
