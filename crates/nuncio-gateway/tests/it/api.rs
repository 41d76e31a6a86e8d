//! The API: what is set up, stored and owed.

use nuncio_client::Secret;
use nuncio_gateway::Options;
use nuncio_relay::store::{Document, DocumentKind};
use serde_json::{Value, json};

use crate::support::{ENDPOINT_SECRET, SECRET, Served, document, endpoint, source, until};

const EVENT: &str = r#"{"id":"evt_made_up","type":"charge.failed"}"#;

async fn serve() -> Served {
    let application = document(DocumentKind::Application, "acme", json!({}));
    let told = endpoint("told", "application/acme");
    Served::start(Options::default(), vec![source("shop", "stripe"), application, told]).await
}

async fn json_of(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect(&text) })
}

#[tokio::test]
async fn an_event_that_is_told_of_is_stored_and_delivered() {
    let served = serve().await;
    let event = json!({ "application": "acme", "type": "invoice.paid", "payload": { "amount": 1.10 } });
    let (status, published) = json_of(served.post("/v1/events").json(&event)).await;
    assert_eq!((status, &published["is_repeat"]), (201, &json!(false)), "{published}");
    until(async || served.delivered.all().len() == 1).await;
    let id = published["id"].as_str().unwrap();
    let (_, stored) = json_of(served.get(&format!("/v1/events/{id}"))).await;
    assert_eq!(stored["body"], r#"{"amount":1.1}"#);
    until(async || json_of(served.get("/v1/deliveries?state=delivered")).await.1["items"][0]["event"] == id)
        .await;
}

#[tokio::test]
async fn the_same_key_is_the_same_event_and_another_body_a_conflict() {
    let served = serve().await;
    let tell = |amount: u32| {
        let event = json!({ "application": "acme", "type": "invoice.paid", "payload": amount });
        json_of(served.post("/v1/events").header("Idempotency-Key", "made-up-key").json(&event))
    };
    let (first, second) = (tell(1).await, tell(1).await);
    assert_eq!((first.0, second.0), (201, 200));
    assert_eq!((&first.1["id"], &second.1["is_repeat"]), (&second.1["id"], &json!(true)));
    let (status, problem) = tell(2).await;
    assert_eq!((status, &problem["code"]), (409, &json!("key_reused")));
}

#[tokio::test]
async fn each_event_of_a_batch_is_taken_or_not_for_itself() {
    let served = serve().await;
    let event = |application: &str| json!({ "application": application, "type": "a", "payload": null });
    let batch = json!({ "events": [event("acme"), event("nobody"), event("acme")] });
    let (status, answer) = json_of(served.post("/v1/events/batch").json(&batch)).await;
    assert_eq!((status, &answer["results"][1]["code"]), (200, &json!("no_application")), "{answer}");
    assert!(answer["results"][0]["id"].is_string() && answer["results"][2]["id"].is_string());
    assert_eq!(served.store.stats().await.unwrap().events, 2);
}

#[tokio::test]
async fn pages_lead_through_all_events_both_ways() {
    let served = serve().await;
    for number in 0..5 {
        let event = json!({ "application": "acme", "type": format!("n.{number}"), "payload": number });
        assert_eq!(json_of(served.post("/v1/events").json(&event)).await.0, 201);
    }
    for (order, expected) in
        [("newest", ["n.4", "n.3", "n.2", "n.1", "n.0"]), ("oldest", ["n.0", "n.1", "n.2", "n.3", "n.4"])]
    {
        let (mut types, mut cursor) = (Vec::new(), String::new());
        while types.len() < 5 {
            let (_, page) = json_of(served.get(&format!("/v1/events?limit=2&order={order}{cursor}"))).await;
            types.extend(page["items"].as_array().unwrap().iter().map(|event| event["type"].clone()));
            cursor = format!("&cursor={}", page["next"].as_str().unwrap_or_default());
        }
        assert_eq!(types, expected, "{order}");
    }
}

#[tokio::test]
async fn a_delivery_is_sent_again_when_asked() {
    let served = serve().await;
    let event = json!({ "application": "acme", "type": "a", "payload": null });
    let id = json_of(served.post("/v1/events").json(&event)).await.1["id"].as_str().unwrap().to_owned();
    until(async || served.delivered.all().len() == 1).await;
    until(async || json_of(served.get("/v1/deliveries?state=delivered")).await.1["items"][0]["event"] == *id)
        .await;
    let (status, resent) = json_of(served.post(&format!("/v1/events/{id}/resend"))).await;
    assert_eq!((status, &resent["count"]), (202, &json!(1)));
    until(async || served.delivered.all().len() == 2).await;
}

#[tokio::test]
async fn nothing_goes_to_an_endpoint_that_is_disabled_until_it_is_enabled() {
    let served = serve().await;
    assert_eq!(json_of(served.post("/v1/endpoints/told/disable")).await.0, 204);
    let event = json!({ "application": "acme", "type": "a", "payload": null });
    assert_eq!(json_of(served.post("/v1/events").json(&event)).await.0, 201);
    let (_, told) = json_of(served.get("/v1/endpoints/told")).await;
    assert_eq!(told["status"]["disabled_because"], "by the API");
    assert!(served.delivered.all().is_empty());
    assert_eq!(json_of(served.post("/v1/endpoints/told/enable")).await.0, 204);
    until(async || served.delivered.all().len() == 1).await;
}

#[tokio::test]
async fn what_is_read_can_be_written_back_and_keeps_its_secrets() {
    let served = serve().await;
    let (_, before) = json_of(served.get("/v1/sources/shop")).await;
    assert_eq!(before["settings"]["secrets"]["current"], "***");
    let (status, _) =
        json_of(served.client.put(format!("{}/v1/sources/shop", served.url)).json(&before["settings"])).await;
    assert_eq!(status, 200);
    assert_eq!(served.stripe("shop", EVENT, SECRET).await.status(), 200);
}

#[tokio::test]
async fn a_source_that_is_set_up_by_the_api_receives_at_once() {
    let served = serve().await;
    let put = |scheme: &str| {
        let settings = json!({ "scheme": scheme, "secrets": { "current": SECRET } });
        json_of(served.client.put(format!("{}/v1/sources/other", served.url)).json(&settings))
    };
    assert_eq!(put("nobody").await.0, 422);
    assert_eq!(served.stripe("other", EVENT, SECRET).await.status(), 404);
    assert_eq!(put("stripe").await.0, 201);
    assert_eq!(served.stripe("other", EVENT, SECRET).await.status(), 200);
    assert_eq!(json_of(served.client.delete(format!("{}/v1/sources/other", served.url))).await.0, 204);
    assert_eq!(served.stripe("other", EVENT, SECRET).await.status(), 404);
}

#[tokio::test]
async fn what_the_file_says_only_the_file_changes() {
    let managed = Document { from_file: true, ..source("shop", "stripe") };
    let served = Served::start(Options::default(), vec![managed]).await;
    let url = format!("{}/v1/sources/shop", served.url);
    let settings = json!({ "scheme": "stripe", "secrets": { "current": SECRET } });
    let (status, problem) = json_of(served.client.put(&url).json(&settings)).await;
    assert_eq!((status, &problem["code"]), (409, &json!("managed_by_file")));
    assert!(problem["detail"].as_str().unwrap().contains("config file"), "{problem}");
    assert_eq!(json_of(served.client.delete(&url)).await.0, 409);
    assert_eq!(json_of(served.get("/v1/sources/shop")).await.1["managed_by"], "file");
}

#[tokio::test]
async fn a_secret_rotates_with_an_overlap() {
    let served = serve().await;
    let secrets = async || {
        let documents = served.store.documents().await.unwrap();
        let told = documents.all.iter().find(|document| document.name == "told").unwrap();
        told.value["to"]["http"]["secrets"].as_array().unwrap().clone()
    };
    let (status, added) = json_of(served.post("/v1/endpoints/told/secrets")).await;
    assert_eq!(status, 201);
    assert!(added["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(secrets().await, [added["secret"].clone(), json!(ENDPOINT_SECRET)]);
    let (status, _) =
        json_of(served.client.delete(format!("{}/v1/endpoints/told/secrets", served.url))).await;
    assert_eq!(status, 204);
    assert_eq!(secrets().await, [added["secret"].clone()]);

    let rotate = async |given| {
        json_of(served.post("/v1/endpoints/told/secrets").json(&given)).await.1["secret"].clone()
    };
    let second = rotate(json!({ "overlap": "0s" })).await;
    assert_eq!(secrets().await, [second.clone(), added["secret"].clone()]);
    // What is over is dropped by the next.
    let third = rotate(json!({})).await;
    assert_eq!(secrets().await, [third, second]);
}

#[tokio::test]
async fn a_token_may_do_what_its_scopes_say() {
    let bootstrap = "made-up-bootstrap-token";
    let options = Options { bootstrap_token: Some(Secret::new(bootstrap)), ..Options::default() };
    let served = Served::start(options, vec![source("shop", "stripe")]).await;
    assert_eq!(json_of(served.get("/v1/sources")).await.0, 401);
    assert_eq!(json_of(served.get("/v1/sources").bearer_auth("made-up-other-token")).await.0, 401);
    let make = |scopes: Value| {
        let name = scopes[0].as_str().unwrap().to_owned();
        json_of(
            served.post("/v1/tokens").bearer_auth(bootstrap).json(&json!({ "name": name, "scopes": scopes })),
        )
    };
    let mut made = Vec::new();
    for scope in ["read", "publish", "write"] {
        let (status, created) = make(json!([scope])).await;
        assert_eq!(status, 201);
        made.push(created["token"].as_str().unwrap().to_owned());
    }
    let event = json!({ "application": "nobody", "type": "a", "payload": null });
    // Which of them may read, tell, change and rule: 403 says no, and whatever else is no matter of tokens.
    for (token, expected) in made.iter().zip([
        [true, false, false, false],
        [false, true, false, false],
        [false, false, true, false],
    ]) {
        let asked = [
            served.get("/v1/sources"),
            served.post("/v1/events").json(&event),
            served.post("/v1/endpoints/nobody/enable"),
            served.get("/v1/tokens"),
        ];
        for (request, expected) in asked.into_iter().zip(expected) {
            assert_eq!(json_of(request.bearer_auth(token)).await.0 != 403, expected);
        }
    }
    // Webhooks prove who they are by themselves.
    assert_eq!(served.stripe("shop", EVENT, SECRET).await.status(), 200);
    let stored = format!("{:?}", served.store.documents().await.unwrap());
    assert!(made.iter().all(|token| !stored.contains(token)), "a token is stored");
}

#[tokio::test]
async fn nothing_secret_is_in_any_answer() {
    let telegram = json!({ "scheme": "gitlab", "secrets": { "current": SECRET } });
    let mut endpoint = endpoint("ours", "source/bot");
    endpoint.value["to"]["http"]["headers"] = json!({ "x-key": "made-up-header-canary" });
    let documents = vec![document(DocumentKind::Source, "bot", telegram), source("shop", "stripe"), endpoint];
    let served = Served::start(Options::default(), documents).await;
    // This provider sends the secret itself.
    let sent = served.post("/in/bot").header("X-Gitlab-Token", SECRET).body(r#"{"object_kind":"push"}"#);
    assert_eq!(sent.send().await.unwrap().status(), 200);
    // Sent to the wrong source, it is refused and kept.
    let sent = served.post("/in/shop").header("X-Gitlab-Token", SECRET).body("{}");
    assert_eq!(sent.send().await.unwrap().status(), 401);
    let (_, events) = json_of(served.get("/v1/events?origin=source/bot")).await;
    let event = format!("/v1/events/{}", events["items"][0]["id"].as_str().unwrap());
    let paths = [
        "/v1/sources",
        "/v1/sources/bot",
        "/v1/endpoints",
        "/v1/endpoints/ours",
        "/v1/sources/shop/refused",
        "/v1/events",
        "/v1/deliveries",
        "/v1/tokens",
        "/v1/stats",
        "/metrics",
        &event,
    ];
    for path in paths {
        let response = served.get(path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let text = response.text().await.unwrap();
        for secret in [SECRET, ENDPOINT_SECRET, "made-up-header-canary"] {
            assert!(!text.contains(secret), "{path}: {text}");
        }
    }
    let bad = json!({ "scheme": "stripe", "secrets": { "current": [SECRET] } });
    let (status, problem) =
        json_of(served.client.put(format!("{}/v1/sources/bad", served.url)).json(&bad)).await;
    assert_eq!(status, 422);
    assert!(!problem.to_string().contains(SECRET), "{problem}");
}

#[tokio::test]
async fn what_is_wrong_is_told_as_a_problem() {
    let served = serve().await;
    let json = "application/json";
    let asked = [
        (served.get("/v1/events?limit=0"), 400),
        (served.get("/v1/events?colour=red"), 400),
        (served.get("/v1/events?cursor=here"), 400),
        (served.get("/v1/events?cursor=%2B7"), 400),
        (served.get("/v1/endpoints?cursor=a%20b"), 400),
        (served.get("/v1/events/evt_no"), 404),
        (served.get("/v1/deliveries/7"), 404),
        (served.get("/v1/nothing"), 404),
        (served.client.patch(format!("{}/v1/events", served.url)), 405),
        (served.post("/v1/events").header("content-type", json).body("{"), 400),
        (served.post("/v1/events").header("content-type", json).body("{}"), 422),
        (served.post("/v1/events").header("content-type", json).body(r#" ["acme", "a", 1, null]"#), 422),
        (served.post("/v1/events/batch").json(&json!({ "events": [["acme", "a", null, null]] })), 422),
        (
            served
                .post("/v1/events/batch")
                .json(&json!({ "events": [{ "application": "", "type": "a", "payload": 1 }] })),
            422,
        ),
        (
            served
                .post("/v1/events")
                .json(&json!({ "application": "acme", "type": "a\u{85}", "payload": 1 })),
            422,
        ),
        (
            served
                .client
                .put(format!("{}/v1/sources/other", served.url))
                .json(&json!({ "scheme": "stripe", "secrets": {}, "dedupe": [null, "1d"] })),
            422,
        ),
        (served.post("/v1/replays").json(&json!({ "endpoint": "nobody" })), 404),
        (served.post("/v1/events").header("content-type", "text/plain").body("{}"), 415),
        (served.get("/v1/events").header("origin", "https://elsewhere.example.test"), 401),
    ];
    for (request, expected) in asked {
        let request = request.build().unwrap();
        let what = format!("{} {}", request.method(), request.url());
        let response = served.client.execute(request).await.unwrap();
        assert_eq!(response.status(), expected, "{what}");
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{what}");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["status"], expected, "{what}");
    }
}
