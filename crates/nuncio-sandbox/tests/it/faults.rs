//! Misbehaviour on demand.

use std::time::{Duration, UNIX_EPOCH};

use nuncio_client::Clock;
use nuncio_sandbox::Options;
use serde_json::json;

use crate::support::{Played, answer, body, options, service};

const ROWS: &str = "
errors: { code: error.code, message: error.message }
operations:
  rows.create: { post: /rows, input: { name: string } }
  rows.list: { get: /rows }
sandbox: { headers: { X-Request-Id: 'req_{{ random }}' }, failures: { limit: { code: slow_down } } }
";

#[tokio::test]
async fn a_status_says_what_it_is_told_in_the_service_s_shape() {
    let played = Played::of(ROWS).await;
    let request = |fault: &str| played.post("/rows").header("sandbox-fault", fault);
    let declined = answer(request("402; code=card_declined; message=no money")).await;
    assert_eq!(declined, (402, json!({ "error": { "code": "card_declined", "message": "no money" } })));
    let slow = request("429; retry-after=2").send().await.unwrap();
    assert_eq!((slow.status().as_u16(), &slow.headers()["retry-after"]), (429, &"2".parse().unwrap()));
    assert!(slow.headers().contains_key("x-request-id"));
    assert_eq!(slow.json::<serde_json::Value>().await.unwrap()["error"]["code"], "slow_down");
    assert_eq!(played.counts("rows.create").faulted, 2);
    assert_eq!(played.sandbox.objects("example", "rows").len(), 0);
}

#[tokio::test]
async fn a_limit_is_used_up_until_its_reset_and_what_comes_before_is_counted() {
    let clock = Clock::fixed(UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    let played = Played::start(Options { clock, ..options(service(ROWS)) }).await;
    let refused = played.get("/rows").header("sandbox-fault", "403; reset=5; times=1").send().await.unwrap();
    let told =
        ["x-ratelimit-remaining", "x-ratelimit-reset"].map(|name| refused.headers()[name].to_str().unwrap());
    assert_eq!((refused.status().as_u16(), told), (403, ["0", "1800000005"]));
    body(played.get("/rows")).await;
    body(played.post("/rows")).await;
    assert_eq!(["rows.list", "rows.create"].map(|operation| played.counts(operation).early), [1, 0]);
}

#[tokio::test]
async fn the_work_is_done_when_only_the_answer_is_lost() {
    let played = Played::of(ROWS).await;
    assert_eq!(answer(played.post("/rows").header("sandbox-fault", "500; after")).await.0, 500);
    let reset = played.post("/rows").header("sandbox-fault", "reset; after").send().await;
    assert!(reset.is_err());
    assert_eq!(played.counts("rows.create").applied, 2);
}

#[tokio::test]
async fn a_reset_closes_the_connection_without_an_answer() {
    let played = Played::of(ROWS).await;
    let error = played.post("/rows").header("sandbox-fault", "reset").send().await.unwrap_err();
    assert!(error.is_request(), "{error:?}");
    assert_eq!(played.counts("rows.create").applied, 0);
}

#[tokio::test]
async fn a_truncated_answer_has_its_head_and_half_of_its_body() {
    let played = Played::of(ROWS).await;
    body(played.post("/rows").json(&json!({ "name": "x".repeat(100) }))).await;
    let cut = played.get("/rows").header("sandbox-fault", "truncate").send().await.expect("a head");
    assert_eq!(cut.status(), 200);
    let error = cut.bytes().await.unwrap_err();
    assert!(error.is_body() || error.is_decode(), "{error:?}");
}

#[tokio::test]
async fn a_fault_of_the_options_strikes_on_its_turn() {
    let faults = vec!["503:every=3,on=rows.list".parse().unwrap(), "delay=1ms".parse().unwrap()];
    let played = Played::start(Options { faults, ..options(service(ROWS)) }).await;
    for expected in [200, 200, 503, 200, 200, 503] {
        assert_eq!(answer(played.get("/rows")).await.0, expected);
    }
    body(played.post("/rows")).await;
}

#[tokio::test]
async fn a_wrong_fault_of_a_header_is_refused_with_what_is_known() {
    let played = Played::of(&format!("{ROWS}\n").replace("limit:", "input: { status: 200 }, limit:")).await;
    for (fault, known) in [
        ("explode", "write a status from 400 to 599, reset"),
        ("503; often", "write every=, rate=, times="),
        ("503; on=rows.lost", "there are: rows.create, rows.list"),
    ] {
        let (status, why) = answer(played.get("/rows").header("sandbox-fault", fault)).await;
        let message = why["message"].as_str().expect("a message");
        assert_eq!(status, 400, "{fault}");
        assert!(message.starts_with("Sandbox-Fault: ") && message.contains(known), "{fault}: {message}");
    }
}
