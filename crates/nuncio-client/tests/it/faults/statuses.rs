//! Failures whose words break off: the status is the word that counts.

use nuncio_client::{Evidence, Kind};
use nuncio_faults::{End, Fault};

use super::{client, get, post, struck};

/// An answer with a status, and less of a body than it says.
fn broken_off(status: &str) -> Fault {
    let says = format!("HTTP/1.1 {status}\r\nretry-after: 0\r\ncontent-length: 99\r\n\r\n{{\"error\":");
    Fault::Blurt { says: says.into(), end: End::Close }
}

#[tokio::test]
async fn a_refusal_whose_body_breaks_off_is_a_refusal() {
    let proxy = struck(&broken_off("422 Unprocessable Content"), 1);
    let error = post(client(&proxy.url())).await.expect_err("refused");
    assert_eq!((error.kind(), error.evidence(), proxy.exchanges()), (Kind::Status, Evidence::Rejected, 1));
    assert_eq!(error.status().map(|status| status.as_u16()), Some(422));
}

#[tokio::test]
async fn a_429_whose_body_breaks_off_is_waited_for() {
    let proxy = struck(&broken_off("429 Too Many Requests"), 1);
    assert_eq!(post(client(&proxy.url())).await.expect("then let in").history.len(), 2);
}

#[tokio::test]
async fn a_503_whose_body_breaks_off_is_repeated_as_a_503() {
    let proxy = struck(&broken_off("503 Service Unavailable"), usize::MAX);
    let error = get(client(&proxy.url())).await.expect_err("every time");
    assert_eq!((error.kind(), error.history().len()), (Kind::Status, 2), "{}", error.report());
}
