//! Webhooks in.

use nuncio_gateway::Options;
use nuncio_relay::store::{DocumentKind, EventQuery};
use serde_json::json;

use crate::support::{SECRET, Served, document, endpoint, source, until};

const EVENT: &str = r#"{"id":"evt_made_up","type":"charge.failed"}"#;

#[tokio::test]
async fn a_signed_webhook_is_stored_acknowledged_and_delivered() {
    let served =
        Served::start(Options::default(), vec![source("shop", "stripe"), endpoint("ours", "source/shop")])
            .await;
    assert_eq!(served.stripe("shop", EVENT, SECRET).await.status(), 200);
    let events = served.store.events(EventQuery { limit: 10, ..EventQuery::default() }).await.unwrap();
    assert_eq!(events.items.len(), 1);
    assert_eq!(events.items[0].event_type, "charge.failed");
    let stored = served.store.event(events.items[0].id).await.unwrap().unwrap();
    assert_eq!(stored.body, EVENT);
    until(async || served.delivered.all() == [("ours".to_owned(), stored.id)]).await;
    let counted = r#"nuncio_delivery_attempts_total{endpoint="ours",outcome="taken"} 1"#;
    until(async || served.get("/metrics").send().await.unwrap().text().await.unwrap().contains(counted))
        .await;
}

#[tokio::test]
async fn a_webhook_that_comes_again_is_acknowledged_and_not_stored_again() {
    let served = Served::start(Options::default(), vec![source("shop", "stripe")]).await;
    for _ in 0..2 {
        assert_eq!(served.stripe("shop", EVENT, SECRET).await.status(), 200);
    }
    assert_eq!(served.store.stats().await.unwrap().events, 1);
    let metrics = served.get("/metrics").send().await.unwrap().text().await.unwrap();
    assert!(
        metrics.contains(r#"nuncio_inbound_requests_total{source="shop",outcome="duplicate"} 1"#),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_wrong_signature_is_refused_and_counted() {
    let served = Served::start(Options::default(), vec![source("shop", "stripe")]).await;
    assert_eq!(served.stripe("shop", EVENT, "made-up-other-secret").await.status(), 401);
    let metrics = served.get("/metrics").send().await.unwrap().text().await.unwrap();
    assert!(
        metrics.contains(r#"nuncio_inbound_requests_total{source="shop",outcome="refused"} 1"#),
        "{metrics}"
    );
}

#[tokio::test]
async fn nothing_is_taken_for_a_source_that_is_not_set_up() {
    let served = Served::start(Options::default(), vec![source("shop", "stripe")]).await;
    assert_eq!(served.stripe("nobody", EVENT, SECRET).await.status(), 404);
    let metrics = served.get("/metrics").send().await.unwrap().text().await.unwrap();
    assert!(!metrics.contains("nobody"), "{metrics}");
}

#[tokio::test]
async fn a_provider_that_asks_by_get_is_answered() {
    let meta = json!({
        "scheme": "meta", "secrets": { "current": SECRET }, "settings": { "verify_token": "made-up-verify-token" },
    });
    let served = Served::start(Options::default(), vec![document(DocumentKind::Source, "pages", meta)]).await;
    let ask = |token: &str| {
        let path = format!("/in/pages?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1158201444");
        served.get(&path).send()
    };
    let answer = ask("made-up-verify-token").await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert_eq!(answer.text().await.unwrap(), "1158201444");
    assert_eq!(ask("made-up-other-token").await.unwrap().status(), 401);
}
