//! `nuncio serve` with schedules, killed and started again, and `nuncio schedules`.

use std::collections::BTreeMap;
use std::time::Duration;

use nuncio_sandbox::{Options, Sandbox};
use nuncio_service::{Catalog, Env};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::serving::Serving;
use crate::support::Home;

/// How many charges there are: ten pages.
const CHARGES: u32 = 1000;

fn home(url: &str) -> Home {
    let home = Home::new().with_env("STRIPE_SECRET_KEY", "made-up-secret-of-stripe");
    home.write("config/nuncio/config.toml", &format!("[services.stripe]\nbase_url = \"{url}\"\n"));
    let config = json!({
        "schedules": { "nightly": {
            "cron": "30 2 1 1 *", "time_zone": "Europe/Berlin", "catch_up": "skip",
            "pull": {
                "service": "stripe", "operation": "charges.list",
                "inputs": { "created": { "gte": "{{ schedule.since_unix }}" } },
            },
        } },
        "endpoints": { "archive": {
            "from": "schedule/nightly",
            "to": { "file": { "path": home.path("charges.jsonl") } },
        } },
    });
    home.write("relay.yaml", &config.to_string());
    home
}

fn schedules(home: &Home, serving: &Serving, args: &[&str]) -> String {
    let args = [&["schedules"], args, &["--gateway", &serving.url]].concat();
    home.run(&args).ends_with(0).out
}

fn status(home: &Home, serving: &Serving) -> Value {
    let shown: Value = serde_json::from_str(&schedules(home, serving, &["show", "nightly"])).unwrap();
    shown["status"].clone()
}

/// Waits until it holds of the status, for a minute at most.
async fn until(home: &Home, serving: &Serving, holds: impl Fn(&Value) -> bool) -> Value {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        let status = status(home, serving);
        if holds(&status) {
            return status;
        }
        assert!(Instant::now() < patience, "{status}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_goes_on_where_it_was_killed_and_each_record_is_there_once() {
    let sandbox = Sandbox::start(Options {
        services: vec![Catalog::built_in().get("stripe").unwrap()],
        records: BTreeMap::from([("stripe.charges".to_owned(), CHARGES)]),
        faults: vec!["delay=300ms:every=1".parse().unwrap()],
        env: Env::default(),
        enforce_limits: false,
        ..Options::default()
    });
    let sandbox = sandbox.await.unwrap();
    let home = home(&sandbox.url("stripe").unwrap());
    let serving = Serving::start(&home, &["relay.yaml"]);
    schedules(&home, &serving, &["run", "nightly"]);
    until(&home, &serving, |status| status["run"]["events"].as_u64() >= Some(200)).await;
    serving.signal("KILL");
    serving.end();

    let serving = Serving::start(&home, &["relay.yaml"]);
    let status_before = status(&home, &serving);
    let pulled = status_before["run"]["events"].as_u64().unwrap();
    assert!((200..u64::from(CHARGES)).contains(&pulled), "{status_before}");
    let ended = until(&home, &serving, |status| status["ended"][0].is_object()).await;
    assert_eq!((&ended["ended"][0]["events"], &ended["ended"][0]["error"]), (&json!(CHARGES), &Value::Null));
    serving.signal("TERM");
    assert_eq!(serving.end().0, Some(0));

    // It is known after another start, and nothing runs again.
    let serving = Serving::start(&home, &["relay.yaml"]);
    let after = status(&home, &serving);
    assert_eq!((&after["ended"], &after["run"]), (&ended["ended"], &Value::Null));
    schedules(&home, &serving, &["pause", "nightly"]);
    assert!(schedules(&home, &serving, &["list"]).contains("went well"));
    assert!(status(&home, &serving)["paused_at"].is_string());
    schedules(&home, &serving, &["resume", "nightly"]);
    assert!(status(&home, &serving)["next_due"].is_string());

    // At least once to the file, and each under one id: none was stored twice.
    let patience = Instant::now() + Duration::from_secs(60);
    let mut ids = BTreeMap::<String, String>::new();
    while ids.len() < CHARGES as usize && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for line in home.read("charges.jsonl").lines() {
            let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
            let (charge, id) = (event["body"]["id"].to_string(), event["id"].to_string());
            let known = ids.entry(charge).or_insert_with(|| id.clone());
            assert_eq!(*known, id, "stored twice");
        }
    }
    assert_eq!(ids.len(), CHARGES as usize);
    serving.signal("TERM");
    assert_eq!(serving.end().0, Some(0));
}
