//! `pull`, `each`, `sandbox`: runs that are stopped, resumed, half done.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Home, Ran, json, sandbox, serve};

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_goes_on_where_an_earlier_one_was() {
    let sandbox = sandbox(&["stripe"]).await;
    let url = sandbox.url("stripe").unwrap();
    let home = Home::new().with_env("STRIPE_SECRET_KEY", "made-up-key");
    let items: String = (0..25).map(|n| format!("p{n}@example.com\n")).collect();
    home.write("people.csv", &format!("email\n{items}"));
    let each = [
        "each",
        "stripe",
        "customers.create",
        "--from",
        "people.csv",
        "email={{ item.email }}",
        "--base-url",
        &url,
    ];
    home.run(&each).ends_with(0);

    let pull =
        ["pull", "stripe", "customers.list", "--query", "limit=10", "--base-url", &url, "--to", "c.jsonl"];
    let ran = home.run(&[&pull[..], &["--max-pages", "1", "--json"]].concat()).ends_with(0);
    let summary: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&summary["records"], &summary["verdict"]["completeness"]), (&10.into(), &"truncated".into()));
    let ran = home.run(&pull).ends_with(0);
    assert!(ran.err.starts_with("complete: 25 records on 3 pages"), "{}", ran.err);
    assert!(!ran.err.contains("--restart"), "{}", ran.err);
    let again = home.run(&pull).ends_with(0);
    assert!(again.err.ends_with("it was so before, --restart reads the list again\n"), "{}", again.err);
    let lines: std::collections::BTreeSet<String> = home.read("c.jsonl").lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 25);
    assert_eq!(sandbox.counts().operation("stripe", "customers.list").requests, 3);

    let other =
        ["pull", "stripe", "customers.list", "--query", "limit=5", "--base-url", &url, "--to", "c.jsonl"];
    let refused = home.run(&other).ends_with(1).err;
    assert!(refused.starts_with("nuncio: c.jsonl.state is the state of"), "{refused}");
    assert!(refused.contains("help: --restart begins anew"), "{refused}");

    let csv = ["--to", "c.csv", "--columns", "email"];
    home.run(&[&pull[..7], &csv].concat()).ends_with(0);
    assert!(home.read("c.csv").starts_with("email\n") && home.read("c.csv").lines().count() == 26);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_is_not_known_to_be_complete_does_not_end_well() {
    let url = serve(|_| json(200, r#"{"data":[{"n":1}],"total":2}"#)).await;
    let home = Home::new();
    let pull = ["pull", &url, "--records", "data", "--cursor", "next", "--total", "total", "--to", "-"];
    let ran = home.run(&pull).ends_with(13);
    assert_eq!(ran.out, "{\"n\":1}\n");
    assert!(ran.err.contains("incomplete: 1 record of 2 on 1 page"), "{}", ran.err);
    let ran = home.run(&[&pull[..], &["--json"]].concat()).ends_with(13);
    assert_eq!((ran.out.lines().count(), &ran.json("summary")["complete"]), (1, &false.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_writes_what_a_filter_makes_of_each_record() {
    let url =
        serve(|_| json(200, r#"{"data":[{"n":1,"t":"a b"},{"n":2},{"n":3,"t":"c"}],"next":null}"#)).await;
    let home = Home::new();
    let pull = |to: &str, filter: &str| {
        home.run(&["pull", &url, "--records", "data", "--cursor", "next", "--to", to, "--jq", filter])
    };
    pull("texts.jsonl", "select(.t).t, .n").ends_with(0);
    assert_eq!(home.read("texts.jsonl"), "\"a b\"\n1\n2\n\"c\"\n3\n");
    pull("rows.csv", "select(.n > 1) | {n, half: (.n / 2)}").ends_with(0);
    assert_eq!(home.read("rows.csv"), "n,half\n2,1.0\n3,1.5\n");

    let refused = pull("texts.jsonl", ".n").ends_with(1).err;
    assert!(refused.starts_with("nuncio: texts.jsonl.state is the state of"), "{refused}");
    let failed = pull("failed.jsonl", ".n.deep").ends_with(12).err;
    assert!(failed.starts_with("nuncio: --jq failed: ") && failed.contains("on record 1"), "{failed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_keeps_failures_apart_and_repeats_nothing_that_was_done() {
    let sandbox = sandbox(&["stripe"]).await;
    let url = sandbox.url("stripe").unwrap();
    let home = Home::new().with_env("STRIPE_SECRET_KEY", "made-up-key");
    home.write("items.jsonl", "{\"balance\":1}\n{\"balance\":\"much\"}\n{\"balance\":3}\n");
    let each = [
        "each",
        "stripe",
        "customers.create",
        "--from",
        "items.jsonl",
        "balance={{ item.balance }}",
        "--base-url",
        &url,
        "--json",
    ];
    for (skipped, attempts) in [(0, 2), (3, 0)] {
        let ran = home.run(&each).ends_with(7);
        let summary: Value = serde_json::from_str(&ran.out).unwrap();
        let counts = ["ok", "failed", "skipped", "attempts"].map(|name| summary[name].as_u64().unwrap());
        assert_eq!(counts, [2, 1, skipped, attempts]);
    }
    assert_eq!(sandbox.counts().operation("stripe", "customers.create").applied, 2);
    assert_eq!(home.read("items.jsonl.results.jsonl").lines().count(), 2);
    assert!(home.read("items.jsonl.failures.jsonl").contains("\"index\":1"));
}

#[cfg(unix)]
#[test]
fn the_sandbox_says_where_it_is_and_ends_when_it_is_told() {
    let home = Home::new().with_env("STRIPE_SECRET_KEY", "made-up-key");
    let args =
        ["sandbox", "stripe", "slack", "--fault", "402:on=customers.get,code=card_declined", "--no-limits"];
    let mut child = home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let stripe = lines.next().unwrap().unwrap();
    assert!(lines.next().unwrap().unwrap().starts_with("slack http://127.0.0.1:"));
    let url = stripe.strip_prefix("stripe ").unwrap();
    home.run(&["call", "stripe", "customers.list", "--base-url", url]).ends_with(0);
    let ran =
        home.run(&["call", "stripe", "customers.get", "customer=cus_1", "--base-url", url]).ends_with(4);
    assert!(ran.out.contains("card_declined"), "{}", ran.out);
    std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    Ran::from(child.wait_with_output().unwrap()).ends_with(0);
}

#[test]
fn a_preview_of_each_shows_the_first_call_and_leaves_nothing_behind() {
    let home = Home::new().with_env("STRIPE_SECRET_KEY", "made-up-key");
    home.write("people.csv", "email\nada@example.com\ngrace@example.com\n");
    let each = ["each", "stripe", "customers.create", "--from", "people.csv", "email={{ item.email }}"];
    let ran = home.run(&[&each[..], &["--dry-run"]].concat()).ends_with(0);
    assert!(ran.out.starts_with("POST https://api.stripe.com/v1/customers\n"), "{}", ran.out);
    assert!(ran.out.ends_with("\nemail=ada%40example.com\n"), "{}", ran.out);
    assert!(!home.path("people.csv.journal").exists());

    home.write("broken.jsonl", "{\"email\": \n");
    let broken = ["each", "stripe", "customers.create", "--from", "broken.jsonl", "--curl"];
    assert!(home.run(&broken).ends_with(12).err.contains("line 1 of the input is no item"));
}
