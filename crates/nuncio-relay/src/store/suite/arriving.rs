//! What arrives, and how long it stays.

use super::*;

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
