//! One token for all tasks, got by one of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use super::token::Token;
use crate::{Clock, Error, Secret};

/// A renewal under way, waited for by all that need it.
type Renewal = BoxFuture<'static, Result<Token, Error>>;

/// Keeps a token until shortly before it expires or until it is refused.
#[derive(Default)]
pub(in crate::auth) struct TokenCache(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    known: Known,
    renewal: Option<WeakShared<Renewal>>,
}

/// What this process knows of the token.
#[derive(Debug, Clone, Default)]
pub(in crate::auth) struct Known {
    /// The last one, with an age that no change of the time of day takes back.
    pub(in crate::auth) token: Option<Token>,
    /// What the service refused last: not to be used again wherever it may turn up.
    pub(in crate::auth) refused: Option<Secret>,
}

impl State {
    fn under_way(&self) -> Option<Shared<Renewal>> {
        self.renewal.as_ref()?.upgrade()
    }
}

impl TokenCache {
    /// The token in the cache, or the one that `renew` gets, which is told what is known. A failure is told to all who wait for it and
    /// then forgotten.
    ///
    /// Near its end a token is used further by those who come while it is being replaced.
    pub(in crate::auth) async fn get(
        &self,
        clock: &Clock,
        renew: impl FnOnce(Known) -> Renewal,
    ) -> Result<Secret, Error> {
        match self.look(clock, renew) {
            Found::Token(token) => Ok(token),
            Found::Renewal(renewal) => Ok(renewal.await?.value),
        }
    }

    /// Drops the token if it is the one that was `refused`; one that has taken its place stays.
    pub(in crate::auth) fn drop_if(&self, refused: impl Fn(&Secret) -> bool) -> bool {
        let mut state = self.lock();
        let Some(token) = state.known.token.take_if(|token| refused(&token.value)) else {
            return false;
        };
        state.known.refused = Some(token.value);
        true
    }

    fn look(&self, clock: &Clock, renew: impl FnOnce(Known) -> Renewal) -> Found {
        let mut state = self.lock();
        let under_way = state.under_way();
        match (&state.known.token, under_way) {
            (Some(token), under_way)
                if token.is_fresh(clock) || (under_way.is_some() && token.is_valid(clock)) =>
            {
                Found::Token(token.value.clone())
            }
            (_, Some(under_way)) => Found::Renewal(under_way),
            (_, None) => {
                let renewal = self.store(renew(state.known.clone())).shared();
                state.renewal = renewal.downgrade();
                Found::Renewal(renewal)
            }
        }
    }

    fn store(&self, renewal: Renewal) -> Renewal {
        let cache = Self(Arc::clone(&self.0));
        async move {
            let renewed = renewal.await;
            let mut state = cache.lock();
            state.renewal = None;
            if let Ok(token) = &renewed {
                state.known.token = Some(token.clone());
            }
            drop(state);
            renewed
        }
        .boxed()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Found {
    Token(Secret),
    Renewal(Shared<Renewal>),
}
