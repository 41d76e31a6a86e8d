//! One call: what is sent, what is shown instead of sending it, where settings come from.

use crate::support::{Home, json, sandbox, serve};

#[test]
fn a_preview_needs_no_network_and_shows_no_secret() {
    let home = Home::new().with_env("STRIPE_SECRET_KEY", "made-up-key").with_env("TOKEN", "made-up-token");
    let ran =
        home.run(&["call", "stripe", "customers.create", "email=ada@example.com", "--dry-run"]).ends_with(0);
    assert!(ran.out.starts_with("POST https://api.stripe.com/v1/customers\n"), "{}", ran.out);
    assert!(
        ran.out.contains("authorization: Bearer ***") && ran.out.ends_with("\n\nemail=ada%40example.com\n"),
        "{}",
        ran.out
    );

    let ran = home.run(&["call", "stripe", "customers.list", "--curl"]).ends_with(0);
    assert!(ran.out.contains("\"authorization: Bearer ${STRIPE_SECRET_KEY}\""), "{}", ran.out);

    let url = "https://api.example.com/items?a=1";
    let ran = home.run(&["call", "PUT", url, "n:=1", "--auth", "bearer:env:TOKEN", "--curl"]).ends_with(0);
    let expected = "curl -X PUT 'https://api.example.com/items?a=1' \\\n  \
                    -H 'content-type: application/json' \\\n  \
                    -H \"authorization: Bearer ${TOKEN}\" \\\n  \
                    --data-binary '{\"n\":1}'\n";
    assert_eq!(ran.out, expected);

    let ran = home.run(&["call", url, "--auth", "query:key:env:TOKEN", "--dry-run", "--json"]).ends_with(0);
    let shown: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        shown,
        serde_json::json!({
            "method": "GET", "url": "https://api.example.com/items?a=1&key=***", "headers": {}, "body": null,
        })
    );
}

#[test]
fn a_literal_secret_is_refused_and_not_repeated() {
    let home = Home::new();
    for flag in ["--auth=bearer:made-up-token", "--header=Authorization: Bearer made-up-token"] {
        let ran = home.run(&["call", "GET", "https://api.example.com", flag]).ends_with(1);
        assert!(ran.err.contains("others could read") || ran.err.contains("others can read"), "{}", ran.err);
        assert!(!ran.err.contains("made-up-token"), "{}", ran.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_a_pipe_is_untouched() {
    let body = "{ \"n\":  98765432109876543210987, \"d\": 1.10 }\n";
    let url = serve(move |_| json(200, body)).await;
    assert_eq!(Home::new().run(&["call", "GET", &url]).ends_with(0).out, body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wire_log_shows_both_sides_on_standard_error() {
    let url = serve(|_| json(200, "{}")).await;
    let home = Home::new().with_env("TOKEN", "made-up-token");
    let ran = home.run(&["call", "GET", &url, "--auth", "bearer:env:TOKEN", "-v"]).ends_with(0);
    assert_eq!(ran.out, "{}");
    for line in ["> GET http://", "> authorization: ***", "< 200 OK (", "< content-type: application/json"] {
        assert!(ran.err.contains(line), "{line} in {}", ran.err);
    }
    let ran = home.run(&["call", "GET", &url, "-v", "--json"]).ends_with(0);
    assert!(
        ran.err.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "{}",
        ran.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let sandbox = sandbox(&["stripe"]).await;
    let url = sandbox.url("stripe").unwrap();
    let nowhere = "http://127.0.0.1:1";
    let call = ["call", "stripe", "customers.list", "--deadline", "900ms"];
    let home = Home::new().with_env("STRIPE_SECRET_KEY", "made-up-key");
    home.write("config/nuncio/config.toml", &format!("[services.stripe]\nbase_url = \"{url}\"\n"));
    home.run(&call).ends_with(0);
    let home = home.with_env("NUNCIO_BASE_URL", nowhere);
    home.run(&call).ends_with(11);
    home.run(&[&call[..], &["--base-url", &url]].concat()).ends_with(0);

    home.write("config/nuncio/config.toml", "timeot = \"3s\"\n");
    assert!(home.run(&call).ends_with(1).err.contains("timeot"));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_writes_every_record_and_a_bound_cuts_it_short() {
    let url = serve(|request| match request.uri().query() {
        Some("cursor=b") => json(200, r#"{"data":[{"n":3}]}"#),
        _ => json(200, r#"{"data":[{"n":1},{"n":2}],"next":"b"}"#),
    })
    .await;
    let home = Home::new();
    let all = ["call", &url, "--all", "--records", "data", "--cursor", "next"];
    let ran = home.run(&all).ends_with(0);
    assert_eq!(ran.out, "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
    assert_eq!(ran.err, "complete: 3 records on 2 pages (no next cursor)\n");
    assert_eq!(home.run(&[&all[..], &["--limit=2", "--jq", ".n"]].concat()).ends_with(0).out, "1\n2\n");
    let verdict = home.run(&[&all[..], &["--max-pages=1", "--json"]].concat()).ends_with(0).json("verdict");
    assert_eq!(verdict["completeness"], "truncated");
    assert!(home.run(&["call", &url, "--limit=2"]).ends_with(1).err.contains("add --all"));
}

#[test]
fn completions_and_manual_pages_go_to_standard_output() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(home.run(&["completions", shell]).ends_with(0).out.contains("nuncio"), "{shell}");
    }
    assert!(home.run(&["man"]).ends_with(0).out.contains(".TH nuncio 1"));
    assert!(home.run(&["man", "pull"]).ends_with(0).out.contains("goes on where"));
}

#[test]
fn the_catalog_is_listed_and_shown() {
    let home = Home::new();
    home.write("services/shop.yaml", "service: shop\nabout: A shop\nbase_url: https://api.example.com\noperations:\n  a: { get: '/a/{id}', input: { id: { enum: [x, y] } } }\n");
    let ran = home.run(&["services", "list"]).ends_with(0);
    assert!(ran.out.contains("stripe") && ran.out.contains("shop             A shop\n"), "{}", ran.out);
    let ran = home.run(&["services", "show", "shop", "a", "--json"]).ends_with(0);
    let shown: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&shown["sends"], &shown["inputs"][0]["required"]), (&"GET /a/{id}".into(), &true.into()));
    assert_eq!(shown["inputs"][0]["schema"]["enum"], serde_json::json!(["x", "y"]));
}
