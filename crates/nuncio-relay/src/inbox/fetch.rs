//! What providers publish: keys, and pages that confirm a subscription.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use nuncio_client::{Client, Error, wire};

/// A longer document is refused: a certificate or a set of keys has some kilobytes.
const MAX_BYTES: usize = 256 * 1024;

/// How long a document may take: the provider that sent the webhook waits for its answer, some only 3 s.
const DEADLINE: Duration = Duration::from_secs(2);

/// Gets a document by its URL, which is on a host that the scheme names.
pub trait Fetch: Send + Sync {
    /// The document at `url`. Dropping the future gives up.
    fn get(&self, url: &str) -> BoxFuture<'static, Result<Bytes, Error>>;
}

/// Fetches by HTTPS: at most 256 KiB, in at most 2 s.
#[derive(Debug, Clone)]
pub struct ClientFetch(Client);

impl ClientFetch {
    /// A client over this wire.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when the wire cannot be set up.
    pub fn new(wire: wire::Settings) -> Result<Self, Error> {
        Client::builder().deadline(DEADLINE).max_body_bytes(MAX_BYTES).wire(wire).build().map(Self)
    }
}

impl Fetch for ClientFetch {
    fn get(&self, url: &str) -> BoxFuture<'static, Result<Bytes, Error>> {
        let call = self.0.get(url);
        Box::pin(async move { Ok(call.send().await?.body) })
    }
}
