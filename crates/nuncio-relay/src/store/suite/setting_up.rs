//! Settings, and what is kept of schedules.

use super::*;

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
