//! The same key does the work once.

use serde_json::json;

use crate::support::{Played, answer};

const ROWS: &str = "
idempotency: { header: Idempotency-Key }
operations:
  rows.create: { post: /rows, input: { name: string! } }
sandbox: { failures: { idempotency: { status: 422 } } }
";

fn create(played: &Played, name: &str) -> reqwest::RequestBuilder {
    played.post("/rows").header("idempotency-key", "k1").json(&json!({ "name": name }))
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer() {
    let played = Played::of(ROWS).await;
    let first = create(&played, "a").send().await.unwrap();
    assert!(!first.headers().contains_key("idempotent-replayed"));
    let again = create(&played, "a").send().await.unwrap();
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(first.text().await.unwrap(), again.text().await.unwrap());
    let counts = played.counts("rows.create");
    assert_eq!((counts.requests, counts.applied, counts.replayed), (2, 1, 1));
}

#[tokio::test]
async fn another_request_with_the_same_key_is_refused() {
    let played = Played::of(ROWS).await;
    assert_eq!(answer(create(&played, "a")).await.0, 200);
    assert_eq!(answer(create(&played, "b")).await.0, 422);
    assert_eq!(played.sandbox.objects("example", "rows").len(), 1);
}

#[tokio::test]
async fn what_was_not_done_is_not_remembered() {
    let played = Played::of(ROWS).await;
    let wrong = played.post("/rows").header("idempotency-key", "k1").json(&json!({}));
    assert_eq!(answer(wrong).await.0, 400);
    assert_eq!(answer(create(&played, "a").header("sandbox-fault", "503")).await.0, 503);
    assert_eq!(answer(create(&played, "a")).await.0, 200);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_given_again() {
    let played = Played::of(ROWS).await;
    assert_eq!(answer(create(&played, "a").header("sandbox-fault", "500; after")).await.0, 500);
    assert_eq!(answer(create(&played, "a")).await, (200, json!({ "id": 1, "name": "a" })));
    assert_eq!(played.counts("rows.create").applied, 1);
}

#[tokio::test]
async fn of_requests_at_the_same_time_one_does_the_work() {
    let played = Played::of(ROWS).await;
    let all = (0..8).map(|_| answer(create(&played, "a")));
    let answers = futures_util::future::join_all(all).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let counts = played.counts("rows.create");
    assert_eq!((counts.applied, counts.replayed), (1, 7));
}
