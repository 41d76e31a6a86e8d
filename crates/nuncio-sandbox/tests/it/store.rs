//! What is created is stored.

use serde_json::json;

use crate::support::{Played, answer, body, catalog, options};

const ORDERS: &str = "
operations:
  orders.create: { post: /orders, input: { name: string!, amount: integer, metadata: object } }
  orders.get: { get: '/orders/{id}', input: { id: string! } }
  orders.list: { get: /orders, input: { name: string } }
  orders.update: { patch: '/orders/{id}', input: { id: string!, name: string, metadata: object } }
  orders.delete: { delete: '/orders/{id}', input: { id: string! } }
  orders.ship: { post: '/orders/{id}/ship', input: { id: string! }, sandbox: { action: update, set: { status: shipped } } }
  orders.count: { get: /orders/count, sandbox: { action: list, reply: { count: '{{ records | length }}' } } }
sandbox: { resources: { orders: { count: 2, object: { status: open, name: 'Order {{ number }}' } } } }
";

#[tokio::test]
async fn an_object_is_created_read_changed_and_deleted() {
    let played = Played::of(ORDERS).await;
    let created = body(played.post("/orders").json(&json!({ "name": "a", "metadata": { "x": "1" } }))).await;
    assert_eq!(created, json!({ "id": 3, "status": "open", "name": "a", "metadata": { "x": "1" } }));
    let changed = json!({ "name": "b", "metadata": { "y": "2" } });
    body(played.request("PATCH", "/orders/3").json(&changed)).await;
    body(played.post("/orders/3/ship")).await;
    let read = body(played.get("/orders/3")).await;
    assert_eq!(
        read,
        json!({ "id": 3, "status": "shipped", "name": "b", "metadata": { "x": "1", "y": "2" } })
    );
    assert_eq!(body(played.request("DELETE", "/orders/3")).await, json!({ "id": 3, "deleted": true }));
    assert_eq!(answer(played.get("/orders/3")).await.0, 404);
    assert_eq!(played.sandbox.objects("example", "orders").len(), 2);
    assert_eq!(body(played.get("/orders/count")).await, json!({ "count": 2 }));
}

#[tokio::test]
async fn what_was_done_is_counted() {
    let played = Played::of(ORDERS).await;
    body(played.post("/orders").json(&json!({ "name": "a" }))).await;
    answer(played.post("/orders").json(&json!({}))).await;
    body(played.get("/orders")).await;
    let create = played.counts("orders.create");
    assert_eq!((create.requests, create.applied), (2, 1));
    assert_eq!(played.counts("orders.list").records, 3);
    let url = played.url.replace("/example", "/_sandbox/counts");
    let counts: serde_json::Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    assert_eq!(counts["example"]["operations"]["orders.create"]["applied"], 1);
}

#[tokio::test]
async fn inputs_that_are_missing_or_of_another_type_are_refused() {
    let played = Played::of(ORDERS).await;
    for wrong in [json!({}), json!({ "name": null }), json!({ "name": "a", "amount": "many" }), json!([])] {
        assert_eq!(answer(played.post("/orders").json(&wrong)).await.0, 400, "{wrong}");
    }
    assert_eq!(played.sandbox.objects("example", "orders").len(), 2);
}

#[tokio::test]
async fn texts_of_a_form_take_the_described_types() {
    let played = Played::start(options(catalog("stripe"))).await;
    let form = [("amount", "2000"), ("currency", "eur"), ("metadata[order]", "6735")];
    let intent = body(played.post("/v1/payment_intents").form(&form)).await;
    assert_eq!((&intent["amount"], &intent["metadata"]), (&json!(2000), &json!({ "order": "6735" })));
    assert_eq!(intent["object"], "payment_intent");
}

#[tokio::test]
async fn a_body_over_the_bound_is_refused() {
    let played = Played::of(ORDERS).await;
    let large = json!({ "name": "x".repeat(1024 * 1024) });
    let sent = played.post("/orders").json(&large).send().await;
    // The connection may be closed before all of it is written.
    assert!(sent.is_err() || sent.is_ok_and(|answer| answer.status() == 413));
    assert_eq!(played.counts("orders.create").requests, 0);
}

#[tokio::test]
async fn an_object_made_under_a_path_is_seen_only_there() {
    let played = Played::start(options(catalog("github"))).await;
    let issue = played.post("/repos/octo/repo-1/issues").json(&json!({ "title": "crash" }));
    let number = body(issue).await["number"].clone();
    assert_eq!(body(played.get(&format!("/repos/octo/repo-1/issues/{number}"))).await["title"], "crash");
    assert_eq!(answer(played.get(&format!("/repos/octo/repo-2/issues/{number}"))).await.0, 404);
}
