//! Trying again, where that can help and cannot harm.
//!
//! Each question has its own small type. *May this be sent again?* [`Policy`], a pure function from an [`Outcome`] to a
//! [`Decision`]. *After how long?* [`Backoff`], unless the server says ([`hints`](crate::hints)). *May we add to the load?*
//! [`Budget`]. *Can the body be sent again?* [`Body::try_clone`](crate::Body::try_clone). The loop of [`RetryLayer`] asks and waits.
//!
//! # What is retried
//!
//! The first row that fits is what is done:
//!
//! | what happened | what is done |
//! |---|---|
//! | 401, and the credentials were renewed | once more at once, not counted |
//! | the server forbids it: `x-should-retry: false` or a header of the service's own | fails |
//! | not a connect, reset or timeout error, not a status of the table, not allowed by `x-should-retry: true` | fails |
//! | a 429 that means an exhausted quota ([`Policy::quota`]) | fails, and says when to come back |
//! | the server asks for a wait above [`Policy::max_wait`] | fails, and says when to come back |
//! | the server may have acted, and a copy may act again: POST and PATCH without an idempotency key | fails |
//! | the body can be read only once | fails |
//! | [`Policy::attempts`] are used | fails |
//! | the wait would pass the deadline of the call | fails |
//! | the [`Budget`] of the host is spent, and the server did not refuse it with a wait (a 429 with `Retry-After`) | fails |
//! | anything else | again, after the wait that the server asked for, or else after the backoff |
//!
//! Whether the server may have acted is told by [`Evidence`](crate::Evidence), which the layers inside put on their errors. A 503 with
//! `Retry-After` is no proof that it did not: edges put it on requests that the origin has applied.
//!
//! # Errors
//!
//! The last error comes back with the number of attempts, their [`History`](crate::History) and the reason why there was no other. Without a
//! [`CheckLayer`](crate::check) inside, answers with a bad status are treated alike, and the last one comes back as the answer it is.
//!
//! Dropping the future stops everything: no attempt is made after it.
//!
//! ```
//! use nuncio_client::retry::{Policy, RetryLayer};
//! use nuncio_client::{Body, Clock, Error, Random, Request, Response};
//! use tower::{ServiceBuilder, ServiceExt as _, service_fn};
//! # use std::sync::atomic::{AtomicU32, Ordering};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Error> {
//! # static ATTEMPTS: AtomicU32 = AtomicU32::new(0);
//! let stack = ServiceBuilder::new()
//!     .layer(RetryLayer::new(Policy::default(), Clock::system(), Random::new()))
//!     .service(service_fn(|_: Request| async {
//!         let status = if ATTEMPTS.fetch_add(1, Ordering::Relaxed) < 2 { 503 } else { 200 };
//!         Ok::<_, Error>(http::Response::builder().status(status).body(Body::Empty).expect("a valid status"))
//!     }));
//!
//! let response: Response = stack.oneshot(Request::default()).await?;
//! assert_eq!(response.status(), 200);
//! assert_eq!(ATTEMPTS.load(Ordering::Relaxed), 3);
//! # Ok(())
//! # }
//! ```

mod backoff;
pub mod budget;
mod failure;
mod layer;
mod policy;

pub use backoff::{Backoff, Jitter};
pub use budget::Budget;
pub use layer::{Retry, RetryLayer};
pub use policy::{
    DEFAULT_ATTEMPTS, DEFAULT_MAX_WAIT, DEFAULT_STATUSES, Decision, Outcome, Policy, QuotaPredicate,
    SHOULD_RETRY, Stop,
};
