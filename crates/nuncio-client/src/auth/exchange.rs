//! What a scheme may use of the world.

use std::fmt;

use tower::{Service, ServiceExt as _};

use crate::{Clock, Error, Observer, Random, Request, Response, Stack};

/// How a scheme gets credentials: HTTP without credentials, the time of day, chance, and who is told what happens. Copies share
/// connections.
#[derive(Clone)]
pub struct Exchange {
    service: Stack,
    /// Time of day, for signed timestamps and expiry.
    pub clock: Clock,
    /// Chance, for nonces.
    pub random: Random,
    /// Is told what happens. Default: nobody is.
    pub observer: Observer,
}

impl Exchange {
    /// An exchange over `service`, which retries and checks as its maker sees fit.
    #[must_use]
    pub fn new<S>(service: S, clock: Clock, random: Random) -> Self
    where
        S: Service<Request, Response = Response, Error = Error> + Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        Self { service: Stack::new(service), clock, random, observer: Observer::default() }
    }

    /// The same, on behalf of a call that `observer` listens to.
    #[must_use]
    pub fn observed_by(&self, observer: Observer) -> Self {
        Self { observer, ..self.clone() }
    }

    /// Sends `request` as it is.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        self.service.clone().oneshot(request).await
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exchange")
    }
}
