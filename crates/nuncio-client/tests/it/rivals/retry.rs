//! Whether a failed attempt is repeated.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use nuncio_client::auth::Auth;
use nuncio_client::retry::{Backoff, Policy};
use nuncio_client::{Body, Client, Error, Evidence, Kind, Random};
use tokio::time::Instant;

use super::*;

fn octets() -> HeaderValue {
    HeaderValue::from_static("application/octet-stream")
}

// reqwest-retry: 501 and 505 are retried like any 5xx.
#[tokio::test(start_paused = true)]
async fn a_status_that_another_attempt_cannot_change_is_final() {
    for status in [400, 403, 404, 409, 410, 422, 501, 505] {
        let (builder, log) = serve(move |_, _| answer(status, &[], ""));
        let error = builder.build().expect("valid").get("/x").send().await.expect_err("a failure");
        assert_eq!((error.status().map(|status| status.as_u16()), log.len()), (Some(status), 1));
    }
}

// reqwest-retry, reqwest-middleware: a request with a streaming body fails before its first attempt.
#[tokio::test(start_paused = true)]
async fn a_body_that_is_read_once_is_sent_once() {
    let (builder, log) = serve(|_, _| ok("{}"));
    let once = Body::once(futures_util::stream::iter([Ok("abc".into()), Ok("def".into())]));
    builder.build().expect("valid").put("/x").body(once, octets()).send().await.expect("sent");
    assert_eq!(log.map(|seen| seen.request.body().clone()), ["abcdef"]);
}

// octocrab: a body that is not in memory goes out empty in the second attempt.
#[tokio::test(start_paused = true)]
async fn a_body_that_is_spent_is_never_repeated_as_an_empty_one() {
    let (builder, log) = serve(|_, _| answer(503, &[], ""));
    let once = Body::once(futures_util::stream::iter([Ok("abc".into())]));
    let error = builder.build().expect("valid").put("/x").body(once, octets()).send().await;
    let report = error.expect_err("no second attempt").report();
    assert!(report.contains("sent only once"), "{report}");
    assert_eq!(log.map(|seen| seen.request.body().clone()), ["abc"]);
}

// octocrab, reqwest-middleware: multipart and file bodies cannot be retried.
#[tokio::test(start_paused = true)]
async fn a_body_that_can_be_made_anew_goes_out_whole_in_every_attempt() {
    let (builder, log) = serve(|n, _| answer([503, 200][n], &[], ""));
    let replay = Body::replay(|| futures_util::stream::iter([Ok("abc".into()), Ok("def".into())]));
    builder.build().expect("valid").put("/x").body(replay, octets()).send().await.expect("second time lucky");
    assert_eq!(log.map(|seen| seen.request.body().clone()), ["abcdef", "abcdef"]);
}

// octocrab: 5xx are retried without any wait.
#[tokio::test(start_paused = true)]
async fn a_server_in_trouble_is_given_time() {
    let (builder, log) = serve(|_, _| answer(500, &[], ""));
    builder.build().expect("valid").get("/x").send().await.expect_err("never gets well");
    assert_eq!(log.gaps(), [1, 2, 4, 8].map(|seconds| seconds * SECOND));
}

// restish: the comment says ±25 % of jitter, the code does ±50 %. Added jitter is never early, and adds less than the base.
#[tokio::test(start_paused = true)]
async fn jitter_keeps_to_what_is_documented() {
    for seed in 0..50 {
        let (builder, log) = serve(|n, _| answer([500, 200][n], &[], ""));
        let policy = Policy { backoff: Backoff::default(), ..Policy::default() };
        let client = builder.retry(policy).random(Random::seeded(seed)).build().expect("valid");
        client.get("/x").send().await.expect("second time lucky");
        assert!((SECOND..=2 * SECOND).contains(&log.gaps()[0]), "{:?}", log.gaps());
    }
}

// Azure, Kiota, Fern, Speakeasy, Stainless: a POST without a key is replayed on 5xx; kittycad.rs#1042: jobs billed four times.
#[tokio::test(start_paused = true)]
async fn a_post_without_a_key_is_not_replayed_on_5xx() {
    for status in [500, 502, 503, 504] {
        // An edge that gives up on a stalled origin says Retry-After too: no proof of rejection (kortix-ai/suna#6628).
        let (builder, log) = serve(move |_, _| answer(status, &[("retry-after", "1")], ""));
        let error = builder.build().expect("valid").post("/jobs").send().await.expect_err("a failure");
        assert_eq!((error.evidence(), log.len()), (Evidence::Unknown, 1), "{status}");
    }
}

// gocardless-pro-python#12, woocommerce-square#106: a new key for each attempt defeats the key.
#[tokio::test(start_paused = true)]
async fn a_post_with_a_key_is_replayed_with_the_same_key() {
    let (builder, log) = serve(|n, _| answer([502, 500, 200][n], &[], ""));
    let client = builder.idempotency_header(HeaderName::from_static("idempotency-key"));
    client.build().expect("valid").post("/jobs").send().await.expect("third time lucky");
    let keys = log.map(|seen| seen.request.headers()["idempotency-key"].clone());
    assert!(keys.len() == 3 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

// axios-retry#66, ky#692: nobody separates "never sent" from "maybe processed".
#[tokio::test(start_paused = true)]
async fn a_post_that_never_left_is_repeated() {
    let failed = Arc::new(AtomicBool::new(false));
    let transport = tower::service_fn(move |_: Request| {
        let first = !failed.swap(true, Ordering::Relaxed);
        let refused = Error::new(Kind::Connect, "nothing listens").evidence_is(Evidence::NeverSent);
        std::future::ready(if first { Err(refused) } else { Ok(ok("{}")) })
    });
    let client = Client::builder().base_url("https://api.example.com").transport(transport).build();
    let answer = client.expect("valid").post("/jobs").send().await.expect("second time lucky");
    assert_eq!(answer.history.len(), 2);
}

// gemini-cli#10925: a 429 that means an exhausted daily quota is retried for minutes in silence.
#[tokio::test(start_paused = true)]
async fn an_exhausted_quota_is_not_knocked_at() {
    let (builder, log) = serve(|_, _| answer(429, &[], r#"{"error":{"code":"daily_quota"}}"#));
    let quota = |answer: &nuncio_client::Answer| answer.body.windows(11).any(|part| part == b"daily_quota");
    let policy = Policy { quota: Some(Arc::new(quota)), ..Policy::default() };
    let error = builder.retry(policy).build().expect("valid").get("/x").send().await.expect_err("no quota");
    assert_eq!((error.kind(), log.len()), (Kind::Limit, 1));
    assert!(error.report().contains("quota"), "{}", error.report());
}

// Airbyte: no timeout by default, and a `timeout_seconds` that does nothing (airbyte-python-cdk#1148).
#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_not_waited_for_without_end() {
    let silent = tower::service_fn(|_: Request| std::future::pending());
    let client = Client::builder().base_url("https://api.example.com").transport(silent);
    let (client, start) = (client.build().expect("valid"), Instant::now());
    let error = client.post("/x").send().await.expect_err("no answer");
    assert_eq!((error.kind(), start.elapsed()), (Kind::Timeout, 30 * SECOND));

    let (start, error) = (Instant::now(), client.get("/x").send().await.expect_err("no answer"));
    assert!(start.elapsed() <= 600 * SECOND, "{:?}, {error}", start.elapsed());
}

// stripe-cli: `--dry-run` prints tokens shorter than 12 characters whole.
#[tokio::test]
async fn a_preview_shows_nothing_of_a_secret_however_short() {
    let (builder, log) = serve(|_, _| ok("{}"));
    let client = builder.auth(Auth::bearer("q9Zx".to_owned().into())).build().expect("valid");
    let preview = client.get("/x").preview().expect("a request");
    assert!(preview.headers().contains_key("authorization"));
    assert!(!format!("{preview:?}{:?}", preview.headers()["authorization"].as_bytes()).contains("q9Zx"));
    assert!(!String::from_utf8_lossy(preview.headers()["authorization"].as_bytes()).contains("q9Zx"));
    assert_eq!(log.len(), 0);
}

// Airbyte: `JsonDecoder` yields `{}` for whatever it cannot parse.
#[tokio::test(start_paused = true)]
async fn what_is_not_json_is_not_an_empty_object() {
    let (builder, _) =
        serve(|_, _| answer(200, &[(CONTENT_TYPE.as_str(), "text/html")], "<h1>Maintenance</h1>"));
    let answer = builder.build().expect("valid").get("/x").send().await.expect("200");
    let error = answer.json::<serde_json::Value>().expect_err("no JSON");
    assert_eq!(error.kind(), Kind::Decode);
    assert!(error.report().contains("Maintenance"), "{}", error.report());
}
