//! What happens during a call, with its reason: the one source for logs, progress, traces and dashboards.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, Uri};

use crate::Kind;

/// Something that happened during a call. Texts in it are free of secrets; headers are as sent, to be shown through
/// [`redact::headers`](crate::redact::headers).
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An attempt goes on the wire.
    Sending {
        /// Method of the request.
        method: &'a Method,
        /// URL as sent, to be shown through [`redact::url`](crate::redact::url).
        uri: &'a Uri,
        /// Headers as sent, credentials included.
        headers: &'a HeaderMap,
        /// The body, where it is held in memory.
        body: Option<&'a [u8]>,
    },
    /// An attempt was answered.
    Answered {
        /// Status of the answer.
        status: StatusCode,
        /// Headers of the answer.
        headers: &'a HeaderMap,
        /// The body, where it was read whole.
        body: Option<&'a [u8]>,
        /// From sending to here.
        took: Duration,
    },
    /// An attempt failed without an answer.
    Failed {
        /// Kind of the failure.
        kind: Kind,
        /// What failed.
        message: &'a str,
    },
    /// Another attempt will be made.
    Retrying {
        /// Number of the attempt that failed, from 1.
        attempt: u32,
        /// How long is waited before the next.
        after: Duration,
        /// Why: `503`, `timeout`, …, and who chose the wait: `Retry-After` or the backoff.
        reason: &'a str,
    },
    /// No other attempt will be made.
    GaveUp {
        /// Attempts made.
        attempts: u32,
        /// Why not.
        reason: &'a str,
    },
    /// The limiter made the attempt wait.
    Limited {
        /// How long.
        waited: Duration,
        /// For what: a bucket's name, the concurrency bound, the server's word.
        reason: &'a str,
    },
    /// A token was fetched or thrown away.
    Token {
        /// What happened and why.
        reason: &'a str,
    },
    /// A page is complete.
    Page {
        /// Its number in this run, from 1.
        number: u64,
        /// Records on it.
        records: u64,
    },
    /// No further page is asked for.
    PagesEnded {
        /// Why: `no cursor`, `has_more is false`, `page 25 of --max-pages`, …
        reason: &'a str,
    },
    /// Something that deserves attention but stops nothing: a deprecated operation, a schema that does not fit.
    Warning {
        /// What.
        message: &'a str,
    },
}

/// Is told every [`Event`] of the calls it was handed to. The default does nothing; all events go to `tracing` in any case.
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<Listener>>);

type Listener = dyn Fn(&Event<'_>) + Send + Sync;

impl Observer {
    /// An observer that calls `f`, on the task that makes the call: it must not block.
    pub fn new(f: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(f)))
    }

    /// Tells the observer and `tracing`.
    pub fn notify(&self, event: &Event<'_>) {
        trace(event);
        if let Some(f) = &self.0 {
            f(event);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// Field names are those of the OpenTelemetry HTTP conventions where these have one.
fn trace(event: &Event<'_>) {
    match event {
        Event::Sending { method, uri, .. } => {
            tracing::debug!(http.request.method = %method, url.full = crate::redact::url(uri), "sending");
        }
        Event::Answered { status, took, .. } => {
            tracing::debug!(
                http.response.status_code = status.as_u16(),
                took = took.as_secs_f64(),
                "answered"
            );
        }
        Event::Failed { kind, message } => {
            tracing::debug!(error.r#type = kind.name(), message, "failed");
        }
        Event::Retrying { attempt, after, reason } => {
            tracing::info!(
                http.request.resend_count = attempt,
                after = after.as_secs_f64(),
                reason,
                "retrying"
            );
        }
        Event::GaveUp { attempts, reason } => tracing::info!(attempts, reason, "gave up"),
        Event::Limited { waited, reason } => {
            tracing::debug!(waited = waited.as_secs_f64(), reason, "limited");
        }
        Event::Token { reason } => tracing::debug!(reason, "token"),
        Event::Page { number, records } => tracing::debug!(number, records, "page"),
        Event::PagesEnded { reason } => tracing::debug!(reason, "pages ended"),
        Event::Warning { message } => tracing::warn!("{message}"),
    }
}
