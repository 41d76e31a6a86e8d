//! Waiting one's turn: no more calls than a service allows, in the order in which they came.
//!
//! A [`Limiter`] holds several limits at once. A [`Quota`] is a token [`Bucket`], one for all calls or one for each key or operation;
//! a bound on concurrency counts the calls under way; and what the server's answers say of its own limits ([`Learned`]) holds calls
//! back before it has to refuse them. A call goes when all of them have room for it, and takes from all at once: it never takes from
//! one limit while it waits for another.
//!
//! Why buckets, when the server's word is obeyed too? Its word comes only with an answer. A hundred calls that start together have
//! none yet, and many servers say nothing until they refuse. And why obey it, when there are buckets? Another program may spend from
//! the same quota.
//!
//! - A learned limit only narrows the configured ones. An answer that overtook another does not widen what is known.
//! - After a refusal with `Retry-After`, all calls of its scope wait, not only the one that was refused. Then one goes ahead, and the
//!   others when it was answered.
//! - After a refusal that says nothing, they go at a pace that is found by trial: it falls at a refusal and grows in between.
//! - Operations may have several lists of limits that [share](Limiter::sharing) some of their buckets.
//! - Nobody waits in vain: a call whose turn is known to come too late fails at once, with the time at which to come back.
//!
//! ```
//! use std::num::NonZeroU32;
//! use std::time::Duration;
//! use nuncio_client::limit::{Limiter, Limits, Quota, Scope};
//! use nuncio_client::{Context, Kind};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), nuncio_client::Error> {
//! let quota = |name: &str, capacity, refill: &str| -> Result<_, nuncio_client::Error> {
//!     Ok(Quota {
//!         name: name.into(),
//!         capacity: NonZeroU32::new(capacity).expect("a capacity"),
//!         refill: refill.parse()?,
//!         per: Scope::All,
//!     })
//! };
//! let limiter = Limiter::new(Limits {
//!     quotas: vec![quota("a second", 100, "25/s")?, quota("a day", 2, "2/d")?],
//!     max_wait: Duration::from_secs(60),
//!     ..Limits::default()
//! });
//!
//! let context = Context::default();
//! let first = limiter.acquire(&context).await?;
//! let second = limiter.acquire(&context).await?;
//! let refused = limiter.acquire(&context).await.unwrap_err();
//! assert_eq!(refused.kind(), Kind::Limit);
//! assert_eq!(refused.to_string(), r#"the limit "a day" has no room for another 12 h, and the call may wait for 60.0 s"#);
//! # Ok(())
//! # }
//! ```

#[cfg(test)]
mod accuracy;
mod adaptive;
mod bucket;
mod lane;
mod layer;
mod learned;
mod limiter;
mod limits;
mod pace;
mod refill;
mod state;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod window_check;

pub use bucket::{Bucket, Refusal};
pub use layer::{BodyHint, Limit, LimitLayer};
pub use learned::Learned;
pub use limiter::{Limiter, Permit};
pub use limits::{DEFAULT_MAX_KEYS, DEFAULT_MAX_WAIT, Limits, Quota, Scope};
pub use refill::Refill;
