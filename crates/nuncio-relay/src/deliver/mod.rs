//! Makes attempts: to HTTP endpoints, operations of services, commands and files.
//!
//! One attempt is one request, the calls that are left, one run or one line; when to try again is for the [dispatcher](crate::dispatch), but where a
//! call may have been made and a copy could do it twice: then the failure [is final](crate::Failure::is_final). What an attempt says of the
//! endpoint is a [`Fault`](crate::Fault):
//!
//! | what happened | it is |
//! |---|---|
//! | 2xx, exit code 0, a call that went well | taken |
//! | 410 of an HTTP endpoint | `Gone` |
//! | 429, 502, 503, 504, a limit that is exhausted | `Throttled`, with the wait of `Retry-After` (at most [`MAX_RETRY_AFTER`]) |
//! | other 5xx, no answer in time, no connection, name or TLS handshake | `Unavailable` |
//! | an address that may not be called, credentials that are missing or refused by their issuer, a program or folder that is not there | `Misconfigured` |
//! | other 4xx, 3xx (no redirect is followed), another exit code, an error of an operation | `Refused` |

mod cache;
mod command;
mod event;
mod failure;
mod file;
mod http;
mod operations;

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, slice};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use nuncio_client::{Clock, Error, Redactor, wire};
use nuncio_service::{Connection, Env};

use crate::Event;
use crate::directory::Endpoint;
use crate::dispatch::Deliver;
use crate::outcome::Outcome;
use crate::progress::Journal;
use crate::settings::{self, Target};
use crate::store::Leased;

pub(crate) use operations::Step;

/// The longest wait that an endpoint is granted by `Retry-After`: a day.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// How much of an answer is kept, in bytes: 1 KiB.
pub const EXCERPT_BYTES: usize = 1024;

/// How much of an answer is read, so that the connection can be used again, in bytes: 16 KiB. What answers more loses its connection.
const READ_BYTES: usize = 16 * 1024;

/// Connects to a service of the catalog, as the account of that name or with the credentials of the environment.
///
/// It is asked once for each endpoint and whenever its settings change. Copies of one [`Connection`] share limits and tokens: hand those out.
pub type Connect =
    Arc<dyn Fn(&str, Option<&str>) -> BoxFuture<'static, Result<Connection, Error>> + Send + Sync>;

/// Settings of [`Targets`].
#[derive(Clone)]
pub struct Settings {
    /// How HTTP endpoints are reached. Their addresses are vetted before they are connected to, and no proxy is used unless one is named here: then
    /// it keeps guard.
    pub wire: wire::Settings,
    /// Where operations come from.
    pub connect: Connect,
    /// Tells the time of day, which signatures carry.
    pub clock: Clock,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("wire", &self.wire).finish_non_exhaustive()
    }
}

/// Delivers to every [`Target`]. Connections and tokens are kept for each endpoint until its settings change.
pub struct Targets(Arc<Inner>);

struct Inner {
    receivers: http::Receivers,
    connections: operations::Connections,
    clock: Clock,
}

impl Targets {
    /// Delivers with these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let Settings { wire, connect, clock } = settings;
        Self(Arc::new(Inner {
            receivers: http::Receivers::new(wire, clock.clone()),
            connections: operations::Connections::new(connect, clock.clone()),
            clock,
        }))
    }
}

impl Deliver for Targets {
    fn deliver(
        &self,
        name: &str,
        endpoint: Arc<Endpoint>,
        leased: Leased,
        journal: Journal,
    ) -> BoxFuture<'static, Outcome> {
        let (inner, name) = (Arc::clone(&self.0), name.to_owned());
        Box::pin(async move {
            let Leased { event, attempt, progress, .. } = leased;
            let event = match event::sent(event, &endpoint) {
                Ok(event) => event,
                Err(error) => return failure::outcome(&error, false, &inner.clock),
            };
            let parcel = Parcel { name: &name, endpoint: &endpoint, event: &event, attempt };
            let calls = |operations| inner.connections.deliver(&parcel, operations, &journal, progress);
            match &endpoint.settings.to {
                Target::Http(http) => inner.receivers.deliver(&parcel, http).await,
                Target::Operation(operation) => calls(slice::from_ref(operation)).await,
                Target::Operations(operations) => calls(operations).await,
                Target::Command(run) => command::deliver(&parcel, run).await,
                Target::File(file) => file::deliver(&parcel, file).await,
            }
        })
    }
}

impl fmt::Debug for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Targets")
    }
}

/// What is delivered, and to whom.
struct Parcel<'a> {
    name: &'a str,
    endpoint: &'a Arc<Endpoint>,
    event: &'a Event,
    attempt: u32,
}

impl Parcel<'_> {
    fn timeout(&self) -> Duration {
        self.endpoint.settings.delivery.timeout.0
    }
}

/// Whether these settings can be delivered by, as far as that can be told without trying. Secrets are known to the redactor then.
pub(crate) fn check(settings: &settings::Endpoint, env: &Env) -> Result<(), Error> {
    match &settings.to {
        Target::Http(http) if http.as_received && settings.transform.is_some() => Err(Error::configuration(
            "`as_received` sends what the provider signed, and `transform` makes something else of it",
        )
        .advise("leave one of them out")),
        Target::Http(http) => http::check(http, env),
        // They are made ready beforehand, which tells.
        Target::Operation(_) | Target::Operations(_) => Ok(()),
        Target::Command(run) => command::check(run),
        Target::File(_) => Ok(()),
    }
}

/// The first bytes of an answer, secrets blanked.
fn excerpt(answer: &[u8]) -> Bytes {
    // Blanked before it is cut: half a secret would not be recognised any more.
    let shown = Redactor::global().redact_bytes(&answer[..answer.len().min(READ_BYTES)]);
    Bytes::copy_from_slice(&shown[..shown.len().min(EXCERPT_BYTES)])
}
