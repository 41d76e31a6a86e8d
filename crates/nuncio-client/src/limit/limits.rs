//! What a [`Limiter`](super::Limiter) holds a service's calls to.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::Refill;

/// Default of [`Limits::max_wait`]: 5 minutes.
pub const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(5 * 60);

/// Default of [`Limits::max_keys`].
pub const DEFAULT_MAX_KEYS: usize = 100_000;

/// Settings of a [`Limiter`](super::Limiter). The default sets no limit, but obeys what the server says of its own.
#[derive(Debug, Clone)]
pub struct Limits {
    /// All of them are held at once. Default: none.
    pub quotas: Vec<Quota>,
    /// How many calls are under way at once, to the last byte of a streamed answer. Default: any number.
    pub concurrency: Option<NonZeroU32>,
    /// A call that would wait longer fails at once. Default 5 min; zero: a call never waits.
    pub max_wait: Duration,
    /// Whose calls a server's word on its limits is taken to be about. Default [`Scope::Key`]; nothing: it is not listened to.
    pub learn: Option<Scope>,
    /// How many keys and operations are remembered at once, 100,000 by default. One whose buckets are full is forgotten when there
    /// is need for another; a call of a new key fails while none can be.
    pub max_keys: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            quotas: Vec::new(),
            concurrency: None,
            max_wait: DEFAULT_MAX_WAIT,
            learn: Some(Scope::Key),
            max_keys: DEFAULT_MAX_KEYS,
        }
    }
}

/// One limit: a token [`Bucket`](super::Bucket), or one for each key.
#[derive(Debug, Clone)]
pub struct Quota {
    /// Names it in events, in errors, and to change it.
    pub name: Arc<str>,
    /// Tokens that can be spent at once. Of a bucket that fills within some milliseconds, part of the rate is lost: waits end a
    /// millisecond late, and a full bucket gains nothing.
    pub capacity: NonZeroU32,
    /// How fast they come back.
    pub refill: Refill,
    /// Who spends from one bucket.
    pub per: Scope,
}

/// Which calls share something.
///
/// Each scope lies within the one before: accounts do not share the bucket of an operation. Calls that lack a key or an operation
/// share one as if it were theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All calls of the limiter.
    All,
    /// Those with the same [`limit_key`](crate::Context::limit_key).
    Key,
    /// Those with the same `limit_key` and [`operation`](crate::Context::operation).
    Operation,
}
