//! Calls of operations of services.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use nuncio_relay::deliver::Targets;
use nuncio_relay::{Endpoint, Fault};
use nuncio_service::{Connection, Env, Service, Settings};
use serde_json::{Value, json};

use super::{Receiver, answer, attempt, endpoint, event, fault, reason, settings, try_endpoint};

const CHAT: &str = "
service: chat
base_url: https://chat.example.com
auth: { bearer: \"{{ env.CHAT_TOKEN }}\" }
idempotency: { header: idempotency-key }
errors: { when: body.ok == false, code: error }
operations:
  say: { post: /say, input: { channel: string!, text: string!, count: integer } }
";

/// Deliveries into the service at this place, and how often it was connected to.
fn targets(url: &str, env: Env) -> (Targets, Arc<AtomicU32>) {
    let (url, connected) = (url.to_owned(), Arc::new(AtomicU32::new(0)));
    let count = Arc::clone(&connected);
    let mut settings = settings();
    settings.connect = Arc::new(move |service, account| {
        assert_eq!((service, account), ("chat", Some("made-up-account")));
        count.fetch_add(1, Ordering::Relaxed);
        let settings = Settings { env: env.clone(), base_url: Some(url.clone()), ..Settings::default() };
        Box::pin(async move { Connection::new(Service::from_yaml(CHAT, "chat.yaml")?, settings) })
    });
    (Targets::new(settings), connected)
}

fn env() -> Env {
    Env::new(|name| (name == "CHAT_TOKEN").then(|| "made-up-chat-token".to_owned()))
}

fn say(inputs: Value) -> Arc<Endpoint> {
    let mut to =
        json!({ "operation": { "service": "chat", "operation": "say", "account": "made-up-account" } });
    to["operation"]["inputs"] = inputs;
    endpoint(to)
}

#[tokio::test]
async fn an_event_becomes_a_call_that_is_the_same_each_time() {
    let receiver =
        Receiver::start(|_| answer(200, &[("content-type", "application/json")], r#"{"ok":true}"#)).await;
    let (targets, connected) = targets(&receiver.url, env());
    let inputs = json!({
        "channel": "#made-up", "text": "{{ event.type }} by {{ event.body.who }} ({{ event.id }}, {{ event.headers['content-type'] }})",
        "count": "{{ event.body.count }}",
    });
    let event = event(r#"{"who":"ada","count":3}"#);
    for number in 1..=2 {
        let outcome = attempt(&targets, &say(inputs.clone()), &event, number).await;
        assert_eq!(
            (fault(&outcome), &outcome.excerpt[..]),
            (None, &br#"{"ok":true}"#[..]),
            "{}",
            reason(&outcome)
        );
    }
    let seen = receiver.seen();
    let text = format!("order.paid by ada ({}, application/json)", event.id);
    for seen in &seen {
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(body, json!({ "channel": "#made-up", "text": text, "count": 3 }));
        assert!(seen.header("idempotency-key").starts_with(&format!("{}-", event.id)));
        assert_eq!(seen.header("authorization"), "Bearer made-up-chat-token");
    }
    assert_eq!(seen[0].header("idempotency-key"), seen[1].header("idempotency-key"));
    assert_eq!((seen.len(), connected.load(Ordering::Relaxed)), (2, 1));
}

#[tokio::test]
async fn a_failed_call_is_one_request_and_says_what_failed() {
    let inputs = json!({ "channel": "#made-up", "text": "hello" });
    for (status, body, expected) in [
        (200, r#"{"ok":false,"error":"channel_not_found"}"#, Fault::Refused),
        (404, "{}", Fault::Refused),
        (410, "{}", Fault::Refused),
        (401, "{}", Fault::Misconfigured),
        (429, "{}", Fault::Throttled),
        (503, "{}", Fault::Throttled),
        (500, "{}", Fault::Unavailable),
    ] {
        let receiver =
            Receiver::start(move |_| answer(status, &[("content-type", "application/json")], body)).await;
        let outcome = attempt(&targets(&receiver.url, env()).0, &say(inputs.clone()), &event("{}"), 1).await;
        assert_eq!((fault(&outcome), outcome.status), (Some(expected), Some(status)), "{}", reason(&outcome));
        assert_eq!(receiver.seen().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn what_one_event_lacks_is_no_fault_of_the_settings_and_missing_credentials_are() {
    let receiver = Receiver::answering(200).await;
    let lacking = say(json!({ "channel": "#made-up", "text": "{{ event.body.missing }}" }));
    let wrong = say(json!({ "channel": "#made-up", "text": "hello", "count": "{{ event.type }}" }));
    for endpoint in [lacking, wrong] {
        let outcome = attempt(&targets(&receiver.url, env()).0, &endpoint, &event("{}"), 1).await;
        assert_eq!(fault(&outcome), Some(Fault::Refused), "{}", reason(&outcome));
    }
    let good = say(json!({ "channel": "#made-up", "text": "hello" }));
    let outcome = attempt(&targets(&receiver.url, Env::default()).0, &good, &event("{}"), 1).await;
    assert_eq!(fault(&outcome), Some(Fault::Misconfigured));
    assert!(reason(&outcome).contains("CHAT_TOKEN"), "{}", reason(&outcome));
    assert!(receiver.seen().is_empty());
}

#[test]
fn a_template_that_cannot_be_read_is_refused_beforehand() {
    let to =
        json!({ "operation": { "service": "chat", "operation": "say", "inputs": { "text": "{{ event." } } });
    assert!(try_endpoint(to, Env::default()).is_err());
}
