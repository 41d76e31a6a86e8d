//! The service file as types, one file a section. Their documentation is what editors show, by way of the JSON Schema.

mod auth;
mod errors;
mod input;
mod limits;
mod operation;
mod pages;
mod retry;
mod sandbox;
mod service;
mod span;
mod webhooks;

pub use auth::{
    Algorithm, ApiKey, Auth, Basic, ClientAuth, ContentDigest, Digest, Encoding, GitHubApp,
    GoogleServiceAccount, Grant, Hmac, Jwt, Key, KeyId, KeyPlace, MessageSignature, NamedHeader, OAuth1,
    OAuth1Method, OAuth1Placement, OAuth2, Payload, SecretEncoding, Session, SigV4, SignatureHeader,
    Statement, TimeFormat, TimestampHeader, TokenExchange,
};
pub use errors::{Errors, Validate};
pub use input::{Input, Place, Type};
pub use limits::{Limit, Rate};
pub use operation::{Operation, Target};
pub use pages::{
    Connection, Cursor, HeaderCursor, Keyset, Link, NextUrl, Offset, PageNumber, Pages, ParamPlace, Size,
    Strategy, Total,
};
pub use retry::{Backoff, Idempotency, Jitter, Retry};
pub use sandbox::{Action, Failure, Failures, Reply, Resource, Sandbox};
pub use service::{Encode, GraphQl, Service, Version};
pub use span::Span;
pub use webhooks::Webhooks;

/// The item of an iterator that has exactly one.
fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}
