//! GraphQL over HTTP: requests, answers, their errors and their costs.
//!
//! Three things set GraphQL apart from other calls. All of them are POST, so whether one may be repeated stands in its document: a
//! query may, a mutation may not ([`Request::is_query`]). A failure comes with status 200 ([`failure`]), often next to
//! data that is worth keeping ([`Errors::data`]). And limits count points rather than requests and are told within the body ([`cost`]).
//!
//! This follows the GraphQL specification (October 2021 and the draft after it) and the GraphQL over HTTP draft. Subscriptions need
//! another transport and are refused.

mod cost;
mod document;
mod errors;
mod failure;
mod request;
mod response;

use http::HeaderValue;

pub use cost::{Cost, cost};
pub use errors::{Error, Errors, Location};
pub use failure::failure;
pub use request::Request;
pub use response::Response;

/// What to send as `Accept`. Servers that know `application/graphql-response+json` answer with statuses that proxies and logs understand.
pub const ACCEPT: HeaderValue =
    HeaderValue::from_static("application/graphql-response+json, application/json;q=0.9");
