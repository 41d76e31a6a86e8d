//! What every store must keep to, as a test to run against it.

use std::time::{Duration, UNIX_EPOCH};

use super::{Lease, LeaseLost, TokenStore};
use crate::auth::oauth2::Tokens;

/// Long enough that no rule sees its end.
const LONG: Duration = Duration::from_secs(60);

/// Short enough to be waited for on a clock that is not paused.
const SHORT: Duration = Duration::from_millis(300);

/// Runs all rules. `open` opens the store at the place of a given name, a new place for each name; opening it twice is what two processes
/// do. Wants a tokio runtime with time; paused time will do where the store goes by it.
///
/// ```
/// use nuncio_client::auth::oauth2::MemoryStore;
/// use nuncio_client::auth::oauth2::store::rules;
/// use std::cell::RefCell;
/// use std::collections::HashMap;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let places = RefCell::new(HashMap::<String, MemoryStore>::new());
/// rules::check(|place| places.borrow_mut().entry(place.to_owned()).or_default().clone()).await;
/// # }
/// ```
///
/// # Panics
/// With the name of the rule that the store breaks.
pub async fn check<S: TokenStore>(open: impl Fn(&str) -> S) {
    let pair = |rule| Pair { rule, one: open(rule), other: open(rule) };
    pair("a_new_store_keeps_nothing").keeps_nothing().await;
    pair("what_is_saved_is_loaded_by_all").keeps_every_field().await;
    pair("a_lease_keeps_others_waiting_until_it_is_released").excludes().await;
    pair("a_lease_that_is_over_goes_to_the_next").ends().await;
    pair("a_save_with_a_lost_lease_is_refused_and_changes_nothing").fences().await;
    pair("a_lease_that_is_over_is_good_until_another_takes_it").is_lenient().await;
    pair("the_release_of_a_lost_lease_frees_nothing").releases_its_own_alone().await;
    pair("a_wait_that_is_dropped_takes_no_lease").forgets_who_left().await;
}

/// One place, opened twice.
struct Pair<S> {
    rule: &'static str,
    one: S,
    other: S,
}

impl<S: TokenStore> Pair<S> {
    async fn keeps_nothing(&self) {
        assert!(self.load(&self.one).await.is_none(), "{}", self.rule);
    }

    async fn keeps_every_field(&self) {
        let lease = self.lease(&self.one, LONG).await;
        for tokens in [full(), Tokens::default()] {
            self.save(&self.one, &lease, &tokens).await;
            for store in [&self.one, &self.other] {
                self.assert_kept(store, &tokens).await;
            }
        }
    }

    async fn excludes(&self) {
        let first = self.lease(&self.one, LONG).await;
        let number = first.number();
        let mut second = self.other.lease(LONG);
        let early = tokio::time::timeout(SHORT, &mut second).await;
        assert!(early.is_err(), "{}", self.rule);
        self.release(&self.one, first).await;
        let second = second.await.unwrap_or_else(|error| panic!("{}: {error:?}", self.rule));
        assert!(second.number() > number, "{}: the numbers of leases rise", self.rule);
    }

    async fn ends(&self) {
        let first = self.lease(&self.one, SHORT).await;
        let second = self.lease(&self.other, LONG).await;
        assert!(second.number() > first.number(), "{}: the numbers of leases rise", self.rule);
    }

    async fn fences(&self) {
        let late = self.lease(&self.one, SHORT).await;
        let current = self.lease(&self.other, LONG).await;
        self.save(&self.other, &current, &full()).await;
        let refused = self.one.save(&late, &Tokens::default()).await;
        let refused = refused.err().unwrap_or_else(|| panic!("{}", self.rule));
        assert!(refused.cause::<LeaseLost>().is_some(), "{}: {refused:?}", self.rule);
        self.assert_kept(&self.one, &full()).await;
        // Not even when the one who took it has given it back.
        self.release(&self.other, current).await;
        assert!(self.one.save(&late, &Tokens::default()).await.is_err(), "{}", self.rule);
        self.assert_kept(&self.one, &full()).await;
    }

    async fn is_lenient(&self) {
        let lease = self.lease(&self.one, SHORT).await;
        tokio::time::sleep(2 * SHORT).await;
        self.save(&self.one, &lease, &full()).await;
        self.assert_kept(&self.other, &full()).await;
    }

    async fn releases_its_own_alone(&self) {
        let late = self.lease(&self.one, SHORT).await;
        let _current = self.lease(&self.other, LONG).await;
        self.release(&self.one, late).await;
        let third = tokio::time::timeout(SHORT, self.one.lease(LONG)).await;
        assert!(third.is_err(), "{}", self.rule);
    }

    async fn forgets_who_left(&self) {
        let first = self.lease(&self.one, LONG).await;
        let dropped = tokio::time::timeout(SHORT, self.other.lease(LONG)).await;
        assert!(dropped.is_err(), "{}", self.rule);
        self.release(&self.one, first).await;
        let second = tokio::time::timeout(LONG / 2, self.one.lease(LONG)).await;
        assert!(second.is_ok(), "{}", self.rule);
    }

    async fn load(&self, store: &S) -> Option<Tokens> {
        store.load().await.unwrap_or_else(|error| panic!("{}: load: {error:?}", self.rule))
    }

    async fn lease(&self, store: &S, length: Duration) -> Lease {
        store.lease(length).await.unwrap_or_else(|error| panic!("{}: lease: {error:?}", self.rule))
    }

    async fn save(&self, store: &S, lease: &Lease, tokens: &Tokens) {
        let saved = store.save(lease, tokens).await;
        saved.unwrap_or_else(|error| panic!("{}: save: {error:?}", self.rule));
    }

    async fn release(&self, store: &S, lease: Lease) {
        store.release(lease).await.unwrap_or_else(|error| panic!("{}: release: {error:?}", self.rule));
    }

    async fn assert_kept(&self, store: &S, expected: &Tokens) {
        let kept = self.load(store).await.unwrap_or_else(|| panic!("{}: nothing is kept", self.rule));
        assert!(is_same(&kept, expected), "{}: {kept:?} is kept, not {expected:?}", self.rule);
    }
}

/// With something in every field, and times to the millisecond.
fn full() -> Tokens {
    let time = |millis: u64| UNIX_EPOCH + Duration::from_millis(1_760_000_000_000 + millis);
    Tokens {
        access_token: Some("made-up-kept-access-token".into()),
        token_type: "made-up-type".to_owned(),
        refresh_token: Some("made-up-kept-refresh-token".into()),
        id_token: Some("made-up-kept-id-token".into()),
        expires_at: Some(time(3_600_001)),
        obtained_at: time(2),
        scopes: vec!["read".to_owned(), "write:all".to_owned()],
        refresh_started: Some(time(3_540_003)),
        needs_login: Some("made-up reason, with \"quotes\" and ümlauts".to_owned()),
    }
}

fn is_same(one: &Tokens, other: &Tokens) -> bool {
    fn exposed(tokens: &Tokens) -> [Option<&str>; 3] {
        [&tokens.access_token, &tokens.refresh_token, &tokens.id_token]
            .map(|secret| secret.as_ref().map(crate::Secret::expose))
    }
    fn times(tokens: &Tokens) -> [Option<std::time::SystemTime>; 3] {
        [Some(tokens.obtained_at), tokens.expires_at, tokens.refresh_started]
    }
    exposed(one) == exposed(other)
        && times(one) == times(other)
        && one.token_type == other.token_type
        && one.scopes == other.scopes
        && one.needs_login == other.needs_login
}
