//! The rules of a store of tokens, and those that come from sharing it with the rest.

use std::time::{Duration, UNIX_EPOCH};

use nuncio_client::Clock;
use nuncio_client::auth::oauth2::store::rules;
use nuncio_client::auth::oauth2::{LeaseLost, TokenStore as _, Tokens};
use nuncio_credentials::{CredentialStore, Options, StoredTokens};

use crate::support::{Place, account, variables};

const LONG: Duration = Duration::from_secs(60);

fn tokens(refresh: &str) -> Tokens {
    Tokens { refresh_token: Some(refresh.into()), ..Tokens::default() }
}

#[tokio::test]
async fn it_keeps_the_rules_of_a_store() {
    let place = Place::new();
    rules::check(|name| place.open().tokens(&account(name))).await;
}

#[tokio::test]
async fn tokens_are_part_of_the_connection() {
    let place = Place::new();
    let store = place.open();
    store.put(&account("a"), &variables("made-up-value"), Some(&tokens("made-up-first"))).unwrap();
    let kept = store.tokens(&account("a"));
    let lease = kept.lease(LONG).await.unwrap();
    kept.save(&lease, &tokens("made-up-second")).await.unwrap();
    let found = place.open().get(&account("a")).unwrap().unwrap();
    assert_eq!(found.tokens.unwrap().refresh_token.unwrap().expose(), "made-up-second");
    assert_eq!(found.variables["SHOP_TOKEN"].expose(), "made-up-value");
}

#[tokio::test]
async fn a_refresh_under_way_does_not_undo_a_login_or_a_removal() {
    let place = Place::new();
    let store = place.open();
    store.put(&account("a"), &variables("made-up-value"), Some(&tokens("made-up-old"))).unwrap();
    let kept = store.tokens(&account("a"));

    let lease = kept.lease(LONG).await.unwrap();
    place.open().put(&account("a"), &variables("made-up-value"), Some(&tokens("made-up-new"))).unwrap();
    let refused = kept.save(&lease, &tokens("made-up-late")).await.unwrap_err();
    assert!(refused.cause::<LeaseLost>().is_some(), "{refused:?}");
    assert_eq!(kept.load().await.unwrap().unwrap().refresh_token.unwrap().expose(), "made-up-new");

    let lease = kept.lease(LONG).await.unwrap();
    assert!(place.open().remove(&account("a")).unwrap());
    assert!(kept.save(&lease, &tokens("made-up-late")).await.is_err());
    assert!(store.get(&account("a")).unwrap().is_none());
    assert!(!store.remove(&account("a")).unwrap());
}

fn at(place: &Place, secs: u64) -> StoredTokens {
    let clock = Clock::fixed(UNIX_EPOCH + Duration::from_secs(secs));
    CredentialStore::open(Options { clock, ..place.options(None) }).unwrap().tokens(&account("a"))
}

#[tokio::test]
async fn a_lease_ends_by_the_time_of_day() {
    let place = Place::new();
    let holder = at(&place, 1_000);
    let first = holder.lease(LONG).await.unwrap();
    let second = at(&place, 1_060).lease(LONG).await.unwrap();
    assert!(second.number() > first.number());
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_prolong_a_lease() {
    let place = Place::new();
    let short = Duration::from_millis(50);
    let holder = at(&place, 1_000_000);
    let first = holder.lease(short).await.unwrap();
    // An hour earlier by the clock, it would hold for an hour.
    let second = tokio::time::timeout(LONG, at(&place, 996_400).lease(LONG)).await.unwrap().unwrap();
    assert!(second.number() > first.number());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_want_the_lease_get_it_one_after_the_other() {
    let place = Place::new();
    let mut waiting = Vec::new();
    for _ in 0..20 {
        let kept = place.open().tokens(&account("a"));
        waiting.push(tokio::spawn(async move {
            let lease = kept.lease(LONG).await.unwrap();
            // Each adds one to what it finds, which only works when nobody else does at the same time.
            let found = kept.load().await.unwrap().unwrap_or_default();
            let count: usize = found.scopes.first().map_or(0, |count| count.parse().unwrap());
            kept.save(&lease, &Tokens { scopes: vec![(count + 1).to_string()], ..found }).await.unwrap();
            kept.release(lease).await.unwrap();
        }));
    }
    for one in waiting {
        one.await.unwrap();
    }
    let kept = place.open().tokens(&account("a")).load().await.unwrap().unwrap();
    assert_eq!(kept.scopes, ["20"]);
}

#[tokio::test]
async fn a_process_that_has_ended_keeps_nobody_waiting() {
    let place = Place::new();
    let store = place.open();
    let first = store.tokens(&account("a")).lease(LONG).await.unwrap();
    // What the end of a process does: the system unlocks its files.
    drop(store);
    let second = place.open().tokens(&account("a"));
    let second = tokio::time::timeout(LONG / 2, second.lease(LONG)).await.unwrap().unwrap();
    assert!(second.number() > first.number());
    let left = std::fs::read_dir(place.path("state/leases")).unwrap().count();
    assert_eq!(left, 1, "the lease that is held");
}
