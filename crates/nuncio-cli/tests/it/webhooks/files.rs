//! Schemes from files, and the list of those that come along.

use serde_json::Value;

use super::{KEY, home, signed, verified};
use crate::support::Home;

const BODY: &str = r#"{"id":"evt_1"}"#;

fn shop(secret: &str) -> String {
    format!(
        "service: shop\nbase_url: https://api.example.com\nwebhooks:\n  scheme:\n    signatures:\n      - at: {{ header: X-Shop }}\n        \
         signed: 'v9:{{body}}'\n        algorithm: hmac-sha512\n        encoding: base64\n    id: {{ json: /id }}\n{secret}"
    )
}

#[test]
fn a_service_file_has_the_scheme_and_names_the_secrets() {
    let home = home();
    home.write("shop.yaml", &shop("  secret: '{{ env.NEW }}'\n  previous_secret: '{{ env.KEY }}'\n"));
    signed(&home, "shop.yaml", BODY);
    let ran = verified(&home, "shop.yaml", BODY, &[]).ends_with(1);
    assert!(ran.err.contains("NEW"), "{ran:?}");
    let rotating = Home::new().with_env("KEY", KEY).with_env("NEW", "made-up-new");
    rotating.write("shop.yaml", &home.read("shop.yaml"));
    rotating.write("headers.txt", &home.read("headers.txt"));
    let out = verified(&rotating, "./shop.yaml", BODY, &[]).ends_with(0).out;
    assert!(
        out.starts_with("genuine: signed by shop, with the secret previous_secret\nid         evt_1\n"),
        "{out}"
    );
    // What is given goes before what the file names.
    verified(&home, "shop.yaml", BODY, &["--secret-env", "KEY"]).ends_with(0);
}

#[test]
fn a_service_file_may_name_a_provider_and_shows_it() {
    let home = home();
    home.write("shop.yaml", "service: shop\nbase_url: https://api.example.com\nwebhooks: { scheme: stripe, secret: '{{ env.KEY }}' }\n");
    signed(&home, "stripe", BODY);
    verified(&home, "shop.yaml", BODY, &[]).ends_with(0);
    let ran = home.run(&["services", "show", "shop", "--file", "shop.yaml"]).ends_with(0);
    assert!(ran.out.contains("webhooks: stripe, secret {{ env.KEY }}\n"), "{}", ran.out);
    let ran = home.run(&["services", "show", "stripe", "--json"]).ends_with(0);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["webhooks"]["provider"], "stripe");

    home.write("none.yaml", "service: none\nbase_url: https://api.example.com\n");
    let ran = verified(&home, "none.yaml", BODY, &[]).ends_with(1);
    assert!(ran.err.contains("says nothing about webhooks"), "{}", ran.err);
}

#[test]
fn a_mistake_in_a_scheme_is_told_with_its_place() {
    let home = home();
    home.write("hook.yaml", "signatures:\n  - at: { header: X }\n    signed: '{bdoy}'\n    algorithm: hmac-sha256\n    encoding: hex\n");
    let ran = home.run(&["webhook", "verify", "hook.yaml", "--secret-env", "KEY"]).ends_with(1);
    assert!(ran.err.contains("hook.yaml:3:13: there is no part {bdoy}"), "{}", ran.err);
    home.write("shop.yaml", &shop("  secrt: x\n"));
    let ran = home.run(&["services", "validate", "shop.yaml"]).ends_with(1);
    assert!(ran.err.contains("did you mean `secret`?"), "{}", ran.err);
}

#[test]
fn what_is_shown_of_a_provider_is_a_scheme_file() {
    let home = home();
    let shown = home.run(&["webhook", "providers", "stripe"]).ends_with(0).out;
    assert!(
        shown.starts_with("# Stripe (stripe), checked ")
            && shown.contains("# Source: https://docs.stripe.com")
    );
    home.write("own.yaml", &shown);
    let json = home.run(&["webhook", "providers", "stripe", "--json"]).ends_with(0).out;
    let provider: Value = serde_json::from_str(&json).unwrap();
    home.write("own.json", &provider["scheme"].to_string());
    signed(&home, "stripe", BODY);
    for file in ["own.yaml", "own.json"] {
        verified(&home, file, BODY, &["--secret-env", "KEY"]).ends_with(0);
    }
}

#[test]
fn every_provider_is_listed() {
    let home = home();
    let table = home.run(&["webhook", "providers"]).ends_with(0).out;
    let json = home.run(&["webhook", "providers", "--json"]).ends_with(0).out;
    let listed: Vec<Value> = serde_json::from_str(&json).unwrap();
    let names: Vec<&str> = listed.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, nuncio_webhook::providers().map(|(name, _)| name).collect::<Vec<_>>());
    assert!(names.iter().all(|name| table.contains(&format!("\n{name} "))), "{table}");
    let stripe = listed.iter().find(|row| row["name"] == "stripe").unwrap();
    assert_eq!((&stripe["algorithm"], &stripe["past_secs"]), (&"hmac-sha256".into(), &300.into()));
    assert!(home.run(&["webhook", "providers", "strpe"]).ends_with(1).err.contains("did you mean stripe?"));
}
