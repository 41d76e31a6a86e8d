//! The guard: which addresses may be called, and that nothing gets around it. All servers are on loopback, which a guard refuses unless its list
//! allows it.

mod literals;
mod rebinding;
mod registries;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nuncio_client::retry::{Backoff, Jitter, Policy};
use nuncio_client::wire::{Guard, Proxy, Resolver, Settings};
use nuncio_client::{Builder, Client, Error, Evidence, Kind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const KEPT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const CLOSED: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

/// How often something happened.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    /// How often before this time.
    fn up(&self) -> usize {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A server that gives the same answer to every request, and counts the connections.
struct Server {
    port: u16,
    connections: Count,
}

impl Server {
    async fn start(address: &str, port: u16, answer: &'static str) -> Self {
        let listener = TcpListener::bind((address, port)).await.expect("a free port");
        let port = listener.local_addr().expect("a bound address").port();
        let connections = Count::default();
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.up();
                tokio::spawn(serve(stream, answer));
            }
        });
        Self { port, connections }
    }
}

async fn serve(mut stream: TcpStream, answer: &str) {
    let mut head = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        head.push(byte);
        if head.ends_with(b"\r\n\r\n") {
            head.clear();
            let written = stream.write_all(answer.as_bytes()).await;
            if written.is_err() || answer.contains("connection: close") {
                return;
            }
        }
    }
}

/// A resolver that gives these answers one after the other, the last for ever, and how often it was asked.
fn resolver(answers: &[&[&str]]) -> (Resolver, Count) {
    let answers: Vec<Vec<IpAddr>> = answers
        .iter()
        .map(|answer| answer.iter().map(|address| address.parse().expect("an address")).collect())
        .collect();
    let asked = Count::default();
    let count = asked.clone();
    let resolver = Resolver::new(move |_| {
        let answer = answers[count.up().min(answers.len() - 1)].clone();
        async move { Ok(answer) }
    });
    (resolver, asked)
}

/// Allows these networks beside public ones.
fn guard(networks: &[&str]) -> Guard {
    Guard::default().allow(networks.iter().map(|network| network.parse().expect("a network")))
}

fn settings(guard: Guard, resolver: Option<Resolver>) -> Settings {
    let mut settings = Settings::default();
    settings.allow_http = true;
    settings.proxy = Proxy::Direct;
    settings.resolver = resolver;
    settings.guard = Some(guard);
    settings
}

/// Three attempts, close upon each other.
fn client(guard: Guard, resolver: Option<Resolver>) -> Builder {
    let millisecond = Duration::from_millis(1);
    let backoff = Backoff { base: millisecond, max: millisecond, jitter: Jitter::None };
    let attempts = NonZeroU32::new(3).expect("not zero");
    Client::builder().wire(settings(guard, resolver)).retry(Policy { attempts, backoff, ..Policy::default() })
}

/// Never sent, and not tried again.
fn is_refusal(error: &Error) {
    let told = (error.kind(), error.evidence(), error.is_lasting());
    assert_eq!(told, (Kind::Configuration, Evidence::NeverSent, true), "{}", error.report());
    assert!(error.to_string().ends_with("only public addresses may be called"), "{}", error.report());
    assert!(error.advice().is_some_and(|advice| advice.contains("allow list")), "{}", error.report());
}
