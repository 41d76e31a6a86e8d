//! What went wrong, told so that a caller can branch on it and a person can act on it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};

use crate::answer::Answer;
use crate::history::{Evidence, History};
use crate::redact::{self, Redactor};

/// A boxed cause, as `tower` hands them around.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The kind of an [`Error`]: what a caller branches on, and what the exit codes of the binary stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The request could not be built from what was given. Nothing was sent.
    Configuration,
    /// Credentials are missing, could not be got, or were refused (401, 403 where the service says so).
    Auth,
    /// A limit is exhausted for longer than we are willing to wait.
    Limit,
    /// An attempt or the whole call ran out of time.
    Timeout,
    /// No connection, or it broke: DNS, TCP, TLS, reset, protocol error.
    Connect,
    /// The server answered with a failure.
    Status,
    /// The GraphQL answer has `errors`.
    GraphQl,
    /// The answer is not what its type promises: no JSON, a wrong charset, a shape that does not fit.
    Decode,
    /// The input or the answer does not fit its schema.
    Validation,
    /// Pagination went wrong: a repeated cursor, a link to another origin, records missing.
    Pages,
    /// The answer is larger than the bound.
    TooLarge,
}

impl Kind {
    /// A stable name for programs: `configuration`, `auth`, `limit`, …
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Auth => "auth",
            Self::Limit => "limit",
            Self::Timeout => "timeout",
            Self::Connect => "connect",
            Self::Status => "status",
            Self::GraphQl => "graphql",
            Self::Decode => "decode",
            Self::Validation => "validation",
            Self::Pages => "pages",
            Self::TooLarge => "too_large",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a call failed, after how many attempts, and what the server said.
///
/// `Display` tells this level only; [`source`](std::error::Error::source) has the cause and [`report`](Error::report) prints
/// everything. No text of an error contains a registered [`Secret`](crate::Secret). Copies are for those who waited for the same
/// thing: one token fetch, for example.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: Kind,
    message: String,
    advice: Option<String>,
    method: Option<Method>,
    url: Option<String>,
    operation: Option<String>,
    evidence: Evidence,
    lasting: bool,
    history: History,
    answer: Option<Answer>,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind`. `message` says what failed and on what: lower case, no period.
    #[must_use]
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            advice: None,
            method: None,
            url: None,
            operation: None,
            evidence: Evidence::Unknown,
            lasting: false,
            history: History::default(),
            answer: None,
            retry_after: None,
            source: None,
        }))
    }

    /// A [`Kind::Configuration`] error: nothing was sent.
    #[must_use]
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(Kind::Configuration, message).evidence_is(Evidence::NeverSent)
    }

    /// Says what to do about it.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.0.advice = Some(advice.into());
        self
    }

    /// Says where it happened, in front of the message: `page 3: …`.
    #[must_use]
    pub fn within(mut self, place: impl fmt::Display) -> Self {
        self.0.message = format!("{place}: {}", self.0.message);
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Names the request, a [`url::Url`] or an [`http::Uri`], unless an inner layer did.
    #[must_use]
    pub fn on(mut self, method: &Method, url: &impl fmt::Display) -> Self {
        self.0.method.get_or_insert_with(|| method.clone());
        self.0.url.get_or_insert_with(|| redact::url(url));
        self
    }

    /// Names the operation.
    #[must_use]
    pub fn during(mut self, operation: impl Into<String>) -> Self {
        self.0.operation = Some(operation.into());
        self
    }

    /// Keeps the server's answer.
    #[must_use]
    pub fn answered(mut self, answer: Answer) -> Self {
        self.0.answer = Some(answer);
        self
    }

    /// Says whether the server can have acted on the request.
    #[must_use]
    pub fn evidence_is(mut self, evidence: Evidence) -> Self {
        self.0.evidence = evidence;
        self
    }

    /// Says that another attempt would fail the same way, though failures of its kind mostly pass.
    #[must_use]
    pub fn lasting(mut self) -> Self {
        self.0.lasting = true;
        self
    }

    /// Makes it a failure of another kind, where an outer layer knows better what it means for the caller.
    #[must_use]
    pub fn kind_is(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Adds to the message, after a semicolon.
    #[must_use]
    pub fn noting(mut self, note: impl fmt::Display) -> Self {
        self.0.message = format!("{}; {note}", self.0.message);
        self
    }

    /// Says when it makes sense to come back.
    #[must_use]
    pub fn come_back_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Keeps the attempts that led here.
    #[must_use]
    pub fn after(mut self, history: History) -> Self {
        self.0.history = history;
        self
    }

    /// What a caller branches on.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What to do, where it is known.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.0.advice.as_deref()
    }

    /// Method of the request, once there was one.
    #[must_use]
    pub fn method(&self) -> Option<&Method> {
        self.0.method.as_ref()
    }

    /// URL of the request without secrets, once there was one.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// Name of the operation, for calls that have one.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// The server's last word.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        self.0.answer.as_ref()
    }

    /// Status of the server's last answer.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.answer().map(|answer| answer.status)
    }

    /// The service's own error code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.answer()?.code.as_deref()
    }

    /// Whether the server can have acted on the request.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        self.0.evidence
    }

    /// Whether another attempt would fail the same way, though failures of its kind mostly pass: a certificate that is not trusted.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        self.0.lasting
    }

    /// All attempts of the call, with the waits between them.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.0.history
    }

    /// How long the server asked us to stay away, where it did.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Looks for a cause of type `T` in the chain.
    #[must_use]
    pub fn cause<T: std::error::Error + 'static>(&self) -> Option<&T> {
        chain(self).skip(1).find_map(|error| error.downcast_ref())
    }

    /// Everything a person needs, over several lines, secrets blanked: what failed, its causes, the request, the attempts, what the
    /// server said, what to do.
    #[must_use]
    pub fn report(&self) -> String {
        use fmt::Write as _;
        let mut out = self.to_string();
        for cause in chain(self).skip(1) {
            let _ = write!(out, "\n  because: {cause}");
        }
        if let (Some(method), Some(url)) = (self.method(), self.url()) {
            let _ = write!(out, "\n  request: {method} {url}");
        }
        if let Some(attempts) = self.0.history.summary() {
            let _ = write!(out, "\n  tried: {attempts}");
        }
        if let Some(answer) = self.answer() {
            if let Some(id) = answer.request_id() {
                let _ = write!(out, "\n  request id: {id}");
            }
            if !answer.body.is_empty() {
                let _ = write!(out, "\n  server said: {}", answer.excerpt());
            }
        }
        if let Some(advice) = self.advice() {
            let _ = write!(out, "\n  help: {advice}");
        }
        Redactor::global().redact(&out).into_owned()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redactor = Redactor::global();
        if let Some(operation) = &self.0.operation {
            write!(f, "{operation}: ")?;
        }
        f.write_str(&redactor.redact(&self.0.message))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.kind, self.report())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// `error` and its causes, outermost first.
pub(crate) fn chain<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let current = next?;
        next = current.source();
        Some(current)
    })
}

impl From<BoxError> for Error {
    /// Takes a nuncio error as it is; anything else becomes a [`Kind::Connect`] error with that cause.
    fn from(error: BoxError) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => *own,
            Err(other) => Self::new(Kind::Connect, "the exchange failed").because(other),
        }
    }
}
