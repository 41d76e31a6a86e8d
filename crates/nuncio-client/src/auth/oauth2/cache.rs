//! One token for all callers, fetched by one of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use super::token::Token;
use crate::{Clock, Error, Event, Observer, Secret};

/// A fetch under way, driven by all that wait for it: when one is dropped the others go on, when all are dropped it ends.
type Fetch = BoxFuture<'static, Result<Token, Error>>;

/// Keeps a token until shortly before it expires or until it is refused.
#[derive(Default)]
pub(super) struct TokenCache(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    token: Option<Token>,
    fetch: Option<WeakShared<Fetch>>,
}

impl State {
    fn under_way(&self) -> Option<Shared<Fetch>> {
        self.fetch.as_ref()?.upgrade()
    }
}

impl TokenCache {
    /// The token in the cache, or the one that `fetch` gets. A failure is told to all who wait for it and then forgotten.
    ///
    /// Near its end a token is used further by those who come while it is being replaced, and by all when replacing it fails.
    pub(super) async fn get(
        &self,
        clock: &Clock,
        observer: &Observer,
        fetch: impl FnOnce() -> Fetch,
    ) -> Result<Secret, Error> {
        let fetched = match self.look(clock, fetch) {
            Found::Token(token) => return Ok(token),
            Found::Fetch(fetch) => fetch.await,
        };
        let error = match fetched {
            Ok(token) => return Ok(token.value),
            Err(error) => error,
        };
        let kept = self.lock().token.as_ref().filter(|token| token.is_valid(clock)).cloned();
        let kept = kept.ok_or_else(|| error.clone())?;
        observer.notify(&Event::Token { reason: &format!("kept the access token for now: {error}") });
        Ok(kept.value)
    }

    /// Drops the token if it is the one that was `refused`; one that has taken its place stays.
    pub(super) fn drop_if(&self, refused: impl Fn(&Secret) -> bool) -> bool {
        self.lock().token.take_if(|token| refused(&token.value)).is_some()
    }

    fn look(&self, clock: &Clock, fetch: impl FnOnce() -> Fetch) -> Found {
        let mut state = self.lock();
        let under_way = state.under_way();
        match (&state.token, under_way) {
            (Some(token), under_way)
                if token.is_fresh(clock) || (under_way.is_some() && token.is_valid(clock)) =>
            {
                Found::Token(token.value.clone())
            }
            (_, Some(under_way)) => Found::Fetch(under_way),
            (_, None) => {
                let fetch = self.store(fetch()).shared();
                state.fetch = fetch.downgrade();
                Found::Fetch(fetch)
            }
        }
    }

    fn store(&self, fetch: Fetch) -> Fetch {
        let cache = Self(Arc::clone(&self.0));
        async move {
            let fetched = fetch.await;
            let mut state = cache.lock();
            state.fetch = None;
            if let Ok(token) = &fetched {
                state.token = Some(token.clone());
            }
            drop(state);
            fetched
        }
        .boxed()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Found {
    Token(Secret),
    Fetch(Shared<Fetch>),
}
