//! Calls to third-party HTTP APIs done right.

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
pub mod wire;

pub use answer::{Answer, excerpt};
pub use body::Body;
pub use call::Call;
pub use client::{Builder, Client, DEFAULT_DEADLINE, DEFAULT_GRAPHQL_PATH, Stack};
pub use clock::{Clock, Random};
pub use context::{Context, DEFAULT_ATTEMPT_TIMEOUT, DEFAULT_MAX_BODY_BYTES, Read};
pub use error::{BoxError, Error, Kind};
pub use event::{Event, Observer};
pub use history::{Attempt, Evidence, History};
pub use redact::Redactor;
pub use secret::Secret;

/// An HTTP request as the layers pass it on. Its [`Context`] is an extension.
pub type Request = http::Request<Body>;

/// An HTTP answer as the layers pass it back.
pub type Response = http::Response<Body>;
