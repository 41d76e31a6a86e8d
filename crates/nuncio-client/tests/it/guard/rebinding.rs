//! Names that resolve differently each time.

use nuncio_client::wire::{Proxy, Wire};
use nuncio_client::{Body, Client, Kind};
use tower::ServiceExt as _;

use super::{CLOSED, KEPT, Server, client, guard, is_refusal, resolver, settings};

const AGAIN: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const REDIRECT: &str = "HTTP/1.1 302 Found\r\nlocation: /b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

fn url(server: &Server) -> String {
    format!("http://hooks.example.com:{}/a", server.port)
}

#[tokio::test]
async fn the_connection_goes_to_the_address_that_was_vetted_and_nothing_is_looked_up_twice() {
    let vetted = Server::start("127.0.0.1", 0, KEPT).await;
    let other = Server::start("127.0.0.2", vetted.port, KEPT).await;
    let (resolver, asked) = resolver(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let client = client(guard(&["127.0.0.1"]), Some(resolver)).build().expect("valid");
    assert_eq!(client.get(url(&vetted)).send().await.expect("an answer").body, "{}");
    assert_eq!((asked.get(), vetted.connections.get(), other.connections.get()), (1, 1, 0));
}

#[tokio::test]
async fn a_connection_that_is_kept_stays_with_the_address_that_was_vetted() {
    let server = Server::start("127.0.0.1", 0, KEPT).await;
    let (resolver, asked) = resolver(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let client = client(guard(&["127.0.0.1"]), Some(resolver)).build().expect("valid");
    for _ in 0..3 {
        client.post(url(&server)).send().await.expect("an answer");
    }
    assert_eq!((asked.get(), server.connections.get()), (1, 1));
}

#[tokio::test]
async fn each_connection_is_vetted_and_a_refusal_is_not_retried() {
    let server = Server::start("127.0.0.1", 0, CLOSED).await;
    let other = Server::start("127.0.0.2", server.port, CLOSED).await;
    let (resolver, asked) = resolver(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let client = client(guard(&["127.0.0.1"]), Some(resolver)).build().expect("valid");
    client.post(url(&server)).send().await.expect("an answer");
    let error = client.post(url(&server)).send().await.expect_err("private by now");
    is_refusal(&error);
    assert!(error.to_string().contains("hooks.example.com is at 127.0.0.2, a loopback address"), "{error}");
    assert_eq!(error.history().len(), 1);
    assert_eq!((asked.get(), server.connections.get(), other.connections.get()), (2, 1, 0));
}

#[tokio::test]
async fn each_attempt_and_each_hop_is_vetted() {
    for answer in [AGAIN, REDIRECT] {
        let server = Server::start("127.0.0.1", 0, answer).await;
        let (resolver, asked) = resolver(&[&["127.0.0.1"], &["10.0.0.1"]]);
        let client = client(guard(&["127.0.0.1"]), Some(resolver)).build().expect("valid");
        let error = client.get(url(&server)).send().await.expect_err("private by now");
        assert_eq!(error.kind(), Kind::Configuration, "{}", error.report());
        assert!(error.to_string().contains("hooks.example.com is at 10.0.0.1"), "{error}");
        assert_eq!((asked.get(), server.connections.get()), (2, 1));
    }
}

#[tokio::test]
async fn nothing_is_connected_to_while_an_address_of_the_name_may_not_be_called() {
    let server = Server::start("127.0.0.1", 0, KEPT).await;
    for answer in [["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"], ["127.0.0.1", "::1"]] {
        let (resolver, asked) = resolver(&[&answer]);
        let client = client(guard(&["127.0.0.1"]), Some(resolver)).build().expect("valid");
        is_refusal(&client.get(url(&server)).send().await.expect_err("half private"));
        assert_eq!((asked.get(), server.connections.get()), (1, 0), "{answer:?}");
    }
}

#[tokio::test]
async fn the_metadata_services_of_clouds_are_not_called_whatever_leads_there() {
    for address in [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "2002:a9fe:a9fe::",
    ] {
        let (resolver, _) = resolver(&[&[address]]);
        let client = client(guard(&[]), Some(resolver)).build().expect("valid");
        let call = client.get("http://metadata.google.internal/computeMetadata/v1/");
        is_refusal(&call.send().await.expect_err(address));
    }
}

#[tokio::test]
async fn names_of_this_machine_are_refused_by_the_resolver_of_the_system() {
    let server = Server::start("127.0.0.1", 0, KEPT).await;
    let url = format!("http://localhost:{}/", server.port);
    let closed = client(guard(&[]), None).build().expect("valid");
    is_refusal(&closed.get(&url).send().await.expect_err("loopback"));
    assert_eq!(server.connections.get(), 0);

    let open = client(guard(&["127.0.0.0/8", "::1"]), None).build().expect("valid");
    open.get(&url).send().await.expect("on the list");
}

#[tokio::test]
async fn the_wire_by_itself_keeps_guard() {
    let server = Server::start("127.0.0.1", 0, KEPT).await;
    let (resolver, _) = resolver(&[&["127.0.0.1"]]);
    let wire = Wire::new(&settings(guard(&[]), Some(resolver))).expect("valid");
    let request = http::Request::get(url(&server)).body(Body::Empty).expect("valid");
    is_refusal(&wire.oneshot(request).await.expect_err("loopback"));
    assert_eq!(server.connections.get(), 0);
}

#[test]
fn a_proxy_beside_a_guard_is_refused_at_once() {
    for url in ["http://proxy.example.com", "socks5://127.0.0.1:1080", "socks5h://127.0.0.1:1080"] {
        let mut settings = settings(guard(&[]), None);
        settings.proxy = Proxy::Url(url.parse().expect("a URL"));
        let error = Client::builder().wire(settings).build().expect_err("it cannot be vetted");
        assert_eq!(error.to_string(), "a guard cannot vet what a proxy connects to", "{url}");
    }
}
