//! Calls of services one after the other, and calls of which nobody knows whether they were made.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use axum::body::Body;
use axum::http::Response;
use jiff::Timestamp;
use nuncio_client::Clock;
use nuncio_relay::deliver::Targets;
use nuncio_relay::store::{Settlement, Store, Then};
use nuncio_relay::{Begun, Deliver as _, Endpoint, Event, Fault, Journal, Outcome, Progress};
use nuncio_service::{Connection, Env, Service};
use serde_json::{Value, json};

use super::{
    NOW, Receiver, Seen, answer, endpoint, event, fault, lease, owing, reason, settings, try_endpoint,
};

const SHOP: &str = "
service: shop
base_url: https://shop.example.com
operations:
  customer: { get: \"/customers/{id}\", input: { id: string! } }
  say: { post: /say, input: { text: string!, to: string } }
  note: { post: /note, input: { text: string! } }
";

const KEYED: &str = "
service: bank
base_url: https://bank.example.com
idempotency: { header: idempotency-key }
operations:
  pay: { post: /pay, input: { text: string! } }
";

const SLOW: &str = "
service: slow
base_url: https://slow.example.com
limits: [{ capacity: 1, refill: 1/h }]
operations:
  say: { post: /say }
";

/// Deliveries into services that are played at this place.
fn targets(url: &str) -> Targets {
    targets_at(url, NOW)
}

/// Likewise, at this time of day.
fn targets_at(url: &str, now: u64) -> Targets {
    let (url, mut settings) = (url.to_owned(), settings());
    settings.clock = Clock::fixed(UNIX_EPOCH + Duration::from_secs(now));
    settings.connect = Arc::new(move |service, _| {
        let text = match service {
            "bank" => KEYED,
            "slow" => SLOW,
            _ => SHOP,
        };
        let settings = nuncio_service::Settings { base_url: Some(url.clone()), ..Default::default() };
        Box::pin(async move { Connection::new(Service::from_yaml(text, "made-up.yaml")?, settings) })
    });
    Targets::new(settings)
}

/// One worker after the other, each with what the one before left in the store.
struct Desk {
    store: Arc<dyn Store>,
    event: Event,
    targets: Targets,
}

impl Desk {
    async fn new(url: &str, event: Event) -> Self {
        Self { store: owing(&event).await, targets: targets(url), event }
    }

    /// An attempt, and what was leased and not settled.
    async fn attempt(&self, endpoint: &Arc<Endpoint>) -> (Outcome, nuncio_relay::store::Lease) {
        let leased = lease(&*self.store).await;
        assert_eq!(leased.event, self.event);
        let lease = leased.lease;
        let journal = Journal::new(Arc::clone(&self.store), lease);
        (self.targets.deliver("made-up", Arc::clone(endpoint), leased, journal).await, lease)
    }

    /// An attempt that is settled, so that another can follow.
    async fn settled(&self, endpoint: &Arc<Endpoint>) -> Outcome {
        let (outcome, lease) = self.attempt(endpoint).await;
        let is_over = outcome.result.as_ref().map_or_else(|failure| failure.is_final, |()| true);
        let now = Timestamp::from_second(NOW as i64).unwrap();
        let then = match outcome.result.is_ok() {
            true => Then::Delivered,
            false if is_over => Then::Dead,
            false => Then::Retry(now),
        };
        let progress = outcome.progress.clone();
        let settlement =
            Settlement { lease, now, attempt: None, progress, then, health: None, tell: Vec::new() };
        self.store.settle(settlement).await.unwrap();
        outcome
    }

    async fn send_again(&self) {
        let now = Timestamp::from_second(NOW as i64).unwrap();
        let all =
            self.store.deliveries(nuncio_relay::store::DeliveryQuery { limit: 9, ..Default::default() });
        let id = all.await.unwrap().items[0].id;
        self.store.resend(vec![id], now, None).await.unwrap();
    }
}

fn is_final(outcome: &Outcome) -> bool {
    outcome.result.as_ref().is_err_and(|failure| failure.is_final)
}

fn operations(operations: &Value) -> Arc<Endpoint> {
    endpoint(json!({ "operations": operations }))
}

fn say() -> Value {
    json!({ "service": "shop", "operation": "say", "inputs": { "text": "hello" } })
}

fn ok(_: &Seen) -> Response<Body> {
    answer(200, &[("content-type", "application/json")], r#"{"email":"ada@example.com","vip":true}"#)
}

fn paths(receiver: &Receiver) -> Vec<String> {
    receiver.seen().iter().map(|seen| seen.uri.path().to_owned()).collect()
}

#[tokio::test]
async fn each_call_gets_to_see_the_answers_before_it() {
    let receiver = Receiver::start(ok).await;
    let endpoint = operations(&json!([
        { "name": "customer", "service": "shop", "operation": "customer", "inputs": { "id": "{{ event.body.customer }}" } },
        { "name": "poor", "when": ".answers.customer.vip | not", "service": "shop", "operation": "note", "inputs": { "text": "x" } },
        { "service": "shop", "operation": "note", "inputs": { "text": "{{ answers.customer.email }}" } },
        { "when": ".answers.customer.vip", "service": "shop", "operation": "say",
          "inputs": "{text: \"\\(.type) of \\(.answers.customer.email)\", to: .body.customer}" },
    ]));
    let desk = Desk::new(&receiver.url, event(r#"{"customer":"cus_1"}"#)).await;
    let outcome = desk.settled(&endpoint).await;
    assert_eq!((fault(&outcome), outcome.step.as_deref()), (None, Some("say")), "{}", reason(&outcome));
    assert_eq!(paths(&receiver), ["/customers/cus_1", "/note", "/say"]);
    let bodies = receiver.seen().iter().skip(1).map(|seen| seen.body.clone()).collect::<Vec<_>>();
    assert_eq!(bodies[0], r#"{"text":"ada@example.com"}"#);
    assert_eq!(bodies[1], r#"{"text":"order.paid of ada@example.com","to":"cus_1"}"#);
}

#[tokio::test]
async fn calls_that_were_made_are_not_made_again_by_the_next_attempt() {
    let status = Arc::new(AtomicU16::new(429));
    let told = Arc::clone(&status);
    let receiver = Receiver::start(move |seen| match seen.uri.path() {
        "/note" => answer(told.load(Ordering::Relaxed), &[], "not now"),
        _ => ok(seen),
    })
    .await;
    let note = json!({ "name": "write-down", "service": "shop", "operation": "note", "inputs": { "text": "{{ answers.say.email }}" } });
    let endpoint = operations(&json!([say(), note]));
    let desk = Desk::new(&receiver.url, event("{}")).await;
    let outcome = desk.settled(&endpoint).await;
    assert_eq!((fault(&outcome), outcome.step.as_deref()), (Some(Fault::Throttled), Some("write-down")));
    assert!(reason(&outcome).starts_with("write-down (shop note): "), "{}", reason(&outcome));
    assert!(!is_final(&outcome));
    status.store(200, Ordering::Relaxed);
    assert_eq!(fault(&desk.settled(&endpoint).await), None);
    assert_eq!(paths(&receiver), ["/say", "/note", "/note"]);
}

#[tokio::test]
async fn a_call_whose_fate_is_unknown_is_given_up_and_goes_on_when_somebody_sends_it_again() {
    let status = Arc::new(AtomicU16::new(500));
    let told = Arc::clone(&status);
    let receiver = Receiver::start(move |seen| match seen.uri.path() {
        "/say" => answer(told.load(Ordering::Relaxed), &[], "{}"),
        _ => ok(seen),
    })
    .await;
    let note = json!({ "service": "shop", "operation": "note", "inputs": { "text": "x" } });
    let endpoint = operations(&json!([note, say()]));
    let desk = Desk::new(&receiver.url, event("{}")).await;
    let outcome = desk.settled(&endpoint).await;
    assert!(is_final(&outcome) && reason(&outcome).contains("may have been made"), "{}", reason(&outcome));
    status.store(200, Ordering::Relaxed);
    desk.send_again().await;
    assert_eq!(fault(&desk.settled(&endpoint).await), None);
    assert_eq!(paths(&receiver), ["/note", "/say", "/say"]);
}

#[tokio::test]
async fn what_a_dead_worker_had_begun_is_not_begun_again() {
    let receiver = Receiver::start(ok).await;
    let endpoint = endpoint(json!({ "operation": say() }));
    let desk = Desk::new(&receiver.url, event("{}")).await;
    // The message is there, and whoever sent it died before he could say so.
    let (outcome, _) = desk.attempt(&endpoint).await;
    assert_eq!((fault(&outcome), receiver.seen().len()), (None, 1));
    let outcome = desk.settled(&endpoint).await;
    assert!(is_final(&outcome) && reason(&outcome).contains("was cut off"), "{}", reason(&outcome));
    assert_eq!(receiver.seen().len(), 1);
}

#[tokio::test]
async fn what_may_be_repeated_is_repeated_whatever_became_of_it() {
    let receiver = Receiver::start(ok).await;
    let customer = json!({ "service": "shop", "operation": "customer", "inputs": { "id": "1" } });
    let mut risky = say();
    risky["retry_unknown"] = json!(true);
    for to in [customer, risky] {
        let endpoint = endpoint(json!({ "operation": to }));
        let desk = Desk::new(&receiver.url, event("{}")).await;
        for _ in 0..2 {
            assert_eq!(fault(&desk.attempt(&endpoint).await.0), None);
        }
    }
    assert_eq!(receiver.seen().len(), 4);
}

#[tokio::test]
async fn an_idempotency_key_is_good_for_a_day() {
    let receiver = Receiver::start(ok).await;
    let endpoint = endpoint(
        json!({ "operation": { "service": "bank", "operation": "pay", "inputs": { "text": "x" } } }),
    );
    for (hours, is_made) in [(23, true), (25, false)] {
        let mut desk = Desk::new(&receiver.url, event("{}")).await;
        let before = receiver.seen().len();
        desk.attempt(&endpoint).await;
        desk.targets = targets_at(&receiver.url, NOW + hours * 3600);
        let outcome = desk.settled(&endpoint).await;
        assert_eq!(
            (receiver.seen().len() - before, is_final(&outcome)),
            if is_made { (2, false) } else { (1, true) }
        );
    }
    let keys: Vec<_> = receiver.seen().iter().map(|seen| seen.header("idempotency-key").to_owned()).collect();
    assert_eq!(keys[0], keys[1]);
}

#[tokio::test]
async fn a_key_ages_from_the_first_attempt_of_which_nothing_is_known() {
    let receiver = Receiver::answering(500).await;
    let endpoint = endpoint(
        json!({ "operation": { "service": "bank", "operation": "pay", "inputs": { "text": "x" } } }),
    );
    let mut desk = Desk::new(&receiver.url, event("{}")).await;
    for (hours, is_over) in [(0, false), (13, false), (25, true)] {
        desk.targets = targets_at(&receiver.url, NOW + hours * 3600);
        let outcome = desk.settled(&endpoint).await;
        assert_eq!(is_final(&outcome), is_over, "after {hours} h: {}", reason(&outcome));
    }
    assert_eq!(receiver.seen().len(), 2);
}

#[tokio::test]
async fn what_an_earlier_attempt_may_have_done_stays_in_doubt_whatever_came_of_a_later_one() {
    let count = AtomicU16::new(0);
    let receiver = Receiver::start(move |_| {
        let is_first = count.fetch_add(1, Ordering::Relaxed) == 0;
        answer(if is_first { 500 } else { 400 }, &[], "")
    })
    .await;
    let endpoint = endpoint(
        json!({ "operation": { "service": "bank", "operation": "pay", "inputs": { "text": "x" } } }),
    );
    let mut desk = Desk::new(&receiver.url, event("{}")).await;
    for (hours, is_over) in [(0, false), (1, false), (25, true)] {
        desk.targets = targets_at(&receiver.url, NOW + hours * 3600);
        let outcome = desk.settled(&endpoint).await;
        assert_eq!(is_final(&outcome), is_over, "after {hours} h: {}", reason(&outcome));
    }
    assert_eq!(receiver.seen().len(), 2);
}

#[tokio::test]
async fn a_call_that_was_made_is_remembered_when_the_worker_dies_at_the_next() {
    let status = Arc::new(AtomicU16::new(429));
    let told = Arc::clone(&status);
    let receiver = Receiver::start(move |seen| match seen.uri.path() {
        "/say" => ok(seen),
        _ => answer(told.load(Ordering::Relaxed), &[], "{}"),
    })
    .await;
    let customer = json!({ "service": "shop", "operation": "customer", "inputs": { "id": "1" } });
    let endpoint = operations(&json!([say(), customer]));
    let desk = Desk::new(&receiver.url, event("{}")).await;
    assert_eq!(fault(&desk.attempt(&endpoint).await.0), Some(Fault::Throttled));
    status.store(200, Ordering::Relaxed);
    let outcome = desk.settled(&endpoint).await;
    assert_eq!(fault(&outcome), None, "{}", reason(&outcome));
    assert_eq!(paths(&receiver), ["/say", "/customers/1", "/customers/1"]);
}

#[tokio::test]
async fn a_call_that_waited_for_its_turn_in_vain_was_never_made() {
    let receiver = Receiver::start(ok).await;
    let settings = json!({
        "from": "source/shop",
        "to": { "operation": { "service": "slow", "operation": "say" } },
        "delivery": { "timeout": "300ms" },
    });
    let endpoint =
        Arc::new(Endpoint::new(serde_json::from_value(settings).unwrap(), Env::default()).unwrap());
    let desk = Desk::new(&receiver.url, event("{}")).await;
    assert_eq!(fault(&desk.settled(&endpoint).await), None);
    desk.send_again().await;
    for _ in 0..2 {
        let outcome = desk.settled(&endpoint).await;
        assert!(outcome.result.is_err() && !is_final(&outcome), "{}", reason(&outcome));
    }
    assert_eq!(receiver.seen().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_kept() {
    let receiver = Receiver::start(|_| answer(200, &[], "x".repeat(64 * 1024 + 1))).await;
    let mut note = json!({ "service": "shop", "operation": "note", "inputs": { "text": "x" } });
    note["when"] = json!(".answers.say == null and (.answers | has(\"say\"))");
    let desk = Desk::new(&receiver.url, event("{}")).await;
    desk.settled(&operations(&json!([say(), note]))).await;
    assert_eq!(paths(&receiver), ["/say", "/note"]);
}

#[tokio::test]
async fn keys_differ_by_endpoint_step_and_round() {
    let receiver = Receiver::start(ok).await;
    let pay = |name: &str| json!({ "name": name, "service": "bank", "operation": "pay", "inputs": { "text": "x" } });
    let both = operations(&json!([pay("one"), pay("two")]));
    let desk = Desk::new(&receiver.url, event("{}")).await;
    desk.settled(&both).await;
    desk.send_again().await;
    desk.settled(&both).await;
    let other = Desk::new(&receiver.url, event("{}")).await;
    let leased = lease(&*other.store).await;
    let journal = Journal::new(Arc::clone(&other.store), leased.lease);
    other.targets.deliver("another", both, leased, journal).await;
    let mut keys: Vec<_> =
        receiver.seen().iter().map(|seen| seen.header("idempotency-key").to_owned()).collect();
    assert!(keys.iter().all(|key| key.starts_with(&desk.event.id.to_string()) && key.len() < 64), "{keys:?}");
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 6);
}

#[tokio::test]
async fn a_call_that_began_and_is_not_set_up_any_more_is_told_of() {
    let receiver = Receiver::start(ok).await;
    let desk = Desk::new(&receiver.url, event("{}")).await;
    let leased = lease(&*desk.store).await;
    let at = Timestamp::from_second(NOW as i64).unwrap();
    let begun = [("gone".to_owned(), Begun { at, keyed: true })].into();
    assert!(desk.store.note(leased.lease, Progress { begun, ..Progress::default() }).await.unwrap());
    let outcome = desk.settled(&endpoint(json!({ "operation": say() }))).await;
    assert!(is_final(&outcome) && reason(&outcome).contains("gone began"), "{}", reason(&outcome));
    assert!(receiver.seen().is_empty());
}

#[tokio::test]
async fn whoever_lost_the_delivery_sends_nothing() {
    let receiver = Receiver::start(ok).await;
    let desk = Desk::new(&receiver.url, event("{}")).await;
    let late = lease(&*desk.store).await;
    lease(&*desk.store).await;
    let journal = Journal::new(Arc::clone(&desk.store), late.lease);
    let outcome =
        desk.targets.deliver("made-up", endpoint(json!({ "operation": say() })), late, journal).await;
    assert!(reason(&outcome).contains("took the delivery over"), "{}", reason(&outcome));
    assert!(receiver.seen().is_empty());
}

#[tokio::test]
async fn a_condition_or_inputs_that_fail_are_a_failed_attempt() {
    let receiver = Receiver::start(ok).await;
    let mut condition = say();
    condition["when"] = json!(".body.text | length > 2 and error(\"no\")");
    let mut inputs = say();
    inputs["inputs"] = json!("[.body]");
    for to in [condition, inputs] {
        let desk = Desk::new(&receiver.url, event(r#"{"text":"abc"}"#)).await;
        let outcome = desk.settled(&endpoint(json!({ "operation": to }))).await;
        assert_eq!(
            (fault(&outcome), is_final(&outcome)),
            (Some(Fault::Refused), false),
            "{}",
            reason(&outcome)
        );
        assert!(reason(&outcome).starts_with("shop say: "), "{}", reason(&outcome));
    }
    assert!(receiver.seen().is_empty());
}

#[test]
fn what_cannot_be_a_course_of_calls_is_refused_beforehand() {
    let mut wrong_jq = say();
    wrong_jq["inputs"] = json!("{{ event.body }}");
    let mut wrong_when = say();
    wrong_when["when"] = json!("now > 1");
    for (operations, why) in [
        (json!([]), "1 to 5"),
        (json!([say(), say(), say(), say(), say(), say()]), "1 to 5"),
        (json!([say(), say()]), "two operations are called \"say\""),
        (json!([wrong_jq]), "is not jq"),
        (json!([wrong_when]), "uses now"),
        (
            json!([{ "service": "shop", "operation": "say", "inputs": 3 }]),
            "an object of values and templates",
        ),
    ] {
        let error =
            try_endpoint(json!({ "operations": operations }), Env::default()).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}
