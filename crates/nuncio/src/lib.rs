//! Talk to third-party APIs, correctly.
//!
//! This is the crate to depend on. It gathers the libraries of nuncio under one name:
//!
//! | module | for |
//! |---|---|
//! | [`client`] | calls: credentials, retries, limits, pages, GraphQL, errors |
//! | [`service`] | APIs described by a YAML file each, and the catalog (Stripe, SendGrid, Slack, GitHub) |
//! | [`bulk`] | every record of a list into a file, one call for each item of a file; resumable |
//! | [`webhook`] | webhooks: verified, signed, explained |
//! | `credentials` | credentials on disk, encrypted, shared by processes; behind the feature of that name |
//!
//! The names used most stand at the root.
//!
//! ```no_run
//! # async fn example() -> Result<(), nuncio::Error> {
//! use nuncio::{Client, auth::Auth};
//!
//! let client = Client::builder()
//!     .base_url("https://api.example.com")
//!     .auth(Auth::bearer("made-up-token".into()))
//!     .build()?;
//! let answer = client.post("/orders").json(&serde_json::json!({"item": 7})).send().await?;
//! println!("{}", answer.text()?);
//! # Ok(())
//! # }
//! ```

pub use nuncio_bulk as bulk;
pub use nuncio_client as client;
#[cfg(feature = "credentials")]
pub use nuncio_credentials as credentials;
pub use nuncio_service as service;
pub use nuncio_webhook as webhook;

pub use nuncio_client::{Answer, Call, Client, Error, Kind, Secret, auth, graphql, limit, pages, retry};

/// The Rust of the guide compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/auth.md")]
#[doc = include_str!("../../../docs/webhooks.md")]
struct Guide;
