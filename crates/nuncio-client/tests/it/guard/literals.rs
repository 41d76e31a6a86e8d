//! Addresses in URLs, in every spelling that somebody understands.

use http::Uri;
use nuncio_client::wire::Wire;
use nuncio_client::{Body, Kind};
use tower::ServiceExt as _;

use super::{KEPT, Server, client, guard, is_refusal, settings};

/// 127.0.0.1 to the URL parser (WHATWG URL, section 3.5).
const LOOPBACK: [&str; 18] = [
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0X7F.0x0.0X0.0x1",
    "0x7f.1",
    "017700000001",
    "0177.0.0.1",
    "0177.0.0x1",
    "00000177.00.00.01",
    "127.0x000000001",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "127。0。0。1",
    "①②⑦.⓪.⓪.①",
    "user:word@127.0.0.1",
];

/// Addresses that are not public to the URL parser.
const OTHERS: [&str; 24] = [
    "0",
    "0.0.0.0",
    "0x0",
    "10.1",
    "167772161",
    "012.1.1.1",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "192.168.257",
    "4294967295",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::FFFF:7F00:1]",
    "[0:0:0:0:0:ffff:169.254.169.254]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fd00:ec2::254]",
];

#[tokio::test]
async fn an_address_that_is_not_public_is_refused_however_it_is_spelled() {
    let server = Server::start("127.0.0.1", 0, KEPT).await;
    let closed = client(guard(&[]), None).build().expect("valid");
    for host in LOOPBACK.iter().chain(&OTHERS) {
        let url = format!("http://{host}:{}/", server.port);
        let error = closed.get(&url).send().await.expect_err(host);
        is_refusal(&error);
        assert_eq!(error.history().len(), 1, "{host}");
    }
    assert_eq!(server.connections.get(), 0);
}

#[tokio::test]
async fn an_address_on_the_list_is_called_however_it_is_spelled() {
    let server = Server::start("127.0.0.1", 0, KEPT).await;
    for host in LOOPBACK {
        let open = client(guard(&["127.0.0.1/32"]), None).build().expect("valid");
        open.get(format!("http://{host}:{}/", server.port)).send().await.expect(host);
    }
    assert_eq!(server.connections.get(), LOOPBACK.len());
}

/// A request need not come from the URL parser. What is no address to HTTP may be one to the resolver of the system.
#[tokio::test]
async fn an_address_that_only_the_system_understands_is_refused_as_the_answer_of_its_resolver() {
    let server = Server::start("127.0.0.1", 0, KEPT).await;
    let wire = Wire::new(&settings(guard(&[]), None)).expect("valid");
    for host in ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]"] {
        let uri: Uri = format!("http://{host}:{}/", server.port).parse().expect(host);
        let request = http::Request::get(uri).body(Body::Empty).expect("valid");
        is_refusal(&wire.clone().oneshot(request).await.expect_err(host));
    }
    assert_eq!(server.connections.get(), 0);
}

#[tokio::test]
async fn an_address_with_a_zone_is_no_url() {
    let open = client(guard(&["fe80::/10"]), None).build().expect("valid");
    for host in ["[fe80::1%25lo]", "[fe80::1%lo]", "[::1%251]"] {
        let error = open.get(format!("http://{host}/")).send().await.expect_err(host);
        assert_eq!(error.kind(), Kind::Configuration, "{host}: {}", error.report());
    }
}
