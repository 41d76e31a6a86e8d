//! A store that has much in it already.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use nuncio_client::Random;
use nuncio_relay::store::{Append, Change, Document, DocumentKind, Owed, SqliteStore, Store as _, Unique};
use nuncio_relay::{Event, EventId, Headers, Origin};
use serde_json::Value;

/// The time, to the millisecond.
///
/// # Panics
/// Never.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_millisecond(Timestamp::now().as_millisecond()).expect("a time")
}

/// An event of 1 KiB that is owed to `endpoint` now.
#[must_use]
pub fn append(number: u64, random: &Random, endpoint: &str) -> Append {
    let at = now();
    let header = |name: &str, value: &str| (name.to_owned(), Bytes::from(value.to_owned()));
    Append {
        event: Event {
            id: EventId::new(at, random),
            origin: Origin::Source("shop".to_owned()),
            event_type: "order.created".to_owned(),
            at,
            headers: Headers(vec![
                header("content-type", "application/json"),
                header("user-agent", "made-up/1.0"),
            ]),
            body: Bytes::from(vec![b'x'; 1024]),
        },
        unique: Some(Unique { key: format!("evt_{number}_{}", random.uuid()), since: Timestamp::UNIX_EPOCH }),
        owed: vec![Owed { endpoint: endpoint.to_owned(), order_key: None, due: at }],
    }
}

/// Stores `stored` events, of which `waiting` are owed to `endpoint` in a day.
///
/// # Panics
/// When the store fails.
pub async fn fill_up(store: &Arc<SqliteStore>, stored: u64, waiting: u64, endpoint: &str) {
    let random = Random::new();
    let tomorrow = now() + SignedDuration::from_hours(24);
    stream::iter(0..stored)
        .map(|number| {
            let (store, random) = (Arc::clone(store), random.clone());
            async move {
                let mut append = append(number, &random, endpoint);
                if number >= waiting {
                    append.owed.clear();
                } else {
                    append.owed[0].due = tomorrow;
                }
                store.append(append).await.expect("it is stored");
            }
        })
        .buffer_unordered(1024)
        .for_each(|()| async {})
        .await;
}

/// A store in `folder` as `nuncio serve` of [`Serving`](crate::relay::Serving) finds it, filled up. The endpoint `away` says `settings`.
///
/// # Panics
/// When the store fails.
pub async fn fill_folder(folder: &Path, settings: &Value, stored: u64, waiting: u64) {
    let store = Arc::new(SqliteStore::open(&folder.join("relay.db")).expect("a store"));
    let (kind, value) = (DocumentKind::Endpoint, settings.clone());
    let away = Document { kind, name: "away".to_owned(), from_file: true, value };
    store.change(vec![Change::Put(away)], None).await.expect("a change");
    fill_up(&store, stored, waiting, "away").await;
}
