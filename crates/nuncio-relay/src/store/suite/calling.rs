//! How far the calls of a delivery are.

use super::*;

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
