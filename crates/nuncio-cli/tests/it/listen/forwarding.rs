//! What the target gets, and what its answer does.

use nuncio_client::Clock;
use nuncio_webhook::{Request, Secrets, provider, verify};

use super::listening::{Listening, SECRET, STRIPE, Target, home, until};

#[tokio::test]
async fn the_target_gets_the_bytes_and_headers_that_came_and_can_verify_them_itself() {
    let (home, target) = (home(), Target::answering(204).await);
    let url = target.url();
    let listening = Listening::start(&home, &[&STRIPE[..], &["--forward-to", &url]].concat()).await;
    // White space that a parser would not keep.
    home.write("body.json", "{ \"id\":\"evt_1\",\t\"type\": \"made.up\", \"amount\": 1.10 }\n");
    let sent = home.run(&[
        "webhook",
        "send",
        "stripe",
        &listening.url,
        "--secret-env",
        "WEBHOOK_SECRET",
        "--body-file",
        "body.json",
    ]);
    sent.ends_with(0);
    target.ids(1).await;
    let got = target.got().remove(0);
    assert_eq!(got.body, home.read("body.json"));
    let request = Request { method: "POST", url: "", headers: &got.headers, body: &got.body };
    let secrets = Secrets::new().with("current", SECRET);
    verify(&provider("stripe").unwrap().scheme, &request, &secrets, Clock::system().now()).unwrap();
    assert!(got.headers["nuncio-event-id"].to_str().unwrap().starts_with("evt_"));
    assert!(!got.headers.contains_key("webhook-id") && !got.headers.contains_key("nuncio-attempt"));
    assert_eq!(got.headers["host"].to_str().unwrap(), url.split('/').nth(2).unwrap());
    listening.signal("INT");
    listening.end();
}

#[tokio::test]
async fn a_target_that_answers_has_had_its_say_and_one_behind_a_proxy_that_is_down_is_tried_again() {
    let (home, target) = (home(), Target::answering(500).await);
    let url = target.url();
    let listening = Listening::start(&home, &[&STRIPE[..], &["--forward-to", &url]].concat()).await;
    for (count, status) in [(1, 500), (2, 404), (3, 410), (4, 302)] {
        target.answer(status);
        listening.send("charge.failed", &[]).ends_with(0);
        target.ids(count).await;
        let told = format!("{status} in ");
        until("what was answered", || listening.out().contains(&told).then_some(())).await;
    }
    assert!(listening.out().contains(": made-up answer\n"), "{}", listening.out());
    target.answer(503);
    listening.send("invoice.paid", &[]).ends_with(0);
    let ids = target.ids(7).await;
    target.answer(200);
    until("the end", || listening.out().contains("200 in ").then_some(())).await;
    let once: std::collections::BTreeSet<_> = ids[..4].iter().collect();
    assert_eq!(once.len(), 4, "none of those that were answered came again");
    assert!(ids[4..].iter().all(|id| *id == ids[4]), "{ids:?}");
    listening.signal("INT");
    listening.end();
    let err = home.read("err");
    assert!(err.contains("5 events, 1 delivered, 4 not taken by the target"), "{err}");
}

#[tokio::test]
async fn what_is_not_genuine_is_refused_and_shown_with_the_reason_or_forwarded_if_one_wants() {
    let (home, target) = (home(), Target::answering(200).await);
    let url = target.url();
    let wrong = ["--secret-env", "OTHER_SECRET"];
    let listening = Listening::start(&home, &[&STRIPE[..], &["--forward-to", &url]].concat()).await;
    let refused = listening.send("charge.failed", &wrong).ends_with(8);
    assert!(refused.err.contains("401"), "{refused:?}");
    until("the reason", || listening.out().contains("401 to the sender: no signature matches").then_some(()))
        .await;
    assert!(listening.out().contains("probably: "), "{}", listening.out());
    listening.signal("INT");
    listening.end();
    assert_eq!(target.got().len(), 0);

    let args = [&STRIPE[..], &["--forward-to", &url, "--forward-unverified"]].concat();
    let listening = Listening::start(&home, &args).await;
    listening.send("charge.failed", &wrong).ends_with(0);
    target.ids(1).await;
    until("the verdict", || listening.out().contains("not genuine").then_some(())).await;
    assert!(listening.out().contains("no signature matches"), "{}", listening.out());
    listening.signal("INT");
    listening.end();
}

#[tokio::test]
async fn an_event_that_comes_again_is_acknowledged_and_not_delivered_again() {
    let (home, target) = (home(), Target::answering(200).await);
    let url = target.url();
    let listening = Listening::start(&home, &[&STRIPE[..], &["--forward-to", &url]].concat()).await;
    for seed in ["1", "1", "2"] {
        listening.send("charge.failed", &["--seed", seed]).ends_with(0);
    }
    let ids = target.ids(2).await;
    assert_ne!(ids[0], ids[1]);
    assert!(listening.out().contains("it came before"), "{}", listening.out());
    listening.signal("INT");
    listening.end();
    assert_eq!(target.got().len(), 2);
}
