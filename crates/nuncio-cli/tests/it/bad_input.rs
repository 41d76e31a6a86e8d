//! What goes wrong is told with its place and what to do, and what was fetched is kept.

use crate::support::{Home, json, sandbox, serve};

#[test]
fn wrong_yaml_is_told_with_its_place() {
    let home = Home::new();
    home.write(
        "shop.yaml",
        "service: shop\nbase_url: https://api.example.com\noperations:\n  a: { gett: /a }\n",
    );
    let ran = home.run(&["services", "validate", "shop.yaml"]).ends_with(1);
    assert!(ran.err.contains("shop.yaml:4:") && ran.err.contains("gett"), "{}", ran.err);
    home.write(
        "shop.yaml",
        "service: shop\nbase_url: https://api.example.com\noperations:\n  a: { get: /a }\n",
    );
    assert_eq!(
        home.run(&["services", "validate", "shop.yaml"]).ends_with(0).out,
        "shop.yaml: shop with 1 operation\n"
    );
}

#[test]
fn an_unknown_service_operation_or_input_is_told_with_the_nearest() {
    let home = Home::new().with_env("STRIPE_SECRET_KEY", "made-up-key");
    let ran = home.run(&["call", "stirpe", "customers.list"]).ends_with(1);
    assert!(ran.err.contains("did you mean stripe?"), "{}", ran.err);
    let ran = home.run(&["call", "stripe", "customer.list"]).ends_with(1);
    assert!(ran.err.contains("did you mean `customers.list`?"), "{}", ran.err);
    let ran = home.run(&["call", "stripe", "customers.create", "emial=x"]).ends_with(12);
    assert!(ran.err.contains("did you mean `email`?"), "{}", ran.err);
    home.write("items.jsonl", "{}\n");
    let ran =
        home.run(&["each", "stripe", "customers.create", "--from", "items.jsonl", "emial={{ item.x }}"]);
    assert!(ran.ends_with(12).err.contains("did you mean email?"));
    assert!(!home.path("items.jsonl.journal").exists());
}

#[test]
fn a_missing_or_mistyped_input_and_a_wrong_template_send_nothing() {
    let home = Home::new().with_env("STRIPE_SECRET_KEY", "made-up-key");
    let ran = home.run(&["call", "stripe", "customers.get"]).ends_with(12);
    assert!(ran.err.contains("`customer` is missing"), "{}", ran.err);
    let ran = home.run(&["call", "stripe", "customers.create", "balance=much"]).ends_with(12);
    assert!(ran.err.contains("`balance` takes a whole number, not \"much\""), "{}", ran.err);
    home.write("items.jsonl", "{}\n");
    let ran = home.run(&["each", "stripe", "customers.create", "--from", "items.jsonl", "email={{ item."]);
    assert!(ran.ends_with(1).err.contains("the template of email cannot be used"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_variable_is_named_and_nothing_is_sent() {
    let sandbox = sandbox(&["stripe"]).await;
    let url = sandbox.url("stripe").unwrap();
    let home = Home::new();
    home.write("items.jsonl", "{\"email\": \"ada@example.com\"}\n");
    let each = [
        "each",
        "stripe",
        "customers.create",
        "--from",
        "items.jsonl",
        "email={{ item.email }}",
        "--base-url",
        &url,
    ];
    for args in [&["call", "stripe", "customers.list", "--base-url", &url][..], &each[..]] {
        let ran = home.run(args).ends_with(1);
        assert!(ran.err.contains("STRIPE_SECRET_KEY is not set"), "{}", ran.err);
    }
    assert_eq!(sandbox.counts().operation("stripe", "customers.create").requests, 0);
    assert_eq!(sandbox.counts().operation("stripe", "customers.list").requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_go_wrong_keep_what_came_before() {
    let url = serve(|request| match request.uri().path() {
        "/circle" => json(200, r#"{"data":[{"n":1}],"next":"same"}"#),
        "/elsewhere" => json(200, r#"{"data":[{"n":1}],"next":"https://other.example/items"}"#),
        _ => json(200, "<html>"),
    })
    .await;
    let home = Home::new();
    let pull = |path: &str, paging: &str| {
        let to = format!("{}.jsonl", &path[1..]);
        home.run(&["pull", &format!("{url}{path}"), "--records", "data", paging, "next", "--to", &to])
    };
    let ran = pull("/elsewhere", "--next-url").ends_with(13);
    assert!(ran.err.contains("other.example"), "{}", ran.err);
    pull("/circle", "--cursor").ends_with(13);
    assert!(home.read("circle.jsonl").starts_with("{\"n\":1}\n"));
    pull("/html", "--cursor").ends_with(12);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_under_a_good_status_is_a_failure() {
    let sandbox = sandbox(&["slack", "example"]).await;
    let home = Home::new().with_env("SLACK_BOT_TOKEN", "xoxb-made-up");
    let url = sandbox.url("slack").unwrap();
    let ran =
        home.run(&["call", "slack", "conversations.info", "channel=C404", "--base-url", &url]).ends_with(4);
    assert!(
        ran.out.contains("channel_not_found") && ran.err.contains("200 OK, but the service says it failed")
    );

    let url = serve(|_| json(200, r#"{"data":null,"errors":[{"message":"no such field"}]}"#)).await;
    home.write("query.graphql", "{ nonsense }");
    home.write("shop.yaml", "service: shop\nbase_url: https://api.example.com\n");
    let ran = home.run(&["graphql", "shop", "query.graphql", "--file", "shop.yaml", "--base-url", &url]);
    assert!(ran.ends_with(14).err.contains("no such field"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_over_the_bound_is_refused_and_the_bound_can_be_raised() {
    let url = serve(|_| json(200, &format!("{{\"text\":\"{}\"}}", "x".repeat(2_000)))).await;
    let home = Home::new();
    let ran = home.run(&["call", &url, "--max-body", "2kB"]).ends_with(12);
    assert!(ran.err.contains("larger than 2000 bytes"), "{}", ran.err);
    home.run(&["call", &url, "--max-body", "3kB"]).ends_with(0);
    assert!(home.run(&["call", &url, "--max-body", "3"]).ends_with(2).err.contains("500kB, 64MiB, 2GiB"));
}
