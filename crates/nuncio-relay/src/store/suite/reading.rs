//! Lists, searches and counts.

use super::*;

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
