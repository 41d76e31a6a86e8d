//! What goes wrong on the wire, one kind of fault a test: the right kind of error, repeated only where that is safe, in bounded time and
//! memory.

mod answers;
mod connections;
mod deep_json;
mod encodings;
mod names;
mod pages;
mod statuses;
mod tls;

use std::num::NonZeroU32;
use std::time::Duration;

use http::HeaderName;
use nuncio_client::retry::{Backoff, Jitter, Policy};
use nuncio_client::{Answer, Builder, Client, Error, Evidence, Kind};
use nuncio_faults::{Fault, Origin, Proxy};

const ANSWER: &str = r#"{"id":7,"name":"Ada","note":"something to break off in the middle of"}"#;

/// Bound on bodies in these tests.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// Time for an attempt that is meant to run out of it.
const SHORT: Duration = Duration::from_millis(300);

/// Two attempts, close upon each other.
fn client(url: &str) -> Builder {
    let millisecond = Duration::from_millis(1);
    let backoff = Backoff { base: millisecond, max: millisecond, jitter: Jitter::None };
    let attempts = NonZeroU32::new(2).expect("not zero");
    Client::builder().base_url(url).max_body_bytes(MAX_BODY_BYTES).retry(Policy {
        attempts,
        backoff,
        ..Policy::default()
    })
}

/// A proxy that strikes the first `times` exchanges.
fn struck(fault: &Fault, times: usize) -> Proxy {
    let fault = fault.clone();
    let plan = move |exchange| (exchange < times).then(|| fault.clone());
    Proxy::start(Origin::Json(ANSWER.into()), plan).expect("a free port")
}

async fn get(builder: Builder) -> Result<Answer, Error> {
    builder.build().expect("valid").get("/x").send().await
}

async fn post(builder: Builder) -> Result<Answer, Error> {
    builder.build().expect("valid").post("/x").json(&serde_json::json!({"name": "Ada"})).send().await
}

/// It does no harm: the first answer is the right one.
async fn is_harmless(fault: Fault) {
    let proxy = struck(&fault, 1);
    let answer =
        get(client(&proxy.url())).await.unwrap_or_else(|error| panic!("{fault:?}: {}", error.report()));
    assert_eq!((&answer.body[..], answer.history.len()), (ANSWER.as_bytes(), 1), "{fault:?}");
}

/// What the server did is unknown: a GET is repeated, a POST only with a key.
async fn leaves_the_fate_unknown(fault: Fault, kind: Kind) {
    let patient = |proxy: &Proxy| client(&proxy.url()).timeout(SHORT);

    let proxy = struck(&fault, 1);
    let answer = get(patient(&proxy)).await.unwrap_or_else(|error| panic!("{fault:?}: {}", error.report()));
    assert_eq!((&answer.body[..], answer.history.len()), (ANSWER.as_bytes(), 2), "{fault:?}");

    let proxy = struck(&fault, usize::MAX);
    let error = get(patient(&proxy)).await.expect_err("every attempt is struck");
    assert_eq!((error.kind(), error.history().len()), (kind, 2), "{fault:?}: {}", error.report());
    assert!(error.to_string().contains("gave up after 2 attempts"), "{fault:?}: {error}");

    let proxy = struck(&fault, 1);
    let error = post(patient(&proxy)).await.expect_err("once, and never again");
    let told = (error.kind(), error.evidence(), proxy.exchanges());
    assert_eq!(told, (kind, Evidence::Unknown, 1), "{fault:?}: {}", error.report());

    let proxy = struck(&fault, 1);
    let keyed = patient(&proxy).idempotency_header(HeaderName::from_static("idempotency-key"));
    let answer = post(keyed).await.unwrap_or_else(|error| panic!("{fault:?}: {}", error.report()));
    assert_eq!(answer.history.len(), 2, "{fault:?}");
}

/// Another attempt would come to the same: none is made.
async fn is_final(fault: Fault, kind: Kind) -> Error {
    let proxy = struck(&fault, usize::MAX);
    let error = get(client(&proxy.url())).await.expect_err("a failure");
    assert_eq!((error.kind(), proxy.exchanges()), (kind, 1), "{fault:?}: {}", error.report());
    error
}
