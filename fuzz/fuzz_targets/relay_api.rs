//! Requests to the relay: `METHOD PATH`, lines of headers, an empty line, the body; several with a line `---` between them. Whatever is asked, the
//! answer is no fault of the server's, and one that refuses says why.
#![no_main]

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use libfuzzer_sys::fuzz_target;
use nuncio_client::{Clock, Error, Random};
use nuncio_gateway::{Gateway, Options, Parts};
use nuncio_relay::inbox::Fetch;
use nuncio_relay::store::{Change, Document, DocumentKind, Leased, MemoryStore, Store as _};
use nuncio_relay::{Deliver, Endpoint, Journal, Outcome};
use nuncio_service::Env;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// Takes all.
struct Receiver;

impl Deliver for Receiver {
    fn deliver(&self, _: &str, _: Arc<Endpoint>, _: Leased, _: Journal) -> BoxFuture<'static, Outcome> {
        Box::pin(async { Outcome::taken(200) })
    }
}

/// Has a page of nothing everywhere.
struct Shelf;

impl Fetch for Shelf {
    fn get(&self, _: &str) -> BoxFuture<'static, Result<Bytes, Error>> {
        Box::pin(async { Ok(Bytes::from_static(b"{}")) })
    }
}

fuzz_target!(|data: &[u8]| {
    nuncio_fuzz::block_on(async {
        let gateway = gateway().await;
        let mut rest = data;
        while !rest.is_empty() {
            let end = rest.windows(5).position(|part| part == b"\n---\n");
            ask(&gateway, &rest[..end.unwrap_or(rest.len())]).await;
            rest = end.map_or(&[][..], |end| &rest[end + 5..]);
        }
    });
});

async fn gateway() -> Gateway {
    let store = Arc::new(MemoryStore::new());
    let put = |kind, name: &str, value| {
        Change::Put(Document { kind, name: name.to_owned(), from_file: false, value })
    };
    let to = json!({ "http": { "url": "https://receiver.example.test/" } });
    let changes = vec![
        put(
            DocumentKind::Source,
            "shop",
            json!({ "scheme": "github", "secrets": { "current": "made-up-secret-of-shop" } }),
        ),
        put(DocumentKind::Application, "acme", json!({})),
        put(DocumentKind::Endpoint, "one", json!({ "from": "application/acme", "to": to })),
    ];
    store.change(changes, None).await.expect("a store");
    let parts = Parts {
        store,
        deliver: Arc::new(Receiver),
        connect: Arc::new(|_, _| {
            Box::pin(async { Err(nuncio_client::Error::configuration("there are no services")) })
        }),
        fetch: Arc::new(Shelf),
        env: Env::default(),
        clock: Clock::fixed(nuncio_fuzz::now()),
        random: Random::seeded(1),
    };
    let mut options = Options { listen: ([127, 0, 0, 1], 0).into(), ..Options::default() };
    options.limits.body_timeout.0 = Duration::from_secs(5);
    Gateway::open(options, parts).await.expect("a gateway")
}

async fn ask(gateway: &Gateway, data: &[u8]) {
    let (line, rest) = nuncio_fuzz::first_line(data);
    let Some((method, path)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(' ')) else {
        return;
    };
    let (lines, body) = match rest.windows(2).position(|pair| pair == b"\n\n") {
        Some(end) => (&rest[..end], &rest[end + 2..]),
        None => (rest, &rest[..0]),
    };
    let Ok(mut request) = Request::builder().method(method).uri(path).body(Body::from(body.to_vec())) else {
        return;
    };
    *request.headers_mut() = nuncio_fuzz::headers(lines);
    request.headers_mut().entry(header::HOST).or_insert(HeaderValue::from_static("localhost"));
    let is_ours = request.uri().path().starts_with("/v1/");
    let shown = format!("{method} {path}");
    let answer = gateway.router().oneshot(request).await.expect("an answer");
    let (head, body) = answer.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    let told = String::from_utf8_lossy(&body);
    assert!(!head.status.is_server_error(), "{shown}: {} {told}", head.status);
    if is_ours && head.status.is_client_error() && method != "HEAD" {
        let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
        assert!(
            problem["code"].is_string() && head.status != StatusCode::IM_A_TEAPOT,
            "{shown}: {} {told}",
            head.status
        );
    }
}
