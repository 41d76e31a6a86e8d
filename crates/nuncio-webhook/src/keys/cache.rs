//! Fetched keys, kept for a while.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::{Keys, PublishedKey};

/// How many documents are kept. A receiver of all providers with such keys needs a handful.
const MAX_DOCUMENTS: usize = 64;
/// Within this time one key is asked for once,
const PERIOD: Duration = Duration::from_secs(60);
/// and so many keys in all.
const MAX_ASKED: usize = 16;

/// Fetched keys, kept for a while, and a bound on how often keys are fetched.
///
/// Whoever sends a request chooses the key id in it, so a flood of forged requests would be a flood of fetches. [`may_fetch`](Self::may_fetch) says yes
/// once a minute for a key and 16 times a minute in all; keys that are known serve on meanwhile. Share one cache by `Arc` between all that verify.
///
/// ```
/// # use std::sync::Arc;
/// # use std::time::{Duration, SystemTime, UNIX_EPOCH};
/// # use nuncio_webhook::{KeyCache, PublishedKey, Refusal, Request, Scheme, Secrets, verify};
/// # fn get(key: &PublishedKey) -> Result<Vec<u8>, std::io::Error> { Err(std::io::ErrorKind::Unsupported.into()) }
/// # fn receive(scheme: &Scheme, request: &Request<'_>, now: SystemTime) -> Result<(), Refusal> {
/// let keys = Arc::new(KeyCache::new(Duration::from_secs(24 * 60 * 60)));
/// let secrets = Secrets::new().keys(keys.clone()).setting("webhook_id", "made-up-id");
///
/// let mut verdict = verify(scheme, request, &secrets, now);
/// if let Err(refusal) = &verdict
///     && let Some(key) = refusal.key_to_fetch()
///     && keys.may_fetch(key, now)
///     // `get(key).await` where there are tasks. The client follows no redirect and reads no more than 64 KiB.
///     && let Ok(document) = get(key)
/// {
///     keys.put(key, document, now);
///     verdict = verify(scheme, request, &secrets, now);
/// }
/// # verdict.map(|_| ())
/// # }
/// ```
///
/// A request that is still refused for want of a key may be genuine: answer it with 503, so that the provider sends it again.
pub struct KeyCache {
    max_age: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    documents: BTreeMap<PublishedKey, (SystemTime, Arc<[u8]>)>,
    asked: VecDeque<(SystemTime, PublishedKey)>,
}

impl KeyCache {
    /// An empty one that keeps each document for `max_age`. A day is usual: within it a key that the provider withdrew is still believed.
    #[must_use]
    pub fn new(max_age: Duration) -> Self {
        Self { max_age, state: Mutex::default() }
    }

    /// Whether to fetch `key` now. Yes counts as a fetch, whatever comes of it.
    pub fn may_fetch(&self, key: &PublishedKey, now: SystemTime) -> bool {
        let asked = &mut self.state().asked;
        while asked.front().is_some_and(|(at, _)| age(*at, now) >= PERIOD) {
            asked.pop_front();
        }
        if asked.len() >= MAX_ASKED || asked.iter().any(|(_, other)| other == key) {
            return false;
        }
        asked.push_back((now, key.clone()));
        true
    }

    /// Keeps what the provider served for `key`. When the cache is full, the document that was fetched first goes.
    pub fn put(&self, key: &PublishedKey, document: impl Into<Arc<[u8]>>, now: SystemTime) {
        let documents = &mut self.state().documents;
        if documents.len() >= MAX_DOCUMENTS
            && !documents.contains_key(key)
            && let Some(oldest) = documents.iter().min_by_key(|(_, (at, _))| *at).map(|(key, _)| key.clone())
        {
            documents.remove(&oldest);
        }
        documents.insert(key.clone(), (now, document.into()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is whole before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keys for KeyCache {
    fn find(&self, key: &PublishedKey, now: SystemTime) -> Option<Arc<[u8]>> {
        let state = self.state();
        let (at, document) = state.documents.get(key)?;
        (age(*at, now) < self.max_age).then(|| document.clone())
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.state().documents.keys()).finish()
    }
}

/// None for what is just ahead. What is further ahead was noted before the clock was set back, and is as old as can be: nothing waits for that time.
fn age(at: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(at)
        .unwrap_or_else(|ahead| if ahead.duration() < PERIOD { Duration::ZERO } else { Duration::MAX })
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn key(name: &str) -> PublishedKey {
        PublishedKey { url: "https://keys.example.com/".to_owned(), id: Some(name.to_owned()) }
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_760_000_000 + seconds)
    }

    #[test]
    fn a_document_is_kept_as_long_as_it_may_be() {
        let cache = KeyCache::new(Duration::from_secs(100));
        cache.put(&key("a"), *b"one", at(0));
        assert_eq!(cache.find(&key("a"), at(99)).as_deref(), Some(&b"one"[..]));
        assert_eq!(cache.find(&key("a"), at(100)), None);
        assert_eq!(cache.find(&key("b"), at(0)), None);
        cache.put(&key("a"), *b"two", at(100));
        assert_eq!(cache.find(&key("a"), at(150)).as_deref(), Some(&b"two"[..]));
    }

    #[test]
    fn the_oldest_document_goes_when_there_are_too_many() {
        let cache = KeyCache::new(Duration::from_secs(1000));
        for second in 0..=64 {
            cache.put(&key(&second.to_string()), *b"", at(second));
        }
        assert_eq!(cache.find(&key("0"), at(64)), None);
        assert!((1..=64).all(|second| cache.find(&key(&second.to_string()), at(64)).is_some()));
    }

    #[test]
    fn a_clock_that_was_a_week_ahead_holds_up_no_fetch_and_keeps_no_key() {
        let (cache, week) = (KeyCache::new(Duration::from_secs(1000)), 604_800);
        for number in 0..16 {
            assert!(cache.may_fetch(&key(&number.to_string()), at(week)));
        }
        cache.put(&key("1"), *b"made-up", at(week));
        assert!(cache.may_fetch(&key("0"), at(0)));
        assert_eq!(cache.find(&key("1"), at(0)), None);
        assert!(cache.find(&key("1"), at(week - 1)).is_some());
    }

    #[test]
    fn a_flood_of_unknown_keys_is_no_flood_of_fetches() {
        let cache = KeyCache::new(Duration::from_secs(1000));
        assert!(cache.may_fetch(&key("a"), at(0)));
        assert!(!cache.may_fetch(&key("a"), at(59)));
        let fetched = (0..1000).filter(|number| cache.may_fetch(&key(&number.to_string()), at(1))).count();
        assert_eq!(fetched, 15);
        assert!(cache.may_fetch(&key("a"), at(60)));
        assert!(!cache.may_fetch(&key("b"), at(60)));
        assert!(cache.may_fetch(&key("b"), at(61)));
    }
}
