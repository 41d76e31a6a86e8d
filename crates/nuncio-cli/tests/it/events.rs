//! `nuncio events`, `endpoints`, `sources` and `webhook send`, against a gateway that serves.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::serving::{SECRET, Serving, set_up, shop, webhook};
use crate::support::Home;

/// A home with the secret of the source in it.
fn home() -> Home {
    Home::new().with_env("SHOP_SECRET", SECRET)
}

/// A gateway with an event that is owed to a file.
fn with_an_event(home: &Home) -> Serving {
    let file = "sources:\n  shop: { scheme: stripe, secrets: { current: \"{{ env.SHOP_SECRET }}\" } }\n\
                endpoints:\n  billing: { from: source/shop, to: { file: { path: taken } } }\n";
    home.write("relay.yaml", file);
    let serving = Serving::start(home, &["relay.yaml"]);
    assert_eq!(webhook(home, &format!("{}/in/shop", serving.url)), 0);
    serving
}

/// What the command answers as JSON.
fn ask(home: &Home, serving: &Serving, args: &[&str]) -> Value {
    let ran = home.run(&[&["events"], args, &["--json", "--gateway", &serving.url]].concat()).ends_with(0);
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn an_event_is_listed_shown_and_sent_again() {
    let home = home();
    let serving = with_an_event(&home);
    let listed = ask(&home, &serving, &["list", "--type", "charge.failed"]);
    assert_eq!(listed[0]["origin"], "source/shop", "{listed}");
    assert_eq!(ask(&home, &serving, &["list", "--type", "charge.other"]), json!([]));
    let id = listed[0]["id"].as_str().unwrap();
    let table = home.run(&["events", "list", "--gateway", &serving.url]).ends_with(0);
    assert!(table.out.starts_with("position  id ") && table.out.contains(id), "{table:?}");

    let delivered = (0..100).map(|_| ask(&home, &serving, &["show", id]));
    let shown = delivered.into_iter().find(|shown| shown["deliveries"][0]["state"] == "delivered").unwrap();
    assert_eq!(shown["deliveries"][0]["tried"][0]["number"], 1, "{shown}");
    let told = home.run(&["events", "show", id, "--gateway", &serving.url]).ends_with(0);
    assert!(told.out.contains("to billing: delivered"), "{told:?}");
    let body = home.run(&["events", "show", id, "--body", "--gateway", &serving.url]).ends_with(0);
    assert_eq!(shown["body"], body.out);

    assert_eq!(ask(&home, &serving, &["resend", id, "--endpoint", "nobody"])["count"], 0);
    assert_eq!(ask(&home, &serving, &["resend", id])["count"], 1);
    let mut again = (0..100).map(|_| ask(&home, &serving, &["show", id]));
    assert!(again.any(|shown| shown["deliveries"][0]["tried"].as_array().unwrap().len() == 2));
    assert_eq!(home.read("taken").lines().count(), 2);
    serving.signal("TERM");
    serving.end();
}

#[test]
fn a_replay_is_counted_waited_for_and_told() {
    let home = home();
    let serving = with_an_event(&home);
    let is_taken = |times| (0..100).any(|_| ask(&home, &serving, &["list"])[0]["delivered"] == times);
    assert!(is_taken(1));
    let replay = ["replay", "--endpoint", "billing", "--state", "delivered"];
    assert_eq!(ask(&home, &serving, &[&replay[..], &["--dry-run"]].concat())["count"], 1);
    assert_eq!(
        ask(&home, &serving, &["replay", "--endpoint", "billing", "--dry-run"])["count"],
        0,
        "none is dead"
    );
    let ended = ask(&home, &serving, &replay);
    assert!(ended["count"] == 1 && !ended["ended_at"].is_null(), "{ended}");
    assert!(is_taken(1));
    assert_eq!(home.read("taken").lines().count(), 2);

    let begun = ask(&home, &serving, &[&replay[..], &["--detach"]].concat());
    let name = begun["name"].as_str().unwrap();
    let run = |args: &[&str]| home.run(&[args, &["--gateway", &serving.url]].concat());
    assert_eq!(run(&["replays", "follow", name]).ends_with(0).out, "deliveries that are due again: 1\n");
    assert!(run(&["replays", "list"]).ends_with(0).out.contains(name));
    run(&["replays", "cancel", name]).ends_with(0);
    let near = run(&["events", "replay", "--endpoint", "biling"]).ends_with(4);
    assert!(near.err.contains("did you mean billing?"), "{near:?}");
    serving.signal("TERM");
    serving.end();
}

#[test]
fn a_list_that_is_bounded_says_that_there_is_more_and_leads_to_it() {
    let home = home();
    let serving = with_an_event(&home);
    set_up(&home, &serving.url, "sources/other", &shop());
    assert_eq!(webhook(&home, &format!("{}/in/other", serving.url)), 0);
    let list = |args: &[&str]| {
        home.run(&[&["events", "list", "--limit", "1", "--gateway", &serving.url], args].concat())
            .ends_with(0)
    };
    let first = list(&[]);
    let before = first.err.split("--before ").nth(1).unwrap().split(' ').next().unwrap();
    assert!(first.out.contains("source/other") && !first.out.contains("source/shop"), "{first:?}");
    let last = list(&["--before", before]);
    assert!(last.out.contains("source/shop") && last.err.is_empty(), "{last:?}");
    serving.signal("TERM");
    serving.end();
}

#[test]
fn a_tail_writes_what_comes_until_it_is_ended() {
    let home = home();
    let serving = with_an_event(&home);
    let mut tail = home
        .command(&["events", "tail", "--after", "0", "--json", "--gateway", &serving.url])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut position = || {
        let event: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        event["position"].as_u64().unwrap()
    };
    let first = position();
    // Another source, since the same webhook twice is one event.
    set_up(&home, &serving.url, "sources/other", &shop());
    assert_eq!(webhook(&home, &format!("{}/in/other", serving.url)), 0);
    assert!(position() > first);
    assert!(Command::new("kill").args(["-TERM", &tail.id().to_string()]).status().unwrap().success());
    assert_eq!(tail.wait().unwrap().code(), Some(143));
    serving.signal("TERM");
    serving.end();
}

#[test]
fn where_nothing_listens_the_way_to_start_it_is_told() {
    let home = Home::new();
    // Nobody listens on the port of a listener that is gone.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = home.run(&["events", "list", "--gateway", &format!("http://{gone}")]).ends_with(11);
    assert!(ran.err.contains("nuncio serve"), "{ran:?}");
}

#[test]
fn a_token_that_lacks_is_told_and_one_that_is_given_is_sent() {
    let home = Home::new();
    let served = Home::new().with_env("NUNCIO_TOKEN", "made-up-token-of-the-test");
    let serving = Serving::start(&served, &[]);
    let list = ["events", "list", "--gateway", &serving.url];
    let ran = home.run(&list).ends_with(8);
    assert!(ran.err.contains("NUNCIO_TOKEN"), "{ran:?}");
    served.run(&list).ends_with(0);
    serving.signal("TERM");
    serving.end();
}

#[test]
fn what_cannot_be_an_id_is_refused_before_anything_is_sent() {
    let home = Home::new();
    for id in ["../tokens", "..", "evt?x", ""] {
        let ran = home.run(&["events", "show", id]).ends_with(1);
        assert!(ran.err.contains("is no name"), "{ran:?}");
    }
}

#[test]
fn a_webhook_that_is_sent_is_taken_and_one_with_another_secret_is_refused() {
    let home = home().with_env("OTHER_SECRET", "made-up-other-secret");
    let serving = with_an_event(&home);
    let url = format!("{}/in/shop", serving.url);
    home.write("event.json", r#"{"id":"evt_sent","type":"charge.sent"}"#);
    let send = ["webhook", "send", "stripe", &url, "--body-file", "event.json", "--secret-env"];
    home.run(&[&send[..], &["SHOP_SECRET"]].concat()).ends_with(0);
    assert_eq!(ask(&home, &serving, &["list", "--type", "charge.sent"])[0]["origin"], "source/shop");
    let refused = home.run(&[&send[..], &["OTHER_SECRET"]].concat()).ends_with(8);
    assert!(!refused.err.contains("made-up-other-secret"), "{refused:?}");
    serving.signal("TERM");
    serving.end();
}

#[test]
fn endpoints_and_sources_are_listed_shown_disabled_and_enabled() {
    let home = home();
    let serving = with_an_event(&home);
    let run = |args: &[&str]| home.run(&[args, &["--gateway", &serving.url]].concat()).ends_with(0);
    let json =
        |args: &[&str]| serde_json::from_str::<Value>(&run(&[args, &["--json"]].concat()).out).unwrap();
    run(&["endpoints", "disable", "billing", "--reason", "made up"]);
    let listed = json(&["endpoints", "list"]);
    assert_eq!(listed[0]["status"]["disabled_because"], "made up", "{listed}");
    assert!(run(&["endpoints", "list"]).out.contains("made up"));
    run(&["endpoints", "enable", "billing"]);
    assert_eq!(json(&["endpoints", "show", "billing"])["status"]["disabled_because"], Value::Null);
    assert_eq!(json(&["sources", "list"])[0]["name"], "shop");
    assert!(run(&["sources", "list"]).out.contains("stripe"));
    let shown = run(&["sources", "show", "shop"]).out;
    assert!(shown.contains("stripe") && !shown.contains(SECRET), "{shown}");
    let args = ["endpoints", "show", "nobody", "--gateway", &serving.url];
    assert!(home.run(&args).ends_with(4).err.contains("nobody"));
    serving.signal("TERM");
    serving.end();
}
