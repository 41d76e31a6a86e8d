//! A fake third party made from a service file, with faults on demand.
//!
//! It plays each service as its file describes it, all on one port: it demands the described credentials, stores what is created, hands
//! out lists in the described pages, keeps the described limits, answers failures in the described shape, gives the same answer for the
//! same idempotency key, and misbehaves when it is asked to ([`Fault`]). Clients find it by base URL alone, so a vendor's own SDK works
//! with it too. What it did is counted ([`Counts`]), so that a test can tell what was lost or done twice.
//!
//! It knows nothing of a service beyond the file: no rules of its business, no permissions. Of webhooks it has [templates](events), and sends none by itself. Everything is kept in memory and
//! forgotten at the end. It is for loopback: there is no TLS.
//!
//! ```
//! # async fn example(stripe: nuncio_service::Service) -> Result<(), Box<dyn std::error::Error>> {
//! use nuncio_sandbox::{Options, Sandbox};
//!
//! let faults = vec!["503:every=10".parse()?];
//! let sandbox = Sandbox::start(Options { services: vec![stripe], faults, ..Options::default() }).await?;
//! let url = sandbox.url("stripe").ok_or("not played")?; // such as http://127.0.0.1:41231/stripe
//! // … calls to it, with `url` as base URL …
//! assert_eq!(sandbox.counts().operation("stripe", "customers.create").applied, 0);
//! sandbox.stop().await;
//! # Ok(())
//! # }
//! ```

mod act;
mod answer;
mod auth;
mod counts;
pub mod events;
mod fault;
mod graphql;
mod idempotency;
mod input;
mod limits;
mod oauth2;
mod paging;
mod perform;
mod play;
mod refusal;
mod route;
mod sandbox;
mod server;
mod store;
mod time;
mod waits;
mod wire;
mod words;

pub use counts::{Counts, OperationCounts, ServiceCounts};
pub use fault::Fault;
pub use sandbox::{Error, Options, Sandbox};
