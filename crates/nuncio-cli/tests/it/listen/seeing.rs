//! What scripts and people see.

use serde_json::Value;

use super::listening::{Listening, SECRET, STRIPE, home, until};

#[tokio::test]
async fn a_pipe_gets_plain_lines() {
    let home = home();
    let listening =
        Listening::start(&home, &[&STRIPE[..], &["--forward-to", "http://127.0.0.1:9"]].concat()).await;
    listening.send("charge.failed", &[]).ends_with(0);
    listening.send("charge.failed", &["--secret-env", "OTHER_SECRET"]).ends_with(8);
    until("both", || (listening.out().lines().count() >= 4).then_some(())).await;
    listening.signal("INT");
    assert_eq!(listening.end(), Some(0));
    for text in [home.read("out"), home.read("err")] {
        assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text:?}");
        assert!(!text.contains(SECRET), "{text}");
    }
    let out = home.read("out");
    let first = out.lines().next().unwrap();
    assert!(first.contains("charge.failed") && first.contains("genuine"), "{first}");
    let err = home.read("err");
    assert!(err.contains("1 event, 1 refused, 1 kept for when you listen again"), "{err}");
}

#[tokio::test]
async fn print_writes_each_event_as_one_line_of_json() {
    let home = home();
    let listening = Listening::start(&home, &[&STRIPE[..], &["--print"]].concat()).await;
    listening.send("invoice.paid", &["--set", "data.object.total=1500"]).ends_with(0);
    listening.send("charge.failed", &["--secret-env", "OTHER_SECRET"]).ends_with(8);
    until("both", || (listening.out().lines().count() == 2).then_some(())).await;
    let lines: Vec<Value> = listening.out().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["type"], &lines[0]["verdict"]), (&"invoice.paid".into(), &"genuine".into()));
    assert!(lines[0]["id"].as_str().unwrap().starts_with("evt_"), "{}", lines[0]);
    let body: Value = serde_json::from_str(lines[0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["data"]["object"]["total"], 1500);
    assert!(lines[0]["headers"]["stripe-signature"].as_str().unwrap().starts_with("t="), "{}", lines[0]);
    assert_eq!((&lines[1]["verdict"], &lines[1]["status"]), (&"refused".into(), &401.into()));
    assert_eq!(lines[1]["reasons"][0], "no signature matches");
    listening.signal("TERM");
    assert_eq!(listening.end(), Some(0));
}

#[test]
fn it_listens_on_this_machine_alone_and_says_what_is_missing() {
    let home = home();
    let beyond = home.run(&["webhook", "listen", "--listen", "0.0.0.0:0"]).ends_with(1);
    assert!(beyond.err.contains("can be reached by others"), "{beyond:?}");
    let secretless = home.run(&["webhook", "listen", "--listen", "0", "--provider", "stripe"]).ends_with(1);
    assert!(secretless.err.contains("--secret-env"), "{secretless:?}");
    let nobody =
        home.run(&["webhook", "listen", "--listen", "0", "--secret-env", "WEBHOOK_SECRET"]).ends_with(1);
    assert!(nobody.err.contains("--provider"), "{nobody:?}");
}

#[test]
fn trigger_lists_its_events_and_shows_what_it_would_send() {
    let home = home();
    let list = home.run(&["webhook", "trigger", "--list"]).ends_with(0);
    for event in ["charge.failed", "pull_request.opened", "app_mention", "delivered", "orders/paid"] {
        assert!(list.out.contains(event), "{event}");
    }
    let shown = ["webhook", "trigger", "github", "push", "--secret-env", "WEBHOOK_SECRET", "--dry-run"];
    let shown = home.run(&shown).ends_with(0);
    for part in
        ["POST http://127.0.0.1:8481\n", "X-GitHub-Event: push\n", "X-Hub-Signature-256: sha256=", "\"ref\":"]
    {
        assert!(shown.out.contains(part), "{part}: {}", shown.out);
    }
    let unknown = ["webhook", "trigger", "stripe", "charge.fail", "--secret-env", "WEBHOOK_SECRET"];
    assert!(home.run(&unknown).ends_with(1).err.contains("did you mean charge.failed?"));
    let foreign = home.run(&["webhook", "trigger", "paypal", "x"]).ends_with(1);
    assert!(foreign.err.contains("there are no events of paypal"), "{foreign:?}");
    let keyless = home.run(&["webhook", "trigger", "sendgrid", "delivered"]).ends_with(1);
    assert!(keyless.err.contains("nuncio webhook secret --provider sendgrid"), "{keyless:?}");
}

#[tokio::test]
async fn a_provider_with_a_private_key_is_stood_in_for() {
    let home = home();
    let made = home.run(&["webhook", "secret", "--provider", "sendgrid"]).ends_with(0);
    home.write("key.pem", &made.out);
    home.write("public.txt", made.err.rsplit(": ").next().unwrap().trim());
    let listening =
        Listening::start(&home, &["--provider", "sendgrid", "--public-key-file", "public.txt"]).await;
    let sent =
        ["webhook", "trigger", "sendgrid", "bounce", "--secret-file", "key.pem", "--to", &listening.url];
    home.run(&sent).ends_with(0);
    until("the event", || listening.out().contains("genuine").then_some(())).await;
    listening.signal("INT");
    listening.end();
}
