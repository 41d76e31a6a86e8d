//! Calls to third-party HTTP APIs done right: credentials, retries, limits, pages, GraphQL, errors.
//!
//! ```no_run
//! use futures_util::TryStreamExt as _;
//! use nuncio_client::pages::{Pages, Param, Place, Records, Strategy};
//! use nuncio_client::{Client, Error, auth::Auth};
//!
//! # async fn example(token: &str) -> Result<(), Error> {
//! let client = Client::builder().base_url("https://api.example.com").auth(Auth::bearer(token.into())).build()?;
//!
//! // One call. It is retried as far as that is safe, and fails with an error that says what happened.
//! let user: serde_json::Value = client.get("/users/7").send().await?.json()?;
//!
//! // Every record of a list, while its pages come in.
//! let strategy = Strategy::Cursor { param: Param::Query("cursor".into()), next: Place::Body("next".parse()?) };
//! let pages = Pages::new(strategy, Records::Array("data".parse()?));
//! let orders: Vec<serde_json::Value> = client.get("/orders").pages(&pages)?.records().try_collect().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # The call path
//!
//! A call goes through layers, each a [`tower::Layer`] in a module of its own that can be taken alone into another stack:
//!
//! | layer | what it sees to |
//! |---|---|
//! | [`deadline`] | the whole call ends in time, waits included |
//! | [`retry`] | a failed attempt is repeated where that can help and does no harm |
//! | [`check`] | a failure is told from a success, in the service's own words |
//! | [`redirect`] | followed on the same origin only |
//! | [`limit`] | every attempt waits its turn |
//! | [`auth`] | every attempt carries credentials that are valid now |
//! | [`wire`] | one HTTP exchange |
//!
//! What a layer needs to know of the call travels with the request as its [`Context`]. A setting among the extensions of a request, such as a
//! [`retry::Policy`] in an [`Arc`](std::sync::Arc), stands in for the layer's own in that one call.
//!
//! # Ideas
//!
//! - **Evidence.** A failed attempt was never sent, was rejected, or is of [unknown](Evidence) fate. In the last case a POST is repeated only
//!   with an idempotency key.
//! - **The server's word counts.** It is waited for as told, or not at all: never cut short, never early.
//! - **Secrets are a type.** A [`Secret`] is blanked wherever something leaves the process, even when a server echoes it.
//! - **Everything that happens has a reason**, and is told as an [`Event`].
//! - **Time and chance are handed in**: `tokio::time`, a [`Clock`], a [`Random`].
//!
//! All futures are safe to drop. Features: `json-schema` (default) holds answers against a JSON Schema.
//!
//! It does not read files, know YAML, or keep credentials on disk; the crates around it do.

mod answer;
pub mod auth;
pub mod body;
mod call;
pub mod check;
mod client;
mod clock;
mod context;
pub mod deadline;
mod error;
mod event;
pub mod graphql;
pub mod hints;
mod history;
pub mod json;
pub mod limit;
pub mod pages;
pub mod redact;
pub mod redirect;
pub mod retry;
mod secret;
mod stack;
pub mod wire;

pub use answer::{Answer, excerpt};
pub use body::Body;
pub use call::{Call, Repeat};
pub use client::{Builder, Client, DEFAULT_DEADLINE, DEFAULT_GRAPHQL_PATH};
pub use clock::{Clock, Random, uuid};
pub use context::{Context, DEFAULT_ATTEMPT_TIMEOUT, DEFAULT_MAX_BODY_BYTES, Read};
pub use error::{BoxError, Error, Kind};
pub use event::{Event, Observer};
pub use history::{Attempt, Evidence, History};
pub use redact::Redactor;
pub use secret::Secret;
pub use stack::Stack;

/// An HTTP request as the layers pass it on. Its [`Context`] is an extension.
pub type Request = http::Request<Body>;

/// An HTTP answer as the layers pass it back.
pub type Response = http::Response<Body>;
