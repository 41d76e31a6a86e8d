//! The tests that every store must pass.
//!
//! ```
//! nuncio_relay::store_suite!(nuncio_relay::store::MemoryStore::new());
//! # fn main() {}
//! ```

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(missing_docs, reason = "each is named after the rule it holds")]

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use nuncio_client::Random;

use crate::{Attempt, Begun, Event, EventId, Headers, Origin, Progress};

use super::{
    Activity, Advance, Append, Appended, Change, DeliveryQuery, Document, DocumentKind, EventQuery, From,
    HealthChange, KeptSchedule, Lately, Lease, LeaseRequest, Leased, MemoryStore, Owed, Refused, Settled,
    Settlement, Store, StoreError, Then, Trim, Unique,
};
use crate::State;

/// The tests of the suite for one kind of store. The expression makes an empty one; it may give a tuple whose first member is the store.
#[macro_export]
macro_rules! store_suite {
    ($make:expr) => {
        $crate::store_suite!(@each $make,
            an_event_is_read_as_it_was_stored,
            an_event_that_is_there_already_is_told,
            a_key_counts_within_its_window_and_origin,
            an_endpoint_that_does_not_exist_is_owed_nothing,
            no_two_leases_of_a_delivery_are_live,
            a_lease_that_ended_is_taken_over_and_void,
            what_a_wrong_clock_made_due_is_taken_at_once,
            a_lease_is_settled_once,
            progress_is_noted_by_whoever_holds_the_lease,
            progress_is_settled_with_the_attempt_or_stays,
            what_is_sent_again_goes_on_or_begins_anew,
            an_attempt_that_was_not_made_does_not_count,
            a_disabled_endpoint_gives_no_leases,
            deliveries_of_a_key_go_one_after_the_other,
            a_void_settlement_tells_nothing,
            what_is_told_is_stored_with_the_settlement,
            a_dead_letter_is_made_due_again,
            pages_follow_each_other_without_gap_or_repeat,
            settings_change_all_or_none,
            an_event_that_is_owed_is_not_trimmed,
            only_the_newest_refusals_are_kept,
            events_are_found_by_text_and_state_however_few_are_looked_at,
            what_went_on_lately_is_counted_within_bounds,
            a_step_of_a_schedule_is_whole_and_of_whoever_read_last,
            nothing_is_kept_of_a_schedule_that_is_not_set_up,
            it_does_what_the_model_does,
        );
    };
    (@each $make:expr, $($rule:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $rule() {
                let made = $make;
                $crate::store::suite::$rule($crate::store::suite::Made::store(&made)).await;
            }
        )*
    };
}

/// What [`store_suite`](crate::store_suite) is given: a store, or a store and what has to live as long.
pub trait Made {
    /// The store.
    fn store(&self) -> &dyn Store;
}

impl<S: Store> Made for S {
    fn store(&self) -> &dyn Store {
        self
    }
}

impl<S: Store, T> Made for (S, T) {
    fn store(&self) -> &dyn Store {
        &self.0
    }
}

/// In milliseconds.
const LONGEST_WAIT: i64 = 86_400_000;

/// So many milliseconds after the beginning of the tests.
fn at(millis: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_millis(1_760_000_000_000 + millis)
}

fn source() -> Origin {
    Origin::Source("shop".to_owned())
}

fn event(number: u64, millis: i64) -> Event {
    Event {
        id: EventId::new(at(millis), &Random::seeded(number)),
        origin: source(),
        event_type: format!("order.{}", number % 3),
        at: at(millis),
        headers: Headers(vec![
            ("x-number".to_owned(), Bytes::from(number.to_string())),
            ("x-number".to_owned(), Bytes::from_static(b"caf\xe9: yes")),
        ]),
        body: Bytes::from(format!("{{\"n\":{number}}}\r\n\0")),
    }
}

fn owed(endpoint: &str, key: Option<&str>, due: i64) -> Owed {
    Owed { endpoint: endpoint.to_owned(), order_key: key.map(str::to_owned), due: at(due) }
}

fn append(number: u64, millis: i64, owed: Vec<Owed>) -> Append {
    Append { event: event(number, millis), unique: None, owed }
}

fn keyed(number: u64, millis: i64, key: &str, since: i64) -> Append {
    let unique = Unique { key: key.to_owned(), since: at(since) };
    Append { unique: Some(unique), ..append(number, millis, vec![]) }
}

fn document(kind: DocumentKind, name: &str) -> Document {
    Document { kind, name: name.to_owned(), from_file: false, value: serde_json::json!({ "name": name }) }
}

async fn with_endpoints(store: &dyn Store, names: &[&str]) {
    let put = |name: &&str| Change::Put(document(DocumentKind::Endpoint, name));
    store.change(names.iter().map(put).collect(), None).await.unwrap();
}

async fn lease(store: &dyn Store, endpoint: &str, now: i64, until: i64) -> Vec<Leased> {
    let request = LeaseRequest {
        endpoint: endpoint.to_owned(),
        now: at(now),
        until: at(until),
        latest: at(now + LONGEST_WAIT),
        limit: 100,
    };
    store.lease(vec![request]).await.unwrap().remove(0).taken
}

fn settlement(lease: Lease, now: i64, then: Then) -> Settlement {
    let attempt = Attempt {
        number: 1,
        at: at(now),
        took: std::time::Duration::from_micros(1_234),
        status: Some(503),
        step: Some("tell".to_owned()),
        error: Some("the server said no".to_owned()),
        excerpt: Bytes::from_static(b"<html>\xff"),
    };
    Settlement {
        lease,
        now: at(now),
        attempt: Some(attempt),
        progress: None,
        then,
        health: None,
        tell: vec![],
    }
}

async fn owed_to(store: &dyn Store, endpoint: &str) -> Vec<crate::Delivery> {
    let query =
        DeliveryQuery { endpoint: Some(endpoint.to_owned()), limit: 1000, ..DeliveryQuery::default() };
    store.deliveries(query).await.unwrap().items
}

pub async fn an_event_is_read_as_it_was_stored(store: &dyn Store) {
    let event = event(1, 5);
    let append = Append { event: event.clone(), unique: None, owed: vec![] };
    assert_eq!(store.append(append).await.unwrap(), Appended::Stored);
    assert_eq!(store.event(event.id).await.unwrap(), Some(event.clone()));
    let summary =
        store.events(EventQuery { limit: 10, ..EventQuery::default() }).await.unwrap().items.remove(0);
    assert_eq!((summary.id, summary.at, summary.body_bytes), (event.id, event.at, event.body.len() as u64));
    assert_eq!(store.event(EventId::from_bytes([1; 16])).await.unwrap(), None);
}

pub async fn an_event_that_is_there_already_is_told(store: &dyn Store) {
    with_endpoints(store, &["a"]).await;
    let mut first = keyed(1, 0, "evt_1", -1000);
    first.owed.push(owed("a", None, 0));
    let id = first.event.id;
    assert_eq!(store.append(first.clone()).await.unwrap(), Appended::Stored);
    assert_eq!(store.append(first).await.unwrap(), Appended::Duplicate { id, same_body: true });
    let other = keyed(2, 1, "evt_1", -1000);
    assert_eq!(store.append(other).await.unwrap(), Appended::Duplicate { id, same_body: false });
    assert_eq!(store.stats().await.unwrap().events, 1);
    assert_eq!(owed_to(store, "a").await.len(), 1);
}

pub async fn a_key_counts_within_its_window_and_origin(store: &dyn Store) {
    assert_eq!(store.append(keyed(1, 0, "k", -10)).await.unwrap(), Appended::Stored);
    assert!(matches!(store.append(keyed(2, 10, "k", 0)).await.unwrap(), Appended::Duplicate { .. }));
    assert_eq!(store.append(keyed(3, 11, "k", 1)).await.unwrap(), Appended::Stored);
    assert_eq!(store.append(keyed(4, 12, "K", 2)).await.unwrap(), Appended::Stored);
    let mut elsewhere = keyed(5, 12, "k", 2);
    elsewhere.event.origin = Origin::Application("shop".to_owned());
    assert_eq!(store.append(elsewhere).await.unwrap(), Appended::Stored);
    assert_eq!(store.append(append(6, 12, vec![])).await.unwrap(), Appended::Stored);
    assert_eq!(store.append(append(7, 12, vec![])).await.unwrap(), Appended::Stored);
}

pub async fn an_endpoint_that_does_not_exist_is_owed_nothing(store: &dyn Store) {
    with_endpoints(store, &["a", "gone"]).await;
    let both = || vec![owed("a", None, 0), owed("gone", None, 0), owed("never", None, 0)];
    store.append(append(1, 0, both())).await.unwrap();
    assert_eq!(store.stats().await.unwrap().waiting, 2);
    store.change(vec![Change::Remove(DocumentKind::Endpoint, "gone".to_owned())], None).await.unwrap();
    store.append(append(2, 0, both())).await.unwrap();
    assert_eq!(store.stats().await.unwrap().waiting, 2);
    assert!(owed_to(store, "gone").await.is_empty());
    assert!(lease(store, "gone", 1, 9).await.is_empty());
}

pub async fn no_two_leases_of_a_delivery_are_live(store: &dyn Store) {
    with_endpoints(store, &["a"]).await;
    store.append(append(1, 0, vec![owed("a", None, 10)])).await.unwrap();
    assert!(lease(store, "a", 9, 100).await.is_empty());
    let taken = lease(store, "a", 10, 100).await;
    assert_eq!((taken.len(), taken[0].attempt, &taken[0].event), (1, 1, &event(1, 0)));
    assert!(lease(store, "a", 99, 200).await.is_empty());
}

pub async fn a_lease_that_ended_is_taken_over_and_void(store: &dyn Store) {
    with_endpoints(store, &["a"]).await;
    store.append(append(1, 0, vec![owed("a", None, 0)])).await.unwrap();
    let first = lease(store, "a", 0, 100).await.remove(0);
    let second = lease(store, "a", 100, 200).await.remove(0);
    assert_eq!(second.attempt, 2);
    assert_eq!(store.settle(settlement(first.lease, 101, Then::Delivered)).await.unwrap(), Settled::Void);
    assert_eq!(owed_to(store, "a").await[0].state, State::Waiting);
    assert_eq!(
        store.settle(settlement(second.lease, 102, Then::Delivered)).await.unwrap(),
        Settled::Done { next: None }
    );
    assert_eq!(owed_to(store, "a").await[0].state, State::Delivered);
}

pub async fn what_a_wrong_clock_made_due_is_taken_at_once(store: &dyn Store) {
    with_endpoints(store, &["a", "b"]).await;
    for (number, due) in [(1, 50 + LONGEST_WAIT), (2, 51 + LONGEST_WAIT), (3, 40)] {
        store.append(append(number, 0, vec![owed("a", None, due)])).await.unwrap();
    }
    let numbers = |taken: Vec<Leased>| {
        taken.iter().map(|leased| leased.event.headers.0[0].1.clone()).collect::<Vec<_>>()
    };
    assert_eq!(numbers(lease(store, "a", 50, 100).await), ["3", "2"]);
    assert!(lease(store, "a", 50, 100).await.is_empty());
    assert_eq!(numbers(lease(store, "a", 49, 100).await), ["1"]);
}

pub async fn a_lease_is_settled_once(store: &dyn Store) {
    with_endpoints(store, &["a"]).await;
    store.append(append(1, 0, vec![owed("a", None, 0)])).await.unwrap();
    let leased = lease(store, "a", 0, 100).await.remove(0);
    let retry = settlement(leased.lease, 1, Then::Retry(at(50)));
    assert_eq!(store.settle(retry.clone()).await.unwrap(), Settled::Done { next: None });
    assert_eq!(store.settle(retry).await.unwrap(), Settled::Void);
    let delivery = owed_to(store, "a").await.remove(0);
    assert_eq!((delivery.due, delivery.attempts), (Some(at(50)), 1));
    assert_eq!(store.attempts(delivery.id).await.unwrap().len(), 1);
}

fn progress(round: u32, begun: &[&str], answered: &[&str]) -> Progress {
    let mark = |step: &&str| ((*step).to_owned(), Begun { at: at(1), keyed: false });
    let answer = |step: &&str| ((*step).to_owned(), format!("{{\"n\":1.00,\"step\":\"{step}\"}}"));
    Progress {
        round,
        begun: begun.iter().map(mark).collect(),
        answers: answered.iter().map(answer).collect(),
    }
}

pub async fn progress_is_noted_by_whoever_holds_the_lease(store: &dyn Store) {
    with_endpoints(store, &["a"]).await;
    store.append(append(1, 0, vec![owed("a", None, 0)])).await.unwrap();
    let first = lease(store, "a", 0, 100).await.remove(0);
    assert_eq!(first.progress, Progress::default());
    assert!(store.note(first.lease, progress(0, &["tell"], &[])).await.unwrap());
    let second = lease(store, "a", 100, 200).await.remove(0);
    assert_eq!(second.progress, progress(0, &["tell"], &[]));
    assert!(!store.note(first.lease, progress(0, &[], &["late"])).await.unwrap());
    assert!(store.note(second.lease, progress(0, &["write"], &["tell"])).await.unwrap());
    store.settle(settlement(second.lease, 101, Then::Retry(at(101)))).await.unwrap();
    assert!(!store.note(second.lease, Progress::default()).await.unwrap());
    assert!(
        !store.note(Lease { delivery: crate::DeliveryId(9), fence: 1 }, Progress::default()).await.unwrap()
    );
    assert_eq!(lease(store, "a", 101, 200).await[0].progress, progress(0, &["write"], &["tell"]));
}

pub async fn progress_is_settled_with_the_attempt_or_stays(store: &dyn Store) {
    with_endpoints(store, &["a"]).await;
    store.append(append(1, 0, vec![owed("a", None, 0)])).await.unwrap();
    let first = lease(store, "a", 0, 10).await.remove(0);
    store.note(first.lease, progress(0, &["tell"], &[])).await.unwrap();
    let second = lease(store, "a", 10, 20).await.remove(0);
    let settle =
        |lease, now, progress| Settlement { progress, ..settlement(lease, now, Then::Retry(at(now))) };
    let late = settle(first.lease, 11, Some(progress(0, &[], &["late"])));
    assert_eq!(store.settle(late).await.unwrap(), Settled::Void);
    store.settle(settle(second.lease, 12, None)).await.unwrap();
    let third = lease(store, "a", 12, 20).await.remove(0);
    assert_eq!(third.progress, progress(0, &["tell"], &[]));
    store.settle(settle(third.lease, 13, Some(Progress::default()))).await.unwrap();
    assert_eq!(lease(store, "a", 13, 20).await[0].progress, Progress::default());
}

pub async fn what_is_sent_again_goes_on_or_begins_anew(store: &dyn Store) {
    with_endpoints(store, &["a"]).await;
    store.append(append(1, 0, vec![owed("a", None, 0)])).await.unwrap();
    let known = progress(2, &["tell"], &["customer"]);
    for (now, then, expected) in [
        (10, Then::Retry(at(10)), known.clone()),
        (20, Then::Dead, progress(2, &[], &["customer"])),
        (30, Then::Delivered, progress(3, &[], &[])),
    ] {
        let leased = lease(store, "a", now, now + 5).await.remove(0);
        let settled = Settlement { progress: Some(known.clone()), ..settlement(leased.lease, now, then) };
        store.settle(settled).await.unwrap();
        assert_eq!(store.resend(vec![leased.lease.delivery], at(now + 1), None).await.unwrap(), 1);
        let again = lease(store, "a", now + 1, now + 5).await.remove(0);
        assert_eq!(again.progress, expected);
    }
}

pub async fn an_attempt_that_was_not_made_does_not_count(store: &dyn Store) {
    with_endpoints(store, &["a"]).await;
    store.append(append(1, 0, vec![owed("a", None, 0)])).await.unwrap();
    let leased = lease(store, "a", 0, 100).await.remove(0);
    let given_back = Settlement { attempt: None, ..settlement(leased.lease, 1, Then::Retry(at(1))) };
    assert_eq!(store.settle(given_back).await.unwrap(), Settled::Done { next: None });
    assert_eq!(lease(store, "a", 1, 100).await[0].attempt, 1);
}

pub async fn a_disabled_endpoint_gives_no_leases(store: &dyn Store) {
    with_endpoints(store, &["a", "b"]).await;
    store.append(append(1, 0, vec![owed("a", None, 0), owed("b", None, 0)])).await.unwrap();
    let disable = HealthChange::Disable { at: at(1), reason: "410".to_owned() };
    store.set_health("a".to_owned(), disable).await.unwrap();
    assert!(lease(store, "a", 1, 9).await.is_empty());
    assert_eq!(lease(store, "b", 1, 9).await.len(), 1);
    let status = store.endpoints().await.unwrap().remove(0);
    assert_eq!(status.disabled.map(|disabled| disabled.reason), Some("410".to_owned()));
    store.append(append(2, 2, vec![owed("a", None, 2)])).await.unwrap();
    store.set_health("a".to_owned(), HealthChange::Enable).await.unwrap();
    assert_eq!(lease(store, "a", 2, 9).await.len(), 2);
}

pub async fn deliveries_of_a_key_go_one_after_the_other(store: &dyn Store) {
    with_endpoints(store, &["a"]).await;
    for (number, key) in [(1, "x"), (2, "x"), (3, "y"), (4, "x")] {
        store.append(append(number, 0, vec![owed("a", Some(key), 0)])).await.unwrap();
    }
    let numbers = |leased: &[Leased]| leased.iter().map(|leased| leased.event.clone()).collect::<Vec<_>>();
    let first = lease(store, "a", 0, 100).await;
    assert_eq!(numbers(&first), [event(1, 0), event(3, 0)]);
    // A failure holds its key back, and no other.
    store.settle(settlement(first[0].lease, 1, Then::Retry(at(50)))).await.unwrap();
    assert!(lease(store, "a", 49, 100).await.is_empty());
    let again = lease(store, "a", 50, 100).await;
    assert_eq!(numbers(&again), [event(1, 0)]);
    let dead = store.settle(settlement(again[0].lease, 51, Then::Dead)).await.unwrap();
    assert_eq!(dead, Settled::Done { next: Some(at(51)) });
    let next = lease(store, "a", 51, 100).await;
    assert_eq!(numbers(&next), [event(2, 0)]);
    store.settle(settlement(next[0].lease, 52, Then::Delivered)).await.unwrap();
    assert_eq!(numbers(&lease(store, "a", 52, 200).await), [event(4, 0)]);
}

pub async fn a_void_settlement_tells_nothing(store: &dyn Store) {
    with_endpoints(store, &["a"]).await;
    store.append(append(1, 0, vec![owed("a", None, 0)])).await.unwrap();
    let leased = lease(store, "a", 0, 10).await.remove(0);
    lease(store, "a", 10, 20).await;
    let late = Settlement {
        tell: vec![append(2, 11, vec![])],
        health: Some(HealthChange::Disable { at: at(11), reason: "late".to_owned() }),
        ..settlement(leased.lease, 11, Then::Dead)
    };
    assert_eq!(store.settle(late).await.unwrap(), Settled::Void);
    assert_eq!(store.stats().await.unwrap().events, 1);
    assert_eq!(store.endpoints().await.unwrap()[0].disabled, None);
}

pub async fn what_is_told_is_stored_with_the_settlement(store: &dyn Store) {
    with_endpoints(store, &["a", "ops"]).await;
    store.append(append(1, 0, vec![owed("a", None, 0)])).await.unwrap();
    let leased = lease(store, "a", 0, 10).await.remove(0);
    let told = Settlement {
        tell: vec![append(2, 1, vec![owed("ops", None, 1)])],
        health: Some(HealthChange::Failing(at(1))),
        ..settlement(leased.lease, 1, Then::Dead)
    };
    assert_eq!(store.settle(told).await.unwrap(), Settled::Done { next: None });
    assert_eq!(lease(store, "ops", 1, 9).await[0].event, event(2, 1));
    let delivery = owed_to(store, "a").await.remove(0);
    assert_eq!(
        store.attempts(delivery.id).await.unwrap(),
        [settlement(leased.lease, 1, Then::Dead).attempt.unwrap()]
    );
    assert_eq!(store.endpoints().await.unwrap()[0].failing_since, Some(at(1)));
}

pub async fn a_dead_letter_is_made_due_again(store: &dyn Store) {
    with_endpoints(store, &["a"]).await;
    store.append(append(1, 0, vec![owed("a", None, 0)])).await.unwrap();
    let leased = lease(store, "a", 0, 10).await.remove(0);
    store.settle(settlement(leased.lease, 1, Then::Dead)).await.unwrap();
    assert_eq!(store.stats().await.unwrap().dead, 1);
    let id = leased.lease.delivery;
    let progress = document(DocumentKind::Job, "replay");
    assert_eq!(
        store.resend(vec![id, crate::DeliveryId(999)], at(5), Some(progress.clone())).await.unwrap(),
        1
    );
    assert!(store.documents().await.unwrap().all.contains(&progress));
    assert!(lease(store, "a", 4, 10).await.is_empty());
    assert_eq!(lease(store, "a", 5, 10).await[0].attempt, 1);
    assert_eq!(store.attempts(id).await.unwrap().len(), 1);
}

pub async fn pages_follow_each_other_without_gap_or_repeat(store: &dyn Store) {
    with_endpoints(store, &["a"]).await;
    for number in 0..25 {
        store.append(append(number, number as i64, vec![owed("a", None, 0)])).await.unwrap();
    }
    for (start, wanted) in [
        (From::Newest, (0..25).rev().collect::<Vec<_>>()),
        (From::After(0), (0..25).collect()),
        (From::After(10), (10..25).collect()),
        (From::Before(11), (0..10).rev().collect()),
    ] {
        let (mut from, mut events, mut deliveries) = (start, Vec::new(), Vec::new());
        loop {
            let page = store.events(EventQuery { from, limit: 10, ..EventQuery::default() }).await.unwrap();
            let owed = store
                .deliveries(DeliveryQuery { from, limit: 10, ..DeliveryQuery::default() })
                .await
                .unwrap();
            assert_eq!(page.next, owed.next);
            events.extend(page.items.iter().map(|item| item.id));
            deliveries.extend(owed.items.iter().map(|item| item.event));
            let Some(next) = page.next else { break };
            from = if matches!(start, From::After(_)) { From::After(next) } else { From::Before(next) };
        }
        let wanted: Vec<EventId> = wanted.into_iter().map(|number| event(number, number as i64).id).collect();
        assert_eq!(events, wanted);
        assert_eq!(deliveries, wanted);
    }
    let narrow = EventQuery {
        event_type: Some("order.1".to_owned()),
        since: Some(at(4)),
        until: Some(at(10)),
        limit: 10,
        ..EventQuery::default()
    };
    let found = store.events(narrow).await.unwrap().items;
    assert_eq!(found.iter().map(|item| item.id).collect::<Vec<_>>(), [event(7, 7).id, event(4, 4).id]);
}

pub async fn settings_change_all_or_none(store: &dyn Store) {
    let revision = store.documents().await.unwrap().revision;
    let put = Change::Put(document(DocumentKind::Source, "shop"));
    let changed = store.change(vec![put.clone()], Some(revision)).await.unwrap();
    let late =
        store.change(vec![Change::Remove(DocumentKind::Source, "shop".to_owned())], Some(revision)).await;
    assert!(matches!(late, Err(StoreError::Changed)));
    let documents = store.documents().await.unwrap();
    assert_eq!((documents.revision, documents.all), (changed, vec![document(DocumentKind::Source, "shop")]));
}

pub async fn an_event_that_is_owed_is_not_trimmed(store: &dyn Store) {
    with_endpoints(store, &["a"]).await;
    for number in 0..6 {
        let owed = if number == 2 { vec![owed("a", None, 0)] } else { vec![] };
        store.append(append(number, number as i64, owed)).await.unwrap();
    }
    let mut removed = 0;
    let mut after = Some(0);
    while let Some(place) = after {
        let trimmed = store.trim(Trim { before: at(4), after: place, limit: 2 }).await.unwrap();
        removed += trimmed.removed;
        after = trimmed.next;
    }
    assert_eq!(removed, 3);
    let left =
        store.events(EventQuery { from: From::After(0), limit: 9, ..EventQuery::default() }).await.unwrap();
    let wanted = [2, 4, 5].map(|number: u64| event(number, number as i64).id);
    assert_eq!(left.items.iter().map(|item| item.id).collect::<Vec<_>>(), wanted);
}

pub async fn only_the_newest_refusals_are_kept(store: &dyn Store) {
    let refused = |number: i64, origin: Origin| Refused {
        origin,
        at: at(number),
        reason: format!("reason {number}"),
        headers: event(1, 0).headers,
        body: Bytes::from_static(b"\xff\0"),
    };
    let other = Origin::Source("other".to_owned());
    store.refuse(refused(0, other.clone()), 3).await.unwrap();
    for number in 1..=5 {
        store.refuse(refused(number, source()), 3).await.unwrap();
    }
    let kept = store.refused(source(), 9).await.unwrap();
    assert_eq!(kept, [5, 4, 3].map(|number| refused(number, source())));
    assert_eq!(store.refused(other, 9).await.unwrap().len(), 1);
}

pub async fn events_are_found_by_text_and_state_however_few_are_looked_at(store: &dyn Store) {
    with_endpoints(store, &["a", "b"]).await;
    for number in 1..=20 {
        let endpoint = if number % 5 == 0 { "b" } else { "a" };
        let mut append = append(number, number as i64, vec![owed(endpoint, None, 0)]);
        if number % 7 == 0 {
            append.event.body = format!("a needle: \0 {number}").into();
        }
        store.append(append).await.unwrap();
    }
    for leased in lease(store, "b", 10, 1000).await {
        store.settle(settlement(leased.lease, 10, Then::Dead)).await.unwrap();
    }
    let text = EventQuery { text: Some("needle: \0".to_owned()), ..EventQuery::default() };
    let dead = EventQuery { state: Some(State::Dead), ..EventQuery::default() };
    for (query, expected) in [(text, vec![14, 7]), (dead, vec![20, 15, 10, 5])] {
        for look_at in [None, Some(3)] {
            for origin in [None, Some(source())] {
                let (mut found, mut from) = (Vec::new(), From::Newest);
                loop {
                    let query =
                        EventQuery { from, look_at, origin: origin.clone(), limit: 2, ..query.clone() };
                    let page = store.events(query).await.unwrap();
                    found.extend(page.items.iter().map(|event| event.position));
                    let Some(next) = page.next else { break };
                    from = From::Before(next);
                }
                assert_eq!(found, expected, "{query:?} {look_at:?}");
            }
        }
    }
    for (state, expected) in [(State::Dead, vec![20, 15, 10, 5]), (State::Delivered, vec![])] {
        for endpoint in [None, Some("b".to_owned())] {
            let (mut found, mut from) = (Vec::new(), From::Newest);
            loop {
                let endpoint = endpoint.clone();
                let query = DeliveryQuery {
                    endpoint,
                    state: Some(state),
                    from,
                    look_at: Some(3),
                    limit: 2,
                    ..DeliveryQuery::default()
                };
                let page = store.deliveries(query).await.unwrap();
                found.extend(page.items.iter().map(|delivery| delivery.id.0));
                let Some(next) = page.next else { break };
                from = From::Before(next);
            }
            assert_eq!(found, expected, "{state:?} {endpoint:?}");
        }
    }
}

pub async fn what_went_on_lately_is_counted_within_bounds(store: &dyn Store) {
    with_endpoints(store, &["a", "b"]).await;
    for number in 1..=6 {
        let key = (number > 3).then_some("key");
        store.append(append(number, number as i64, vec![owed("a", key, 0)])).await.unwrap();
    }
    let leased = lease(store, "a", 10, 1000).await;
    assert_eq!(leased.len(), 4, "two are parked");
    for (leased, then) in leased.iter().zip([Then::Dead, Then::Delivered]) {
        store.settle(settlement(leased.lease, 10, then)).await.unwrap();
    }
    for (count, waiting) in [(3, 3), (100, 4)] {
        let stats = store.glance(count).await.unwrap();
        assert_eq!((stats.events, stats.waiting, stats.dead), (6.min(count.into()), waiting, 1));
        let lately = Lately { deliveries: 10, count };
        let of = vec!["a".to_owned(), "nobody".to_owned(), "b".to_owned()];
        let [a, nobody, b] = store.activity(of, lately).await.unwrap().try_into().unwrap();
        assert_eq!((a.waiting, a.dead, a.tried.len()), (waiting, 1, 2));
        assert_eq!((nobody, b), (Activity::default(), Activity::default()));
    }
    let lately = Lately { deliveries: 1, count: 1 };
    let narrow = store.activity(vec!["a".to_owned()], lately).await.unwrap();
    assert!(narrow[0].tried.is_empty(), "the newest delivery was not tried");
    let elsewhere = Origin::Application("elsewhere".to_owned());
    let arrivals = store.arrivals(vec![elsewhere, source()], 2).await.unwrap();
    assert_eq!(arrivals, [vec![], vec![at(6), at(5)]]);
    let [known, unknown] = [leased[0].lease.delivery, crate::DeliveryId(99)];
    let about = store.particulars(vec![unknown, known]).await.unwrap();
    assert_eq!(about[0], None);
    let about = about[1].as_ref().unwrap();
    assert_eq!((&about.origin, about.at, about.last.is_some()), (&source(), at(1), true));
}

/// What is kept of a schedule that is new at this time, after so many steps.
fn kept(revision: u64, millis: i64) -> KeptSchedule {
    let settings = serde_json::json!({ "every": "1m", "call": { "service": "shop", "operation": "ping" } });
    let timing = crate::schedule::Timing::new(&serde_json::from_value(settings).unwrap()).unwrap();
    KeptSchedule { revision, state: crate::schedule::State::new(&timing, at(millis)) }
}

fn step(kept: KeptSchedule, events: Vec<Append>) -> Advance {
    Advance { name: "nightly".to_owned(), kept, events }
}

pub async fn a_step_of_a_schedule_is_whole_and_of_whoever_read_last(store: &dyn Store) {
    let set_up = Change::Put(document(DocumentKind::Schedule, "nightly"));
    store.change(vec![set_up], None).await.unwrap();
    with_endpoints(store, &["a"]).await;
    assert!(store.advance(step(kept(0, 1), vec![])).await.unwrap());
    assert!(!store.advance(step(kept(0, 2), vec![append(1, 2, vec![])])).await.unwrap());
    assert_eq!(store.stats().await.unwrap().events, 0);
    let page = vec![append(2, 3, vec![owed("a", None, 3)]), append(3, 3, vec![])];
    assert!(store.advance(step(kept(1, 3), page.clone())).await.unwrap());
    assert!(!store.advance(step(kept(1, 4), page)).await.unwrap());
    assert_eq!(store.schedules().await.unwrap().remove("nightly"), Some(kept(2, 3)));
    assert_eq!(store.stats().await.unwrap().events, 2);
    assert_eq!(lease(store, "a", 3, 9).await.len(), 1);
}

pub async fn nothing_is_kept_of_a_schedule_that_is_not_set_up(store: &dyn Store) {
    assert!(!store.advance(step(kept(0, 1), vec![append(1, 1, vec![])])).await.unwrap());
    let set_up = Change::Put(document(DocumentKind::Schedule, "nightly"));
    store.change(vec![set_up], None).await.unwrap();
    assert!(store.advance(step(kept(0, 1), vec![])).await.unwrap());
    let gone = Change::Remove(DocumentKind::Schedule, "nightly".to_owned());
    store.change(vec![gone], None).await.unwrap();
    assert!(store.schedules().await.unwrap().is_empty());
    assert!(!store.advance(step(kept(1, 2), vec![append(2, 2, vec![])])).await.unwrap());
    assert_eq!(store.stats().await.unwrap().events, 0);
}

/// Does the same steps, made up from a seed, in both stores, and compares every answer.
pub async fn it_does_what_the_model_does(store: &dyn Store) {
    let model = MemoryStore::new();
    let random = Random::seeded(7);
    let below = |bound: u64| (random.bits() % u128::from(bound)) as u64;
    let mut leases: Vec<Lease> = Vec::new();
    for step in 0..1500 {
        let now = step as i64 * 7;
        let endpoint = ["a", "b", "c"][below(3) as usize];
        let key = [None, None, Some("x"), Some("y")][below(4) as usize];
        match below(12) {
            0..=3 => {
                let mut new = append(
                    step,
                    now,
                    vec![owed(endpoint, key, now + below(50) as i64), owed("a", None, now)],
                );
                if below(2) == 0 {
                    new.unique = Some(Unique { key: below(40).to_string(), since: at(now - 500) });
                }
                assert_eq!(store.append(new.clone()).await.unwrap(), model.append(new).await.unwrap());
            }
            4 | 5 => {
                let limit = below(5) as u32;
                let until = at(now + 20 + below(200) as i64);
                let request = LeaseRequest {
                    endpoint: endpoint.to_owned(),
                    now: at(now),
                    until,
                    latest: Timestamp::MAX,
                    limit,
                };
                let taken = store.lease(vec![request.clone()]).await.unwrap();
                assert_eq!(taken, model.lease(vec![request]).await.unwrap());
                leases.extend(taken[0].taken.iter().map(|leased| leased.lease));
            }
            6 | 7 if !leases.is_empty() => {
                let lease = leases[below(leases.len() as u64) as usize];
                let then = [Then::Delivered, Then::Dead, Then::Retry(at(now + 30))][below(3) as usize];
                let mut settlement = settlement(lease, now, then);
                if then == Then::Retry(at(now + 30)) && below(2) == 0 {
                    settlement.attempt = None;
                }
                settlement.progress = (below(3) == 0).then(|| progress(1, &["tell"], &[]));
                if below(4) == 0 {
                    settlement.tell.push(append(100_000 + step, now, vec![owed("c", key, now)]));
                    settlement.health = Some(HealthChange::Failing(at(now)));
                }
                assert_eq!(
                    store.settle(settlement.clone()).await.unwrap(),
                    model.settle(settlement).await.unwrap()
                );
            }
            10 if !leases.is_empty() => {
                let lease = leases[below(leases.len() as u64) as usize];
                let noted = progress(
                    below(2) as u32,
                    &["tell"][..below(2) as usize],
                    &["customer"][..below(2) as usize],
                );
                assert_eq!(
                    store.note(lease, noted.clone()).await.unwrap(),
                    model.note(lease, noted).await.unwrap()
                );
            }
            8 => {
                let ids: Vec<_> = (0..3).map(|_| crate::DeliveryId(below(step + 1))).collect();
                let due = at(now + below(30) as i64);
                let both = (store.resend(ids.clone(), due, None).await, model.resend(ids, due, None).await);
                assert_eq!(both.0.unwrap(), both.1.unwrap());
            }
            9 => {
                let change = match below(4) {
                    0 => HealthChange::Disable { at: at(now), reason: "a reason".to_owned() },
                    1 => HealthChange::Recovered,
                    _ => HealthChange::Enable,
                };
                store.set_health(endpoint.to_owned(), change.clone()).await.unwrap();
                model.set_health(endpoint.to_owned(), change).await.unwrap();
                if below(10) == 0 {
                    let gone = vec![Change::Remove(DocumentKind::Endpoint, endpoint.to_owned())];
                    store.change(gone.clone(), None).await.unwrap();
                    model.change(gone, None).await.unwrap();
                }
                with_endpoints(store, &["a", "b", "c"]).await;
                with_endpoints(&model, &["a", "b", "c"]).await;
            }
            _ => {
                let trim = Trim { before: at(now - 2000), after: below(50), limit: 20 };
                assert_eq!(store.trim(trim).await.unwrap(), model.trim(trim).await.unwrap());
            }
        }
        if step % 50 == 0 {
            same(store, &model).await;
        }
    }
    same(store, &model).await;
}

async fn same(store: &dyn Store, model: &dyn Store) {
    assert_eq!(store.endpoints().await.unwrap(), model.endpoints().await.unwrap());
    let all = || DeliveryQuery { limit: 10_000, ..DeliveryQuery::default() };
    let deliveries = store.deliveries(all()).await.unwrap();
    assert_eq!(deliveries, model.deliveries(all()).await.unwrap());
    for delivery in &deliveries.items {
        assert_eq!(store.attempts(delivery.id).await.unwrap(), model.attempts(delivery.id).await.unwrap());
    }
    let all = || EventQuery { limit: 10_000, ..EventQuery::default() };
    assert_eq!(store.events(all()).await.unwrap(), model.events(all()).await.unwrap());
    let (ours, theirs) = (store.stats().await.unwrap(), model.stats().await.unwrap());
    assert_eq!((ours.events, ours.waiting, ours.dead), (theirs.events, theirs.waiting, theirs.dead));
}
