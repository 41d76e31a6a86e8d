//! Bounds on time: for a whole call, and for each of its attempts.
//!
//! Two bounds, because they answer two questions. How long may the *caller* wait, with all attempts and the waits between them?
//! That is the deadline ([`DeadlineLayer`], outermost). And after how long is an *exchange* lost, so that another may do better? That is
//! the attempt timeout ([`AttemptTimeoutLayer`], next to the wire: waiting for a limiter or a token is not held against
//! the server). Checking the time only between attempts would let one slow answer, or one `Retry-After`, pass any bound.
//!
//! The deadline is also told to the layers inside, as [`Context::deadline`](crate::Context::deadline): the retries do not begin a wait that
//! would pass it.
//!
//! Both end with [`Kind::Timeout`](crate::Kind::Timeout) and evidence *unknown*: whatever was on its way may have been done. An
//! attempt timeout is worth another attempt; a deadline is the end. Both drop the future inside, which ends the exchange. An answer whose body is
//! read as a stream is bounded up to its head; from there on the wire bounds the wait for each piece.
//!
//! ```
//! use std::time::Duration;
//! use nuncio_client::deadline::{AttemptTimeoutLayer, DeadlineLayer};
//! use nuncio_client::{Error, Kind, Request, Response};
//! use tower::{ServiceBuilder, ServiceExt as _, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! let stack = ServiceBuilder::new()
//!     .layer(DeadlineLayer::new(Duration::from_secs(10)))
//!     .layer(AttemptTimeoutLayer)
//!     .service(service_fn(|_: Request| std::future::pending::<Result<Response, Error>>()));
//!
//! let error = stack.oneshot(Request::default()).await.unwrap_err();
//! assert_eq!(error.kind(), Kind::Timeout);
//! # }
//! ```

mod attempt;
mod call;

pub use attempt::{AttemptTimeout, AttemptTimeoutLayer};
pub use call::{CallDeadline, Deadline, DeadlineLayer};
