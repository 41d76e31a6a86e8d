//! What came while the target was down or the listener dead.

use super::listening::{Listening, STRIPE, Target, home, until};
use crate::support::Home;

/// Sends so many events, and says their ids.
fn send(listening: &Listening<'_>, count: u64) -> Vec<String> {
    (0..count)
        .map(|seed| {
            listening.send("charge.failed", &["--seed", &seed.to_string()]).ends_with(0);
            let event =
                nuncio_sandbox::events::draft("stripe", "charge.failed", std::time::Duration::ZERO, seed);
            let nuncio_sandbox::events::Body::Json(body) = event.unwrap().body else { panic!("no JSON") };
            body["id"].as_str().unwrap().to_owned()
        })
        .collect()
}

fn forwarding<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&STRIPE[..], &["--forward-to", url], more].concat()
}

#[tokio::test]
async fn what_comes_while_the_target_is_down_is_delivered_in_order_when_it_is_up() {
    let (home, target) = (home(), Target::down());
    let url = target.url();
    let listening = Listening::start(&home, &forwarding(&url, &[])).await;
    let sent = send(&listening, 6);
    // Long enough that it is taken for dead, and only probed.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert!(listening.out().contains("kept: no connection"), "{}", listening.out());
    target.rise().await;
    assert_eq!(target.ids(6).await, sent);
    until("the last result", || (listening.out().matches("200 in ").count() == 6).then_some(())).await;
    listening.signal("INT");
    let err = {
        let code = listening.end();
        assert_eq!(code, Some(0));
        home.read("err")
    };
    assert!(err.contains("6 events, 6 delivered"), "{err}");
}

#[tokio::test]
async fn a_listener_that_was_killed_delivers_what_it_kept_when_it_runs_again() {
    let (home, target) = (home(), Target::down());
    let url = target.url();
    let listening = Listening::start(&home, &forwarding(&url, &[])).await;
    let mut sent = send(&listening, 3);
    listening.signal("KILL");
    assert_eq!(listening.end(), None);

    target.rise().await;
    let listening = Listening::start(&home, &forwarding(&url, &[])).await;
    assert_eq!(target.ids(3).await, sent);
    assert!(listening.err().contains("3 kept from earlier"), "{}", listening.err());
    let later = listening.send("invoice.paid", &["--seed", "9"]);
    later.ends_with(0);
    let ids = target.ids(4).await;
    sent.push(ids[3].clone());
    assert_eq!(ids, sent);
    listening.signal("KILL");
    listening.end();
}

#[tokio::test]
async fn nothing_is_lost_when_the_listener_is_killed_again_and_again_while_events_come() {
    let (home, target) = (home(), Target::down());
    let url = target.url();
    let mut sent = Vec::new();
    for round in 0..3_u64 {
        let listening = Listening::start(&home, &forwarding(&url, &[])).await;
        for seed in 0..2 {
            let seed = (round * 10 + seed).to_string();
            listening.send("invoice.paid", &["--seed", &seed]).ends_with(0);
            sent.push(seed);
        }
        listening.signal("KILL");
        listening.end();
    }
    target.rise().await;
    let listening = Listening::start(&home, &forwarding(&url, &[])).await;
    let mut ids = target.ids(sent.len()).await;
    ids.dedup();
    assert_eq!(ids.len(), sent.len(), "each of them once, in order");
    listening.signal("KILL");
    listening.end();
}

#[tokio::test]
async fn an_event_is_delivered_again_by_the_listener_that_runs_and_by_one_that_is_started_for_it() {
    let (home, target) = (home(), Target::answering(200).await);
    let url = target.url();
    let listening = Listening::start(&home, &forwarding(&url, &[])).await;
    let sent = send(&listening, 2);
    assert_eq!(target.ids(2).await, sent);

    replay(&home, "last").ends_with(0);
    assert_eq!(target.ids(3).await[2], sent[1]);
    // The end of an id, as it is shown.
    let first = listening.out().lines().next().unwrap().split_whitespace().last().unwrap().to_owned();
    replay(&home, &first).ends_with(0);
    assert_eq!(target.ids(4).await[3], sent[0]);
    assert_eq!(target.got()[0].body, target.got()[3].body);
    let unknown = replay(&home, "NOSUCHID").ends_with(1);
    assert!(unknown.err.contains("there is no such event"), "{unknown:?}");
    listening.signal("INT");
    listening.end();

    let nobody = replay(&home, "last").ends_with(1);
    assert!(nobody.err.contains("--forward-to"), "{nobody:?}");
    let listening = Listening::start(&home, &forwarding(&url, &["--replay", "last"])).await;
    assert_eq!(target.ids(5).await[4], sent[1]);
    listening.signal("INT");
    listening.end();
}

fn replay(home: &Home, which: &str) -> crate::support::Ran {
    home.run(&["webhook", "listen", "--store", "kept.db", "--replay", which])
}

#[tokio::test]
async fn what_was_only_looked_at_can_be_delivered_later() {
    let (home, target) = (home(), Target::answering(200).await);
    let listening = Listening::start(&home, &STRIPE).await;
    let sent = send(&listening, 2);
    until("both", || (listening.out().lines().count() == 2).then_some(())).await;
    listening.signal("INT");
    listening.end();
    let url = target.url();
    let listening = Listening::start(&home, &forwarding(&url, &["--replay", "last"])).await;
    assert_eq!(target.ids(1).await, sent[1..]);
    listening.signal("INT");
    listening.end();
    assert_eq!(target.got().len(), 1, "what was not asked for is not sent");
}

#[tokio::test]
async fn two_listeners_do_not_share_a_store() {
    let home = home();
    let listening = Listening::start(&home, &[]).await;
    let second = home.run(&["webhook", "listen", "--listen", "0", "--store", "kept.db"]).ends_with(1);
    assert!(second.err.contains("another listener keeps its events in kept.db"), "{second:?}");
    listening.signal("INT");
    assert_eq!(listening.end(), Some(0));
}
