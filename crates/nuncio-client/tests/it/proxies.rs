//! The wire through proxies. Each test plays the proxy, byte by byte, so that what was sent to it is seen.

use nuncio_client::wire::{Proxy, Settings};
use nuncio_client::{Answer, Client, Error, Evidence, Kind, retry};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// Calls `url` through a proxy at `scheme`, played by `play`, and hands out what it saw.
async fn call(
    url: &str,
    scheme: &str,
    play: impl AsyncFnOnce(TcpStream) -> String,
) -> (Result<Answer, Error>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound address");
    let mut settings = Settings::default();
    settings.allow_http = true;
    settings.proxy = Proxy::Url(format!("{scheme}://ada:made%20up@{address}").parse().expect("a URL"));
    let once = retry::Policy { attempts: std::num::NonZeroU32::MIN, ..retry::Policy::default() };
    let client = Client::builder().wire(settings).retry(once).build().expect("a client");
    let proxy = async { play(listener.accept().await.expect("a connection").0).await };
    tokio::join!(client.get(url).send(), proxy)
}

/// Reads the head of a request.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("more of the head"));
    }
    String::from_utf8(head).expect("ASCII")
}

#[tokio::test]
async fn a_plain_request_names_its_whole_url_and_who_asks_to_an_http_proxy() {
    let (answer, seen) = call("http://api.example.com/users?page=2", "http", async |mut stream| {
        let head = head(&mut stream).await;
        stream.write_all(ANSWER).await.expect("the answer is written");
        head
    })
    .await;
    assert_eq!(answer.expect("an answer").body, "{}");
    assert!(seen.starts_with("GET http://api.example.com/users?page=2 HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("\r\nhost: api.example.com\r\n"), "{seen}");
    assert!(seen.contains("\r\nproxy-authorization: Basic YWRhOm1hZGUgdXA=\r\n"), "{seen}");
}

#[tokio::test]
async fn a_secure_request_goes_through_a_tunnel_and_a_refusal_says_that_nothing_was_sent() {
    let (answer, seen) = call("https://api.example.com/users", "http", async |mut stream| {
        let head = head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await.expect("the answer is written");
        head
    })
    .await;
    assert!(seen.starts_with("CONNECT api.example.com:443 HTTP/1.1\r\n"), "{seen}");
    assert!(seen.to_lowercase().contains("\r\nproxy-authorization: basic ywrhom1hzgugdxa=\r\n"), "{seen}");
    let error = answer.expect_err("no tunnel");
    assert_eq!((error.kind(), error.evidence()), (Kind::Connect, Evidence::NeverSent));
}

/// Plays a SOCKS proxy (RFC 1928, with a password as in RFC 1929) and the server behind it; hands out the address that was asked for, in hex.
async fn socks(mut stream: TcpStream) -> String {
    let mut offered = [0; 2];
    stream.read_exact(&mut offered).await.expect("a greeting");
    let mut methods = vec![0; offered[1].into()];
    stream.read_exact(&mut methods).await.expect("the methods");
    assert!(methods.contains(&2), "a password is offered");
    stream.write_all(&[5, 2]).await.expect("the choice is written");

    stream.read_u8().await.expect("a version");
    for expected in ["ada", "made up"] {
        let mut text = vec![0; stream.read_u8().await.expect("a length").into()];
        stream.read_exact(&mut text).await.expect("a text");
        assert_eq!(text, expected.as_bytes());
    }
    stream.write_all(&[1, 0]).await.expect("the verdict is written");

    let mut asked = [0; 4];
    stream.read_exact(&mut asked).await.expect("a command");
    let length = match asked[3] {
        1 => 4,
        3 => stream.read_u8().await.expect("a length").into(),
        other => panic!("address type {other}"),
    };
    let mut address = vec![0; length];
    stream.read_exact(&mut address).await.expect("an address");
    let port = stream.read_u16().await.expect("a port");
    stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 80]).await.expect("the reply is written");
    head(&mut stream).await;
    stream.write_all(ANSWER).await.expect("the answer is written");
    match <[u8; 4]>::try_from(address.as_slice()) {
        Ok(octets) if asked[3] == 1 => format!("{}:{port}", std::net::Ipv4Addr::from(octets)),
        _ => format!("{}:{port}", String::from_utf8_lossy(&address)),
    }
}

#[tokio::test]
async fn a_socks5h_proxy_looks_the_name_up() {
    let (answer, seen) = call("http://api.example.com:8080/", "socks5h", socks).await;
    assert_eq!(answer.expect("an answer").status, 200);
    assert_eq!(seen, "api.example.com:8080");
}

#[tokio::test]
async fn for_a_socks5_proxy_the_name_is_looked_up_here() {
    let (answer, seen) = call("http://127.0.0.1/", "socks5", socks).await;
    assert_eq!(answer.expect("an answer").status, 200);
    assert_eq!(seen, "127.0.0.1:80");
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_rather_than_passed_by() {
    for url in ["ftp://127.0.0.1", "socks4://127.0.0.1"] {
        let mut settings = Settings::default();
        settings.proxy = Proxy::Url(url.parse().expect("a URL"));
        let error = Client::builder().wire(settings).build().expect_err("no such proxy");
        assert_eq!(error.kind(), Kind::Configuration, "{url}");
    }
}
