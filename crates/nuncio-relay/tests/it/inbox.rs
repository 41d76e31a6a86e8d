//! Webhooks in.

use http::{HeaderMap, StatusCode};
use nuncio_relay::Origin;
use nuncio_relay::inbox::Received;
use nuncio_relay::store::DocumentKind;
use serde_json::json;

use crate::world::{SECRET, World};

fn github() -> (DocumentKind, &'static str, serde_json::Value) {
    (DocumentKind::Source, "github", json!({ "scheme": "github", "secrets": { "current": SECRET } }))
}

const EVENT: (&str, &str) = ("X-GitHub-Event", "push");

#[tokio::test]
async fn a_genuine_webhook_is_stored_as_it_arrived() {
    let world = World::new(&[github()]).await;
    let body = b"{\"ref\": \"caf\xc3\xa9\"}\r\n";
    let reply = world.send("github", "made-up-1", &[EVENT, ("X-Odd", "caf\u{e9}")], body).await;
    assert_eq!(reply.status, StatusCode::OK);
    let Received::Stored(id) = reply.received else { panic!("{reply:?}") };
    let event = world.store.event(id).await.unwrap().unwrap();
    assert_eq!((event.event_type.as_str(), &event.body[..]), ("push", &body[..]));
    assert_eq!(event.origin, Origin::Source("github".to_owned()));
    assert_eq!(event.headers.get("x-odd"), Some("caf\u{e9}".as_bytes()));
}

#[tokio::test]
async fn a_webhook_that_comes_again_is_acknowledged_and_not_stored() {
    let world = World::new(&[github()]).await;
    let first = world.send("github", "made-up-1", &[EVENT], b"{}").await;
    let Received::Stored(id) = first.received else { panic!("{first:?}") };
    let again = world.send("github", "made-up-1", &[EVENT], b"{\"other\": 1}").await;
    assert_eq!((again.status, again.received), (StatusCode::OK, Received::Duplicate(id)));
    assert_eq!(world.events().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_the_window_it_is_a_new_event() {
    let mut source = github();
    source.2["dedupe"] = json!({ "window": "1h" });
    let world = World::new(&[source]).await;
    world.send("github", "made-up-1", &[EVENT], b"{}").await;
    tokio::time::advance(std::time::Duration::from_secs(3_601)).await;
    let later = world.send("github", "made-up-1", &[EVENT], b"{}").await;
    assert!(matches!(later.received, Received::Stored(_)), "{later:?}");
}

#[tokio::test]
async fn events_are_the_same_by_an_expression_of_ones_own() {
    let mut source = github();
    source.2["dedupe"] = json!({ "key": ".body.after" });
    let world = World::new(&[source]).await;
    world.send("github", "one", &[], b"{\"after\": \"abc\"}").await;
    let again = world.send("github", "two", &[], b"{\"after\": \"abc\", \"n\": 2}").await;
    assert!(matches!(again.received, Received::Duplicate(_)), "{again:?}");
    let other = world.send("github", "two", &[], b"{\"after\": \"abd\"}").await;
    assert!(matches!(other.received, Received::Stored(_)), "{other:?}");
}

#[tokio::test]
async fn what_is_not_genuine_is_refused_and_kept_to_be_looked_at() {
    let world = World::new(&[github()]).await;
    let mut headers = HeaderMap::new();
    headers.insert("x-hub-signature-256", format!("sha256={}", "0".repeat(64)).parse().unwrap());
    let reply = world.receive("github", &headers, b"{}").await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    let kept = world.store.refused(Origin::Source("github".to_owned()), 9).await.unwrap();
    assert_eq!((kept.len(), &kept[0].body[..]), (1, &b"{}"[..]));
    // The only event is that of the relay itself, which tells of it.
    let events = world.events().await;
    assert_eq!(events.iter().map(|event| event.event_type.as_str()).collect::<Vec<_>>(), ["source.refusing"]);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_rubbish_is_told_of_once_an_hour_and_kept_ten_times_a_second() {
    let mut source = github();
    source.2["keep_refused"] = json!(10_000);
    let world = World::new(&[source]).await;
    for _ in 0..500 {
        world.receive("github", &HeaderMap::new(), b"{}").await;
        tokio::time::advance(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(world.events().await.len(), 1);
    let kept = world.store.refused(Origin::Source("github".to_owned()), 10_000).await.unwrap().len();
    assert_eq!(kept, 50);
    tokio::time::advance(std::time::Duration::from_secs(3_600)).await;
    world.receive("github", &HeaderMap::new(), b"{}").await;
    let event = world.store.event(world.events().await[0].id).await.unwrap().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&event.body).unwrap();
    assert_eq!(told["data"]["count"], 500);
}

#[tokio::test]
async fn a_handshake_is_answered_and_not_stored() {
    let slack = json!({ "scheme": "slack", "secrets": { "current": SECRET } });
    let world = World::new(&[(DocumentKind::Source, "slack", slack)]).await;
    let reply = world
        .send("slack", "made-up-1", &[], br#"{"type":"url_verification","challenge":"made-up-challenge"}"#)
        .await;
    assert_eq!((reply.status, reply.received), (StatusCode::OK, Received::Handshake));
    assert_eq!(&reply.body[..], b"made-up-challenge");
    assert!(world.events().await.is_empty());
}

#[tokio::test]
async fn a_source_that_is_not_there_is_not_found() {
    let world = World::new(&[]).await;
    let reply = world.receive("nobody", &HeaderMap::new(), b"{}").await;
    assert_eq!((reply.status, reply.received), (StatusCode::NOT_FOUND, Received::NoSource));
}

#[tokio::test]
async fn a_source_may_take_what_is_not_genuine_which_keeps_nothing_genuine_out() {
    let mut source = github();
    source.2["accept_unverified"] = json!(true);
    source.2["secrets"] = json!({ "current": "made-up-other-secret" });
    let world = World::new(&[source]).await;
    for _ in 0..2 {
        let reply = world.send("github", "made-up-1", &[EVENT], b"{}").await;
        assert_eq!(reply.status, StatusCode::OK);
        let Received::Unverified(id, refusal) = reply.received else { panic!("{reply:?}") };
        assert_eq!(refusal, nuncio_webhook::Refusal::NoMatch);
        assert_eq!(world.store.event(id).await.unwrap().unwrap().event_type, "push");
    }
    assert_eq!(world.events().await.len(), 2, "made up events are not taken for a repetition");
}
