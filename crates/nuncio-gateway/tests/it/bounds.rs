//! What strangers can take up.

use std::num::NonZeroUsize;
use std::time::Duration;

use nuncio_gateway::{Limits, Options};
use nuncio_relay::store::DocumentKind;
use nuncio_service::model::Span;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{SECRET, Served, document, source};

async fn with(limits: Limits) -> Served {
    let small = json!({ "scheme": "stripe", "secrets": { "current": SECRET }, "max_body_bytes": 100 });
    let documents = vec![source("shop", "stripe"), document(DocumentKind::Source, "small", small)];
    Served::start(Options { limits, ..Options::default() }, documents).await
}

/// Sends this and reads until the other end closes.
async fn exchange(served: &Served, sent: &str) -> String {
    let mut stream = TcpStream::connect(served.address()).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // Closed in order or by a reset: both end it.
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

#[tokio::test]
async fn a_body_over_the_bound_is_refused_before_it_is_sent() {
    let served = with(Limits::default()).await;
    let answer = exchange(&served, "POST /in/small HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_body_of_unknown_length_is_read_to_the_bound() {
    let served = with(Limits::default()).await;
    let chunk = format!("80\r\n{}\r\n", "x".repeat(128));
    let head = "POST /in/small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = exchange(&served, &format!("{head}{chunk}")).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_head_that_does_not_end_ends_the_connection() {
    let limits = Limits { header_timeout: Span(Duration::from_millis(50)), ..Limits::default() };
    let served = with(limits).await;
    let answer = exchange(&served, "POST /in/shop HTTP/1.1\r\nHost: a\r\nX-Slow: lor").await;
    assert!(!answer.contains("HTTP/1.1 2"), "{answer}");
    assert_eq!(served.get("/healthz").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let limits = Limits { body_timeout: Span(Duration::from_millis(50)), ..Limits::default() };
    let served = with(limits).await;
    let answer =
        exchange(&served, "POST /in/shop HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nslow").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn heads_and_urls_have_a_bound() {
    let served = with(Limits::default()).await;
    let long = "x".repeat(9000);
    let answer =
        exchange(&served, &format!("GET /{long} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 414"), "{answer}");
    let longer = "x".repeat(70_000);
    let answer = exchange(&served, &format!("GET / HTTP/1.1\r\nHost: a\r\nX-Long: {longer}\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_connection_over_the_bound_waits_for_one_to_end() {
    let limits = Limits {
        connections: NonZeroUsize::MIN,
        header_timeout: Span(Duration::from_millis(200)),
        ..Limits::default()
    };
    let served = with(limits).await;
    let mut first = TcpStream::connect(served.address()).await.unwrap();
    first.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n").await.unwrap();
    let answer = exchange(&served, "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // It was served because the first, which said nothing more, had been ended.
    let mut rest = String::new();
    let _ = first.read_to_string(&mut rest).await;
    assert!(!rest.contains("HTTP/1.1 200"), "{rest}");
}
