//! The tests that every store must pass.
//!
//! ```
//! nuncio_relay::store_suite!(nuncio_relay::store::MemoryStore::new());
//! # fn main() {}
//! ```

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(missing_docs, reason = "each is named after the rule it holds")]

mod arriving;
mod calling;
mod delivering;
mod model;
mod reading;
mod setting_up;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use nuncio_client::Random;

use crate::{Attempt, Begun, Event, EventId, Headers, Origin, Progress, State};

use super::{
    Activity, Advance, Append, Appended, Change, DeliveryQuery, Document, DocumentKind, EventQuery, From,
    HealthChange, KeptSchedule, Lately, Lease, LeaseRequest, Leased, MemoryStore, Owed, Refused, Settled,
    Settlement, Store, StoreError, Then, Trim, Unique,
};

pub use arriving::*;
pub use calling::*;
pub use delivering::*;
pub use model::*;
pub use reading::*;
pub use setting_up::*;

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

fn progress(round: u32, begun: &[&str], answered: &[&str]) -> Progress {
    let mark = |step: &&str| ((*step).to_owned(), Begun { at: at(1), keyed: false });
    let answer = |step: &&str| ((*step).to_owned(), format!("{{\"n\":1.00,\"step\":\"{step}\"}}"));
    Progress {
        round,
        begun: begun.iter().map(mark).collect(),
        answers: answered.iter().map(answer).collect(),
    }
}
