//! What a run does, and how it goes on.

use std::io::Write as _;

use nuncio_relay::Origin;
use serde_json::{Value, json};

use super::{BEGIN, World, ids, ping};

fn pull(inputs: &Value) -> Value {
    json!({ "every": "1h", "pull": { "service": "shop", "operation": "list", "inputs": inputs } })
}

#[tokio::test(start_paused = true)]
async fn each_record_of_a_pull_is_an_event() {
    let world = World::new(pull(&json!({}))).await;
    world.pass(3605).await;
    assert_eq!(world.bodies().await, ids(10));
    let event = world.events(Origin::Schedule("job".to_owned())).await.remove(0);
    assert_eq!(event.event_type, "list.record");
    assert_eq!(event.headers.get("content-type"), Some(&b"application/json"[..]));
    assert_eq!(event.headers.get("nuncio-due"), Some(&b"2026-03-01T01:00:00Z"[..]));
}

#[tokio::test(start_paused = true)]
async fn a_page_whose_answer_was_lost_is_not_stored_again_whatever_others_changed_meanwhile() {
    let world = World::new(pull(&json!({}))).await;
    world.shop.hold("cursor=p2");
    world.pass(3605).await;
    world.faulty.set_losing(true);
    world.shop.release();
    world.settle().await;
    assert_eq!(world.bodies().await, ids(6));
    world.change(|state, now| state.pause(now)).await;
    world.faulty.set_losing(false);
    world.pass(10).await;
    assert_eq!(world.bodies().await, ids(10));
    let state = world.state().await;
    let ended = &state.ended[0];
    assert_eq!((ended.events, &ended.error, state.paused_at.is_some()), (10, &None, true));
}

#[tokio::test(start_paused = true)]
async fn a_pull_that_was_killed_goes_on_behind_its_last_page() {
    let mut world = World::new(pull(&json!({}))).await;
    for (page, stored) in [("cursor=p2", 4), ("cursor=p4", 8)] {
        world.shop.hold(page);
        world.pass(3605).await;
        assert_eq!(world.bodies().await, ids(stored));
        world.kill().await;
        world.shop.release();
        world.start();
    }
    world.pass(15).await;
    assert_eq!(world.bodies().await, ids(10));
    let state = world.state().await;
    assert_eq!(state.ended.iter().map(|ended| ended.events).collect::<Vec<_>>(), [10]);
}

#[tokio::test(start_paused = true)]
async fn of_a_pull_that_failed_the_next_run_does_what_is_left_and_then_its_own() {
    let world = World::new(pull(&json!({ "since": "{{ schedule.since_unix }}" }))).await;
    world.shop.fail(Some("cursor=p3"));
    world.pass(3605).await;
    assert_eq!(world.bodies().await, ids(6));
    let told = world.events(Origin::Relay).await;
    assert_eq!(told[0].event_type, "schedule.failed");
    assert!(String::from_utf8_lossy(&told[0].body).contains("500"), "{told:?}");
    world.shop.fail(None);
    world.pass(3600).await;
    assert_eq!(world.ended().await, [3600, 3600, 7200]);
    assert_eq!(world.bodies().await.len(), 20);
    assert_eq!(world.bodies().await[..10], ids(10));
    let since: Vec<_> =
        world.shop.asked().iter().filter(|asked| !asked.contains("cursor")).cloned().collect();
    let second = format!("/orders?since={}", BEGIN + 3600);
    assert_eq!(since, ["/orders?since=0".to_owned(), second]);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_fails_three_times_is_given_up() {
    let world = World::new(pull(&json!({}))).await;
    world.shop.fail(Some("cursor=p3"));
    world.pass(3 * 3600 + 5).await;
    assert_eq!(world.bodies().await, ids(6));
    assert!(world.state().await.left.is_none());
    world.pass(3600).await;
    assert_eq!(world.bodies().await.len(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_stopped_in_good_order_goes_on_at_once() {
    let mut world = World::new(pull(&json!({}))).await;
    world.pass(3599).await;
    world.shop.hold("/");
    world.pass(2).await;
    world.stop().await;
    world.shop.release();
    world.start();
    world.pass(1).await;
    assert_eq!(world.bodies().await, ids(10));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_under_way_in_a_kill_is_not_made_twice_where_that_may_do_harm() {
    let mut world = World::new(ping(&json!({ "every": "1h" }))).await;
    world.shop.hold("/");
    world.pass(3605).await;
    world.kill().await;
    world.shop.release();
    world.start();
    world.pass(15).await;
    assert_eq!(world.shop.asked().len(), 1);
    let ended = world.state().await.ended.remove(0);
    assert!(ended.error.unwrap().contains("a second copy may do harm"));
    assert_eq!(world.events(Origin::Relay).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_takes_no_longer_than_its_timeout() {
    let world = World::new(ping(&json!({ "every": "1h", "timeout": "10m" }))).await;
    world.shop.hold("/");
    world.pass(4195).await;
    assert_eq!(world.ended().await, [0_i64; 0]);
    world.pass(10).await;
    let ended = world.state().await.ended.remove(0);
    assert!(ended.error.unwrap().contains("longer than"));
}

#[tokio::test(start_paused = true)]
async fn each_item_has_its_call_and_a_failure_is_an_event_too() {
    let items = json!([{ "amount": 1 }, { "amount": "no number" }, { "amount": 3 }]);
    let each = json!({ "service": "shop", "operation": "charge", "items": items });
    let world = World::new(json!({ "every": "1h", "each": each })).await;
    world.pass(3605).await;
    let events = world.events(Origin::Schedule("job".to_owned())).await;
    let types: Vec<_> = events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(types, ["charge.answer", "charge.failed", "charge.answer"]);
    assert_eq!(events[2].headers.get("nuncio-item"), Some(&b"2"[..]));
    let failed: Value = serde_json::from_slice(&events[1].body).unwrap();
    assert_eq!((&failed["index"], &failed["fate"]), (&json!(1), &json!("never_sent")), "{failed}");
    assert_eq!(world.shop.asked().len(), 2);
    let ended = world.state().await.ended.remove(0);
    assert_eq!((ended.events, ended.failures), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_run_over_a_file_goes_on_behind_the_item_whose_fate_is_unknown() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"{\"amount\":1}\n\n{\"amount\":2}\n{\"amount\":3}\n").unwrap();
    let each = json!({
        "service": "shop", "operation": "charge", "file": file.path(), "inputs": { "amount": "{{ item.amount }}" },
    });
    let mut world = World::new(json!({ "every": "1h", "each": each })).await;
    world.shop.hold("/");
    world.pass(3605).await;
    world.kill().await;
    world.shop.release();
    world.start();
    world.pass(30).await;
    let events = world.events(Origin::Schedule("job".to_owned())).await;
    let types: Vec<_> = events.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(types, ["charge.failed", "charge.answer", "charge.answer"]);
    assert_eq!(world.shop.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_run_does_not_go_on_behind_items_that_are_not_what_they_were() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n").unwrap();
    let each = json!({ "service": "shop", "operation": "list", "file": file.path(), "inputs": { "since": "{{ item.id }}" } });
    let mut world = World::new(json!({ "every": "1h", "each": each })).await;
    world.shop.hold("since=2");
    world.pass(3605).await;
    world.kill().await;
    std::fs::write(file.path(), "{\"id\":7}\n{\"id\":2}\n{\"id\":3}\n").unwrap();
    world.shop.release();
    world.start();
    world.pass(30).await;
    let ended = world.state().await.ended.remove(0);
    assert!(ended.error.as_ref().is_some_and(|error| error.contains("not what they were")), "{ended:?}");
    assert_eq!(world.bodies().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_nuncio_always_ends_in_is_given_up() {
    let mut world = World::new(pull(&json!({}))).await;
    world.shop.hold("/orders");
    world.pass(3605).await;
    for _ in 0..5 {
        world.kill().await;
        world.start();
        world.pass(30).await;
        assert!(world.state().await.run.is_some());
    }
    world.kill().await;
    world.start();
    world.pass(30).await;
    let ended = world.state().await.ended.remove(0);
    assert!(ended.error.as_ref().is_some_and(|error| error.contains("taken up 5 times")), "{ended:?}");
}
