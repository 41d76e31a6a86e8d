//! Leases, settlements and order.

use super::*;

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
