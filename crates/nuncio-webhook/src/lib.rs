//! Webhooks of every provider, verified and signed.
//!
//! Pure functions over bytes, headers and a clock: no sockets, no time of day, no storage. How a provider signs is data, a [`Scheme`]; those of
//! well-known providers come along ([`provider`]), others are written in a few lines.
//!
//! Three ideas:
//!
//! - **Bytes.** What is hashed is what arrived, never a text that was parsed and written again.
//! - **One spelling.** Timestamps are digits alone, signatures are in the one spelling that the provider sends, headers stand there once. Whatever else
//!   a lenient reader takes was perhaps not what was signed.
//! - **A reason.** A request is taken, or refused with a [`Refusal`] that a program can branch on.
//!
//! ```
//! use std::time::{Duration, UNIX_EPOCH};
//! use nuncio_webhook::{Request, Secrets, provider, verify};
//!
//! let stripe = provider("stripe").unwrap();
//! let headers = vec![(
//!     "Stripe-Signature",
//!     "t=1760000000,v1=f182012bd49ba93537deac1e738d77b92fb1c7ebf652fd2f7deed66fb956d6e0",
//! )];
//! let body = br#"{"id":"evt_test_1","type":"ping","object":"event","data":{"n":1,"ok":true}}"#;
//! let request = Request { method: "POST", url: "https://hooks.example.test/in/stripe", headers: &headers, body };
//! let secrets = Secrets::new().with("current", "whsec_nuncio_test_only_secret");
//!
//! let event = verify(&stripe.scheme, &request, &secrets, UNIX_EPOCH + Duration::from_secs(1_760_000_100))?;
//! assert_eq!(event.id().as_deref(), Some("evt_test_1"));
//! assert_eq!(event.event_type().as_deref(), Some("ping"));
//! # Ok::<(), nuncio_webhook::Refusal>(())
//! ```
//!
//! The feature `schema` has JSON Schemas of the types of a [`Scheme`], by way of `schemars`.

mod content;
mod crypto;
mod explain;
mod handshake;
mod json;
mod jwt;
mod keys;
mod provider;
mod refusal;
mod request;
pub mod scheme;
mod secret;
mod sign;
mod time;
mod verify;

pub use explain::{Attempt, Cause, Explanation, Reading, explain};
pub use handshake::{Answer, handshake};
pub use keys::{KeyCache, Keys, PublishedKey};
pub use provider::{Provider, provider, providers};
pub use refusal::Refusal;
pub use request::{Headers, Request};
pub use scheme::{Encoding, Scheme, SchemeRef, Signed, UnknownPart};
pub use secret::Secrets;
pub use sign::{CannotSign, Outgoing, generate_key_pair, generate_private_key, generate_secret, sign};
pub use verify::{Verified, verify};
