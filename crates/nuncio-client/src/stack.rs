//! A service that every layer can share.

use std::fmt;
use std::sync::Arc;
use std::task::{self, Poll};

use futures_util::future::BoxFuture;
use tower::{Service, ServiceExt as _};

use crate::{Error, Request, Response};

/// A service that takes a request to an answer, of whatever it is made. Copies share it and cost nothing, whatever a copy of the service
/// costs: each request is sent through one of its own.
#[derive(Clone)]
pub struct Stack(Arc<Handler>);

type Handler = dyn Fn(Request) -> BoxFuture<'static, Result<Response, Error>> + Send + Sync;

impl Stack {
    /// Hides what `service` is made of.
    #[must_use]
    pub fn new<S>(service: S) -> Self
    where
        S: Service<Request, Response = Response, Error = Error> + Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        Self(Arc::new(move |request| Box::pin(service.clone().oneshot(request))))
    }
}

impl Service<Request> for Stack {
    type Response = Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response, Error>>;

    /// Always ready: what a copy of the service has to wait for is a part of the exchange.
    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        (self.0)(request)
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stack")
    }
}
