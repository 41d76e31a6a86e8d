//! Any store, beside the one that is plain enough to be believed.

use super::*;

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
