//! What a scheme may use of the world.

use std::fmt;

use tower::{Service, ServiceExt as _};

use crate::{Clock, Error, Random, Request, Response, Stack};

/// How a scheme gets credentials: HTTP without credentials, the time of day, and chance. Copies share connections.
#[derive(Clone)]
pub struct Exchange {
    service: Stack,
    /// Time of day, for signed timestamps and expiry.
    pub clock: Clock,
    /// Chance, for nonces.
    pub random: Random,
}

impl Exchange {
    /// An exchange over `service`, which retries and checks as its maker sees fit.
    #[must_use]
    pub fn new<S>(service: S, clock: Clock, random: Random) -> Self
    where
        S: Service<Request, Response = Response, Error = Error> + Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        Self { service: Stack::new(service), clock, random }
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
