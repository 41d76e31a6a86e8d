//! The GraphQL endpoint answers what described operations ask for.

use serde_json::{Value, json};

use crate::support::{self, Played, body};

async fn example() -> (Played, String) {
    let played = Played::start(support::example()).await;
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "made-up-token"),
        ("client_secret", "made-up-token"),
    ];
    let token = body(played.anonymous_post("/oauth/token").form(&form)).await;
    (played, token["access_token"].as_str().expect("a token").to_owned())
}

async fn ask((played, token): &(Played, String), query: &str, variables: Value) -> Value {
    let request = json!({ "query": query, "variables": variables });
    body(played.anonymous_post("/graphql").bearer_auth(token).json(&request)).await
}

#[tokio::test]
async fn an_object_has_the_fields_that_are_asked_for() {
    let example = example().await;
    let answer = ask(
        &example,
        "query($who: ID!) { them: user(id: $who) { email number: id } }",
        json!({ "who": "7" }),
    )
    .await;
    assert_eq!(answer, json!({ "data": { "them": { "email": "user-7@example.com", "number": 7 } } }));
    let answer = ask(&example, "{ user(id: 7) { name } }", json!({})).await;
    assert_eq!(answer, json!({ "data": { "user": { "name": "User 7" } } }));
}

#[tokio::test]
async fn a_connection_is_paged_by_cursor() {
    let example = example().await;
    let query = "query($after: String) { orders(first: 60, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }";
    let first = ask(&example, query, json!({})).await;
    let connection = &first["data"]["orders"];
    assert_eq!(
        (connection["nodes"].as_array().unwrap().len(), &connection["pageInfo"]["hasNextPage"]),
        (60, &json!(true))
    );
    let second = ask(&example, query, json!({ "after": connection["pageInfo"]["endCursor"] })).await;
    let all = example.0.sandbox.objects("example", "orders");
    let newest: Vec<Value> = all.iter().rev().take(120).map(|order| json!({ "id": order["id"] })).collect();
    assert_eq!(connection["nodes"], json!(newest[..60]));
    assert_eq!(second["data"]["orders"]["nodes"], json!(newest[60..]));
}

#[tokio::test]
async fn a_mutation_creates() {
    let example = example().await;
    let query = "mutation { createOrder(userId: \"7\", items: [{ sku: A }]) { order { status } } }";
    let answer = ask(&example, query, json!({})).await;
    assert_eq!(answer, json!({ "data": { "createOrder": { "order": { "status": "open" } } } }));
    let created = example.0.sandbox.objects("example", "orders").pop().expect("an order");
    assert_eq!((&created["user_id"], &created["items"]), (&json!("7"), &json!([{ "sku": "A" }])));
    assert_eq!(example.0.counts("graphql.create_order").applied, 1);
}

#[tokio::test]
async fn what_is_not_described_is_an_error_and_nothing_is_done() {
    let example = example().await;
    for (query, expected) in [
        ("{ user(id: 7) { name shoeSize } }", "Cannot query field \"shoeSize\" on \"user\""),
        ("{ user(name: 7) { name } }", "Unknown argument \"name\" on field \"user\""),
        ("{ weather }", "Cannot query field \"weather\" on \"Query\""),
        ("{ user(id: 7) }", "Field \"user\" must have a selection of subfields"),
        ("{ user(", "Syntax Error: expected a name, found \"\""),
        (
            "mutation { createOrder(userId: 1, items: []) { order { color } } }",
            "Cannot query field \"color\" on \"order\"",
        ),
        ("{ user { name } }", "missing required parameter: id"),
    ] {
        let answer = ask(&example, query, json!({})).await;
        assert_eq!(answer, json!({ "errors": [{ "message": expected }], "data": null }), "{query}");
    }
    assert_eq!(example.0.counts("graphql.create_order").applied, 0);
}
