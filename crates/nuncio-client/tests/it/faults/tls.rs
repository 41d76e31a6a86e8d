//! Ports that speak TLS, do not, or stop halfway.

use bytes::Bytes;
use nuncio_client::wire::{Proxy as Route, Settings};
use nuncio_client::{Error, Evidence, Kind};
use nuncio_faults::{At, End, Fault};

use super::{SHORT, client, leaves_the_fate_unknown, post, struck};

/// The error of a POST by TLS to a server that does `fault` all the time.
async fn by_tls(fault: Fault) -> Error {
    let proxy = struck(&fault, usize::MAX);
    let mut settings = Settings::default();
    settings.proxy = Route::Direct;
    settings.connect_timeout = SHORT;
    let url = proxy.url().replace("http://", "https://");
    let error = post(client(&url).wire(settings)).await.expect_err("no TLS");
    assert_eq!((error.evidence(), proxy.forwarded()), (Evidence::NeverSent, 0), "{}", error.report());
    error
}

fn says(bytes: &'static [u8], end: End) -> Fault {
    Fault::Blurt { says: Bytes::from_static(bytes), end }
}

/// The beginning of a ServerHello.
const SERVER_HELLO: &[u8] = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03";

#[tokio::test]
async fn a_port_that_speaks_plain_http_to_a_tls_client_is_not_tried_again() {
    let error = by_tls(says(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", End::Close)).await;
    assert_eq!((error.kind(), error.history().len()), (Kind::Connect, 1));
}

#[tokio::test]
async fn a_handshake_that_is_cut_was_never_sent_through() {
    for end in [End::Close, End::Reset] {
        for fault in [
            Fault::Cut { at: At::Connect, end },
            Fault::Cut { at: At::Request(100), end },
            says(SERVER_HELLO, end),
        ] {
            assert_eq!(by_tls(fault).await.kind(), Kind::Connect);
        }
    }
}

#[tokio::test]
async fn a_handshake_that_stalls_uses_up_the_time_to_connect() {
    assert_eq!(by_tls(says(SERVER_HELLO, End::Stall)).await.kind(), Kind::Timeout);
}

/// A TLS alert: unexpected message.
#[tokio::test]
async fn a_tls_port_that_is_spoken_to_in_plain_http_is_no_server() {
    leaves_the_fate_unknown(says(b"\x15\x03\x03\x00\x02\x02\x0a", End::Close), Kind::Connect).await;
}
