//! One service's client: the layers, assembled.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tower::{Service, ServiceBuilder};
use url::Url;

use crate::auth::{Auth, AuthLayer, Exchange};
use crate::call::Call;
use crate::check::{CheckLayer, Checks};
use crate::deadline::{AttemptTimeoutLayer, DeadlineLayer};
use crate::limit::{Learned, LimitLayer, Limiter};
use crate::redirect::RedirectLayer;
use crate::retry::{Policy, RetryLayer};
use crate::wire::{self, Wire};
use crate::{Clock, Context, Error, Observer, Random, Read, Request, Response, Stack, graphql};

/// Default time for a whole call, all attempts and waits included: 10 min.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(600);

/// Default path of a GraphQL endpoint.
pub const DEFAULT_GRAPHQL_PATH: &str = "/graphql";

/// Calls one service, with one set of credentials, limits and habits. Copies are cheap and share connections, tokens and limits.
///
/// ```no_run
/// # async fn example() -> Result<(), nuncio_client::Error> {
/// use nuncio_client::{Client, auth::Auth};
///
/// let client = Client::builder()
///     .base_url("https://api.example.com")
///     .auth(Auth::bearer("made-up-token".into()))
///     .build()?;
/// let user: serde_json::Value = client.get("/users/7").send().await?.json()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) base_url: Option<Url>,
    pub(crate) headers: HeaderMap,
    pub(crate) context: Context,
    pub(crate) max_body_bytes: usize,
    pub(crate) idempotency_header: Option<HeaderName>,
    pub(crate) graphql_path: String,
    pub(crate) checks: Arc<Checks>,
    pub(crate) auth: Auth,
    pub(crate) random: Random,
    pub(crate) stack: Stack,
    exchange: Exchange,
}

impl Client {
    /// A builder with all defaults.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A call of `method` on `path`: below the base URL, or an absolute URL of the same origin.
    pub fn call(&self, method: Method, path: impl AsRef<str>) -> Call {
        Call::new(self.clone(), method, path.as_ref())
    }

    /// A GET of `path`.
    pub fn get(&self, path: impl AsRef<str>) -> Call {
        self.call(Method::GET, path)
    }

    /// A POST to `path`.
    pub fn post(&self, path: impl AsRef<str>) -> Call {
        self.call(Method::POST, path)
    }

    /// A PUT to `path`.
    pub fn put(&self, path: impl AsRef<str>) -> Call {
        self.call(Method::PUT, path)
    }

    /// A PATCH of `path`.
    pub fn patch(&self, path: impl AsRef<str>) -> Call {
        self.call(Method::PATCH, path)
    }

    /// A DELETE of `path`.
    pub fn delete(&self, path: impl AsRef<str>) -> Call {
        self.call(Method::DELETE, path)
    }

    /// A GraphQL query or mutation, sent to the GraphQL path. An answer with `errors` is an error, with the partial data within.
    pub fn graphql(&self, request: &graphql::Request) -> Call {
        self.post(&self.0.graphql_path).graphql(request)
    }

    /// HTTP without credentials and limits, but with the same wire and patience: what logins go through.
    #[must_use]
    pub fn exchange(&self) -> &Exchange {
        &self.0.exchange
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.0.base_url.as_ref().map(Url::as_str))
            .finish_non_exhaustive()
    }
}

/// Settings of a [`Client`].
#[derive(Debug, Clone)]
pub struct Builder {
    base_url: Option<String>,
    headers: HeaderMap,
    auth: Auth,
    retry: Policy,
    limiter: Limiter,
    checks: Checks,
    deadline: Duration,
    context: Context,
    max_body_bytes: usize,
    idempotency_header: Option<HeaderName>,
    graphql_path: String,
    wire: wire::Settings,
    transport: Option<Stack>,
    clock: Clock,
    random: Random,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            base_url: None,
            headers: HeaderMap::new(),
            auth: Auth::none(),
            retry: Policy::default(),
            limiter: Limiter::default(),
            checks: Checks::default(),
            deadline: DEFAULT_DEADLINE,
            context: Context::default(),
            max_body_bytes: crate::DEFAULT_MAX_BODY_BYTES,
            idempotency_header: None,
            graphql_path: DEFAULT_GRAPHQL_PATH.to_owned(),
            wire: wire::Settings::default(),
            transport: None,
            clock: Clock::default(),
            random: Random::default(),
        }
    }
}

impl Builder {
    /// What paths are appended to. Credentials go to its origin alone. Default: none, and every call names an absolute URL.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// A header that every call sends unless it sets the same one.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Credentials for every attempt. Default: none.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// When and how often a failed attempt is repeated. Default: [`Policy::default`].
    #[must_use]
    pub fn retry(mut self, policy: Policy) -> Self {
        self.retry = policy;
        self
    }

    /// What every attempt waits for. Default: no bound of our own, but the server's word is obeyed.
    #[must_use]
    pub fn limiter(mut self, limiter: Limiter) -> Self {
        self.limiter = limiter;
        self
    }

    /// What makes an answer a failure. Default: its status alone.
    #[must_use]
    pub fn checks(mut self, checks: Checks) -> Self {
        self.checks = checks;
        self
    }

    /// Time for a whole call, all attempts and waits included. Default: 10 min.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Time for one attempt. Default: 30 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.context.attempt_timeout = timeout;
        self
    }

    /// Bound on answers that are read whole, after decompression. Default: 64 MiB.
    #[must_use]
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// The header that carries an idempotency key. With it, every POST and PATCH gets a key, the same for all its attempts, and may be
    /// repeated when its fate is unknown. Default: none.
    #[must_use]
    pub fn idempotency_header(mut self, name: HeaderName) -> Self {
        self.idempotency_header = Some(name);
        self
    }

    /// Path of the GraphQL endpoint. Default: `/graphql`.
    #[must_use]
    pub fn graphql_path(mut self, path: impl Into<String>) -> Self {
        self.graphql_path = path.into();
        self
    }

    /// Is told what happens in every call.
    #[must_use]
    pub fn observer(mut self, observer: Observer) -> Self {
        self.context.observer = observer;
        self
    }

    /// Settings of the wire.
    #[must_use]
    pub fn wire(mut self, settings: wire::Settings) -> Self {
        self.wire = settings;
        self
    }

    /// Sends through `transport` instead of the network: a test double, a recorder, a wire with layers of one's own.
    ///
    /// It reads bodies as [`Context::read`] says, [`Read::Whole`] ones within the exchange, as [`Wire`] does: what is left to be read when it has
    /// answered is outside of timeouts and retries.
    #[must_use]
    pub fn transport<S>(mut self, transport: S) -> Self
    where
        S: Service<Request, Response = Response, Error = Error> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.transport = Some(Stack::new(transport));
        self
    }

    /// Tells the time of day. Default: this machine.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Source of jitter, nonces and idempotency keys. Default: seeded by the operating system.
    #[must_use]
    pub fn random(mut self, random: Random) -> Self {
        self.random = random;
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when the base URL is none or the wire cannot be set up.
    pub fn build(mut self) -> Result<Client, Error> {
        let base_url = self.base_url.as_deref().map(base_url).transpose()?;
        let wire = match self.transport.take() {
            Some(transport) => transport,
            None => Stack::new(Wire::new(&self.wire)?),
        };
        self.context.read = Read::Whole { max_bytes: self.max_body_bytes };
        let retry = RetryLayer::new(self.retry.clone(), self.clock.clone(), self.random.clone());
        let exchange = self.exchange(retry.clone(), wire.clone());
        let stack = self.assemble(retry, exchange.clone(), wire);
        Ok(Client(Arc::new(Inner {
            base_url,
            headers: self.headers,
            context: self.context,
            max_body_bytes: self.max_body_bytes,
            idempotency_header: self.idempotency_header,
            graphql_path: self.graphql_path,
            checks: Arc::new(self.checks),
            auth: self.auth,
            random: self.random,
            stack,
            exchange,
        })))
    }

    /// Tokens are fetched with the same patience as calls, but outside their limits and without credentials.
    fn exchange(&self, retry: RetryLayer, wire: Stack) -> Exchange {
        let path = ServiceBuilder::new()
            .layer(retry)
            .layer(CheckLayer::default())
            .layer(AttemptTimeoutLayer)
            .service(wire);
        Exchange::new(path, self.clock.clone(), self.random.clone())
    }

    /// The call path, outermost first. The order is behaviour.
    fn assemble(&self, retry: RetryLayer, exchange: Exchange, wire: Stack) -> Stack {
        let clock = self.clock.clone();
        // GraphQL services tell their limits in the body.
        let cost = move |body: &[u8]| Learned::from_cost(&graphql::cost(body, clock.now())?);

        Stack::new(
            ServiceBuilder::new()
                // Outermost: it bounds everything below, waits included.
                .layer(DeadlineLayer::new(self.deadline))
                // The same as in the exchange: its copies share one budget, so a host that fails is not asked twice as much.
                .layer(retry)
                // Inside the retries: what a retry is decided on is what the answer means, not what its status says.
                .layer(CheckLayer::new(self.checks.clone()))
                // Outside limit and auth: every hop waits its turn and is signed for what it asks.
                .layer(RedirectLayer)
                // Per attempt: a retry spends like a first try.
                .layer(
                    LimitLayer::new(self.limiter.clone(), self.clock.clone()).with_body_hint(Arc::new(cost)),
                )
                // After the wait: a token may have been renewed in the meantime, and a signature carries the time.
                .layer(AuthLayer::new(self.auth.clone(), exchange))
                // Waiting for the limiter or a token does not count against the server.
                .layer(AttemptTimeoutLayer)
                .service(wire),
        )
    }
}

fn base_url(text: &str) -> Result<Url, Error> {
    let url: Url = text.parse().map_err(|error: url::ParseError| {
        Error::configuration(format!("the base URL {text:?} is not a URL"))
            .because(error)
            .advise("write it out: https://…")
    })?;
    if url.cannot_be_a_base()
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
    {
        return Err(Error::configuration(format!(
            "the base URL {:?} has more than scheme, host and path",
            crate::redact::url(&url)
        ))
        .advise("put query parameters and credentials where they belong: in operations and auth"));
    }
    Ok(url)
}
