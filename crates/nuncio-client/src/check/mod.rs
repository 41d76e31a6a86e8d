//! Tells success from failure, and failure in the service's own words.
//!
//! [`CheckLayer`] turns an answer that is a failure into an [`Error`] that carries it: a status of 300 and above, a 200 that the service
//! calls a failure in its body ([`Checks::fails_when`]), GraphQL `errors`, a body that does not fit its schema. It stands
//! outside everything that is done per attempt and inside the retries, so that a retry is decided on what really happened.
//!
//! ```
//! use bytes::Bytes;
//! use http::{HeaderMap, StatusCode};
//! use nuncio_client::{Answer, check::Checks};
//!
//! let checks = Checks::new()
//!     .fails_when(|answer| Ok(answer.body["ok"] == false))
//!     .code("error".parse()?);
//! let answer = Answer::new(StatusCode::OK, HeaderMap::new(), Bytes::from(r#"{"ok":false,"error":"channel_not_found"}"#));
//! let error = checks.inspect(answer).unwrap_err();
//! assert_eq!(error.to_string(), "200 OK, but the service says it failed: channel_not_found");
//! # Ok::<(), nuncio_client::Error>(())
//! ```

mod layer;
mod notice;
#[cfg(feature = "json-schema")]
mod schema;
mod words;

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use serde_json::Value;

pub use layer::{Check, CheckLayer};
#[cfg(feature = "json-schema")]
pub use schema::{OnMismatch, Schema};

use crate::json::Path;
use crate::{Answer, Error, Evidence, Kind};

/// What a predicate of [`Checks`] sees.
#[derive(Debug)]
#[non_exhaustive]
pub struct Inspected<'a> {
    /// The status line's code.
    pub status: StatusCode,
    /// All headers of the answer.
    pub headers: &'a HeaderMap,
    /// The body as JSON; null when it is none.
    pub body: &'a Value,
}

type Predicate = Arc<dyn Fn(&Inspected<'_>) -> Result<bool, Error> + Send + Sync>;

/// What makes an answer of a service a failure, and where the service says why.
///
/// As an extension (`Arc<Checks>`) of a request it stands in for the checks of the layer.
#[derive(Clone, Default)]
pub struct Checks {
    fails_when: Option<Predicate>,
    throttled_when: Option<Predicate>,
    code: Option<Path>,
    message: Option<Path>,
    graphql: bool,
    #[cfg(feature = "json-schema")]
    schema: Option<(Arc<Schema>, OnMismatch)>,
}

impl Checks {
    /// A failure is a status of 300 and above, and code and message are looked for where they commonly stand.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls an answer with a good status a failure when `predicate` says so.
    #[must_use]
    pub fn fails_when(
        mut self,
        predicate: impl Fn(&Inspected<'_>) -> Result<bool, Error> + Send + Sync + 'static,
    ) -> Self {
        self.fails_when = Some(Arc::new(predicate));
        self
    }

    /// Calls a failure a refusal to go on so fast when `predicate` says so, whatever its status: the service did nothing, and the call
    /// is made again when it says so. A 429 is one without being asked about.
    #[must_use]
    pub fn throttled_when(
        mut self,
        predicate: impl Fn(&Inspected<'_>) -> Result<bool, Error> + Send + Sync + 'static,
    ) -> Self {
        self.throttled_when = Some(Arc::new(predicate));
        self
    }

    /// Where the service's error code stands in the body of a failure.
    #[must_use]
    pub fn code(mut self, path: Path) -> Self {
        self.code = Some(path);
        self
    }

    /// Where the service's message stands in the body of a failure.
    #[must_use]
    pub fn message(mut self, path: Path) -> Self {
        self.message = Some(path);
        self
    }

    /// Calls an answer with `errors` a failure, as GraphQL means it.
    #[must_use]
    pub fn graphql(mut self) -> Self {
        self.graphql = true;
        self
    }

    /// Holds the body of a success against `schema`.
    #[cfg(feature = "json-schema")]
    #[must_use]
    pub fn schema(mut self, schema: Arc<Schema>, on_mismatch: OnMismatch) -> Self {
        self.schema = Some((schema, on_mismatch));
        self
    }

    /// Whether success can be told only from the whole body.
    #[must_use]
    pub fn need_body(&self) -> bool {
        #[cfg(feature = "json-schema")]
        let schema = self.schema.is_some();
        #[cfg(not(feature = "json-schema"))]
        let schema = false;
        self.graphql || self.fails_when.is_some() || schema
    }

    /// Gives `answer` back if it is a success, with warnings on the way to `warn`.
    ///
    /// # Errors
    /// The failure, with the answer: [`Kind::Auth`] for a 401, [`Kind::Limit`] for one that is [throttled](Self::throttled_when),
    /// [`Kind::GraphQl`] for GraphQL `errors`, [`Kind::Validation`] for a body that does not fit the schema, [`Kind::Decode`] when a
    /// schema is given and the body is not JSON, [`Kind::Status`] otherwise.
    pub fn inspect_with(&self, answer: Answer, warn: impl Fn(&str)) -> Result<Answer, Error> {
        if self.graphql
            && let Some(error) = crate::graphql::failure(&answer)
        {
            let body = answer.value().unwrap_or_default();
            return Err(match self.is_throttled(&answer, &body) {
                Ok(true) => error.evidence_is(Evidence::Rejected),
                Ok(false) => error,
                Err(broken) => broken.answered(answer),
            });
        }
        if answer.status.as_u16() >= 300 {
            return Err(self.failure(answer));
        }
        if let Some(predicate) = &self.fails_when {
            let body = answer.value().unwrap_or_default();
            if holds(predicate, &answer, &body).map_err(|error| error.answered(answer.clone()))? {
                return Err(self.failure(answer));
            }
        }
        #[cfg(feature = "json-schema")]
        if let Some((schema, on_mismatch)) = &self.schema {
            return schema.hold(answer, *on_mismatch, warn);
        }
        let _ = warn;
        Ok(answer)
    }

    /// [`inspect_with`](Self::inspect_with) that drops warnings.
    ///
    /// # Errors
    /// As there.
    pub fn inspect(&self, answer: Answer) -> Result<Answer, Error> {
        self.inspect_with(answer, |_| {})
    }

    fn failure(&self, mut answer: Answer) -> Error {
        let body = answer.value().unwrap_or_default();
        let throttled = match self.is_throttled(&answer, &body) {
            Ok(throttled) => throttled,
            Err(broken) => return broken.answered(answer),
        };
        answer.code = words::code(&body, self.code.as_ref());
        answer.message = words::message(&body, self.message.as_ref());
        let status = answer.status;
        let mut message = status.to_string();
        if status.is_success() {
            message.push_str(", but the service says it failed");
        }
        let said: Vec<&str> =
            [&answer.code, &answer.message].into_iter().flatten().map(String::as_str).collect();
        if !said.is_empty() {
            message.push_str(": ");
            message.push_str(&said.join(": "));
        }
        let (kind, evidence) = match status {
            _ if throttled => (Kind::Limit, Evidence::Rejected),
            StatusCode::UNAUTHORIZED => (Kind::Auth, Evidence::of_status(status)),
            _ => (Kind::Status, Evidence::of_status(status)),
        };
        let error = Error::new(kind, message).evidence_is(evidence);
        match words::advice(&answer) {
            Some(advice) => error.advise(advice),
            None => error,
        }
        .answered(answer)
    }

    fn is_throttled(&self, answer: &Answer, body: &Value) -> Result<bool, Error> {
        self.throttled_when.as_ref().map_or(Ok(false), |predicate| holds(predicate, answer, body))
    }
}

fn holds(predicate: &Predicate, answer: &Answer, body: &Value) -> Result<bool, Error> {
    predicate(&Inspected { status: answer.status, headers: &answer.headers, body })
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks")
            .field("fails_when", &self.fails_when.is_some())
            .field("throttled_when", &self.throttled_when.is_some())
            .field("code", &self.code)
            .field("message", &self.message)
            .field("graphql", &self.graphql)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::header::RETRY_AFTER;

    use super::*;

    #[test]
    fn a_failure_means_too_fast_when_the_predicate_says_so() {
        let checks = Checks::new().throttled_when(|answer| Ok(answer.headers.contains_key(RETRY_AFTER)));
        let forbidden = |headers: HeaderMap| {
            let answer = Answer::new(StatusCode::FORBIDDEN, headers, Bytes::new());
            let error = checks.inspect(answer).expect_err("a failure");
            (error.kind(), error.evidence())
        };
        let told = HeaderMap::from_iter([(RETRY_AFTER, http::HeaderValue::from_static("1"))]);
        assert_eq!(forbidden(told), (Kind::Limit, Evidence::Rejected));
        assert_eq!(forbidden(HeaderMap::new()).0, Kind::Status);
    }

    #[test]
    fn graphql_errors_mean_too_fast_when_the_predicate_says_so() {
        let checks = Checks::new().graphql().throttled_when(|answer| {
            Ok(answer.body.pointer("/errors/0/extensions/code") == Some(&Value::from("TOO_BUSY")))
        });
        let evidence = |code: &str| {
            let body =
                format!(r#"{{"errors":[{{"message":"no","extensions":{{"code":"{code}"}}}}],"data":null}}"#);
            let answer = Answer::new(StatusCode::OK, HeaderMap::new(), Bytes::from(body));
            let error = checks.inspect(answer).expect_err("a failure");
            (error.kind(), error.evidence())
        };
        assert_eq!(evidence("TOO_BUSY"), (Kind::GraphQl, Evidence::Rejected));
        assert_eq!(evidence("OTHER"), (Kind::GraphQl, Evidence::Unknown));
    }
}
