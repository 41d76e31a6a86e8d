//! What is talked to: a server in a process of its own, so that it takes no time and no memory from those who are measured.
//!
//! - `GET /v1/customers/cus_1` is a small document;
//! - `GET /v1/records?cursor=N` and `?page=N` is a page of a long list;
//! - `POST /v1/items` takes a JSON object and answers with it and an id;
//! - `GET /v1/posts` is how many POSTs came since it was last asked.

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::children::sibling;
use crate::records::Pages;
use crate::way::runtime;

/// The small document.
pub const CUSTOMER: &[u8] = br#"{"id":"cus_1","object":"customer","email":"ada@example.com","name":"Ada","metadata":{"plan":"gold"}}"#;

/// A server that runs until this is dropped.
pub struct Server {
    process: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts a server with a list of `pages` pages, that waits for `delay` before each answer.
    ///
    /// # Panics
    /// When the process does not start.
    #[must_use]
    pub fn start(pages: u64, delay: Duration) -> Self {
        let mut process = Command::new(sibling("nuncio-bench"))
            .args(["serve", &pages.to_string(), &delay.as_millis().to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut address = String::new();
        let said = process.stdout.as_mut().expect("its output is piped");
        BufReader::new(said).read_line(&mut address).expect("the server says where it listens");
        let address = address.trim().parse().expect("an address");
        Self { process, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct State {
    pages: Pages,
    delay: Duration,
    posts: AtomicU64,
}

/// Is the server: says where it listens, and answers for ever.
///
/// # Panics
/// When no port can be bound.
pub fn serve(pages: u64, delay_ms: u64) {
    let state =
        State { pages: Pages::new(pages), delay: Duration::from_millis(delay_ms), posts: AtomicU64::new(0) };
    let state: &'static State = Box::leak(Box::new(state));
    runtime().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        println!("{}", listener.local_addr().expect("a bound address"));
        std::io::stdout().flush().expect("someone listens");
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).expect("a connected socket");
            let service = service_fn(|request| answer(state, request));
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
}

async fn answer(state: &State, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    if !state.delay.is_zero() {
        tokio::time::sleep(state.delay).await;
    }
    let (parts, body) = request.into_parts();
    let (status, body) = match (&parts.method, parts.uri.path()) {
        (&Method::GET, "/v1/customers/cus_1") => (StatusCode::OK, Bytes::from_static(CUSTOMER)),
        (&Method::GET, "/v1/records") => (StatusCode::OK, state.pages.page(number(parts.uri.query())).into()),
        (&Method::GET, "/v1/posts") => {
            (StatusCode::OK, state.posts.swap(0, Ordering::Relaxed).to_string().into())
        }
        (&Method::POST, "/v1/items") => match body.collect().await {
            Ok(sent) => (StatusCode::CREATED, created(state, &sent.to_bytes())),
            Err(_) => (StatusCode::BAD_REQUEST, Bytes::new()),
        },
        _ => (StatusCode::NOT_FOUND, Bytes::new()),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", "application/json".parse().expect("a value"));
    Ok(response)
}

/// The number in a query such as `limit=100&cursor=7`; 1 where there is none.
fn number(query: Option<&str>) -> u64 {
    let values = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let mut numbers = values.filter(|(name, _)| matches!(*name, "cursor" | "page"));
    numbers.find_map(|(_, value)| value.parse().ok()).unwrap_or(1)
}

fn created(state: &State, sent: &[u8]) -> Bytes {
    let id = state.posts.fetch_add(1, Ordering::Relaxed);
    let mut body = format!(r#"{{"id":"item_{id:08}","object":"item","input":"#).into_bytes();
    body.extend_from_slice(sent);
    body.push(b'}');
    body.into()
}
