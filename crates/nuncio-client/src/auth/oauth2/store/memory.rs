//! Tokens that end with the process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::{Lease, LeaseLost, TokenStore};
use crate::Error;
use crate::auth::oauth2::Tokens;

/// Keeps tokens in memory: the store where none is handed in. Copies share what is kept.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    kept: Mutex<Kept>,
    released: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    tokens: Option<Tokens>,
    /// Number of the last lease.
    last: u64,
    /// Until when it holds, unless it was released.
    held_until: Option<Instant>,
}

impl MemoryStore {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lease is over, as after its length.
    #[cfg(test)]
    pub(in crate::auth::oauth2) fn end_lease(&self) {
        self.kept().held_until = None;
    }

    /// The lease, or until when another holds it.
    fn try_lease(&self, length: Duration) -> Result<Lease, Instant> {
        let mut kept = self.kept();
        let now = Instant::now();
        if let Some(until) = kept.held_until.filter(|until| *until > now) {
            return Err(until);
        }
        kept.last += 1;
        kept.held_until = Some(now + length);
        Ok(Lease::new(kept.last))
    }
}

impl TokenStore for MemoryStore {
    fn load(&self) -> BoxFuture<'_, Result<Option<Tokens>, Error>> {
        Box::pin(async { Ok(self.kept().tokens.clone()) })
    }

    fn lease(&self, length: Duration) -> BoxFuture<'_, Result<Lease, Error>> {
        Box::pin(async move {
            loop {
                // Before the look, so that a release between the look and the wait is not missed.
                let released = self.0.released.notified();
                match self.try_lease(length) {
                    Ok(lease) => return Ok(lease),
                    // Released or over: either way it is worth another look.
                    Err(until) => drop(timeout_at(until, released).await),
                }
            }
        })
    }

    fn save<'a>(&'a self, lease: &'a Lease, tokens: &'a Tokens) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let mut kept = self.kept();
            if kept.last != lease.number() {
                return Err(LeaseLost::error());
            }
            kept.tokens = Some(tokens.clone());
            Ok(())
        })
    }

    fn release(&self, lease: Lease) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let mut kept = self.kept();
            if kept.last == lease.number() {
                kept.held_until = None;
                self.0.released.notify_waiters();
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::auth::oauth2::store::rules;

    #[tokio::test(start_paused = true)]
    async fn it_keeps_the_rules_of_a_store() {
        let places = Mutex::new(HashMap::<String, MemoryStore>::new());
        rules::check(|place| places.lock().unwrap().entry(place.to_owned()).or_default().clone()).await;
    }
}
