//! Host names to addresses, by the system or by whoever is handed in.

use std::fmt;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{self, Poll};

use futures_util::future::BoxFuture;
use hyper_util::client::legacy::connect::dns::Name;
use tower::Service;

use crate::BoxError;

use super::Guard;

type Lookup = dyn Fn(String) -> BoxFuture<'static, Result<Vec<IpAddr>, BoxError>> + Send + Sync;

/// Finds the addresses of a host name in place of the system.
#[derive(Clone)]
pub struct Resolver(Arc<Lookup>);

impl Resolver {
    /// A resolver that asks `lookup`. The time that it takes is part of the time to connect.
    pub fn new<F>(lookup: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Vec<IpAddr>, BoxError>> + Send + 'static,
    {
        Self(Arc::new(move |name| Box::pin(lookup(name))))
    }

    pub(super) fn system() -> Self {
        Self::new(async |name: String| {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }

    /// The same, but for answers that `guard` refuses. What comes out is what is connected to: nothing looks the name up again.
    pub(super) fn guarded(self, guard: Guard) -> Self {
        Self::new(move |name| {
            let (found, guard) = ((self.0)(name.clone()), guard.clone());
            async move {
                let addresses = found.await?;
                guard.vet(&name, &addresses)?;
                Ok(addresses)
            }
        })
    }
}

impl Service<Name> for Resolver {
    /// The port of the URL stands in for 0.
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let found = (self.0)(name.as_str().to_owned());
        Box::pin(async move {
            let addresses: Vec<_> =
                found.await?.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
            Ok(addresses.into_iter())
        })
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}
