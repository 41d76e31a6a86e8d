//! One call: an operation with its input, ready to be sent.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use serde::Serialize;
use tower::ServiceExt as _;
use tracing::Instrument as _;
use url::Url;

use crate::auth::{Auth, Step};
use crate::check::Checks;
use crate::client::Client;
use crate::deadline::CallDeadline;
use crate::limit::Limiter;
use crate::pages::{Checkpoint, Items, Pages};
use crate::retry::Policy;
use crate::{Answer, Body, Context, Error, History, Observer, Read, Request, Response, Stack, body, graphql};

/// Collects what one request needs, and sends it. Made by [`Client::get`] and its sisters.
///
/// A mistake in what was given is kept and told by whatever sends the call; nothing is sent then. Dropping the future of
/// a call stops it: nothing is retried any more, and a limiter's tokens that were not spent are given back.
#[must_use = "a call does nothing until it is sent"]
pub struct Call {
    client: Client,
    draft: Result<Draft, Error>,
}

/// What a second copy of a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing: the method or a [promise](Call::repeatable) says so, or the call has a mistake and is never sent.
    Harmless,
    /// Nothing as long as the service knows the idempotency key.
    Deduplicated,
    /// It may be done twice.
    Harmful,
}

struct Draft {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Body,
    context: Context,
    /// What stands in for the layers' own settings in this call: a `Policy`, a `Limiter`, `Checks`, an `Auth`.
    overrides: Extensions,
    checks: Arc<Checks>,
    idempotency_key: Option<String>,
    max_body_bytes: usize,
}

impl Call {
    pub(crate) fn new(client: Client, method: Method, path: &str) -> Self {
        let inner = client.inner();
        let draft = resolve(inner.base_url.as_ref(), path).map(|url| Draft {
            method,
            url,
            headers: inner.headers.clone(),
            body: Body::Empty,
            context: Context { history: History::default(), ..inner.context.clone() },
            overrides: Extensions::new(),
            checks: Arc::clone(&inner.checks),
            idempotency_key: None,
            max_body_bytes: inner.max_body_bytes,
        });
        Self { client, draft }
    }

    /// Adds a query parameter.
    pub fn param(self, name: &str, value: impl fmt::Display) -> Self {
        self.edit(|draft| {
            draft.url.query_pairs_mut().append_pair(name, &value.to_string());
            Ok(())
        })
    }

    /// Adds each field of `params` as a query parameter, nested ones in brackets.
    pub fn query<T: Serialize + ?Sized>(self, params: &T) -> Self {
        self.edit(|draft| {
            let encoded = body::form::encode(params)?;
            if !encoded.is_empty() {
                let query =
                    draft.url.query().map_or_else(|| encoded.clone(), |query| format!("{query}&{encoded}"));
                draft.url.set_query(Some(&query));
            }
            Ok(())
        })
    }

    /// Sets a header, in place of the client's own of that name.
    pub fn header(self, name: HeaderName, value: HeaderValue) -> Self {
        self.edit(|draft| {
            draft.headers.insert(name, value);
            Ok(())
        })
    }

    /// Sends `value` as JSON.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Self {
        self.edit(|draft| {
            let bytes = serde_json::to_vec(value)
                .map_err(|error| Error::configuration("the body cannot be written as JSON").because(error))?;
            draft.set_body(bytes.into(), HeaderValue::from_static("application/json"));
            Ok(())
        })
    }

    /// Sends the fields of `value` as a form, nested ones in brackets.
    pub fn form<T: Serialize + ?Sized>(self, value: &T) -> Self {
        self.edit(|draft| {
            let encoded = body::form::encode(value)?;
            draft.set_body(encoded.into(), HeaderValue::from_static("application/x-www-form-urlencoded"));
            Ok(())
        })
    }

    /// Sends a multipart form. It can be replayed if all its parts can.
    pub fn multipart(self, form: body::multipart::Form) -> Self {
        let encoded = form.encode(&self.client.inner().random);
        self.edit(|draft| {
            draft.set_body(encoded.body, encoded.content_type);
            if let Some(length) = encoded.length {
                draft.headers.insert(header::CONTENT_LENGTH, length.into());
            }
            Ok(())
        })
    }

    /// Sends `body` as it is.
    pub fn body(self, body: impl Into<Body>, content_type: HeaderValue) -> Self {
        self.edit(|draft| {
            draft.set_body(body.into(), content_type);
            Ok(())
        })
    }

    /// Sends a GraphQL request as JSON. A query, unlike a mutation, may be repeated when its fate is unknown.
    pub fn graphql(self, request: &graphql::Request) -> Self {
        let repeatable = request.is_query();
        self.edit(|draft| {
            draft.checks = Arc::new(Checks::clone(&draft.checks).graphql());
            draft.headers.insert(header::ACCEPT, graphql::ACCEPT);
            draft.context.repeatable |= repeatable?;
            Ok(())
        })
        .json(request)
    }

    /// Names the operation in errors, traces and limits.
    pub fn operation(self, name: impl Into<Arc<str>>) -> Self {
        self.edit(|draft| {
            draft.context.operation = Some(name.into());
            Ok(())
        })
    }

    /// The idempotency key, for all attempts. Default: a random one, where the client has a header for it and the method is POST or PATCH.
    pub fn idempotency_key(self, key: impl Into<String>) -> Self {
        self.edit(|draft| {
            draft.idempotency_key = Some(key.into());
            Ok(())
        })
    }

    /// Promises that a second copy does no harm, so that the call is retried even when its fate is unknown.
    pub fn repeatable(self) -> Self {
        self.edit(|draft| {
            draft.context.repeatable = true;
            Ok(())
        })
    }

    /// Like [`idempotency_key`](Self::idempotency_key), unless one was given already.
    pub fn default_idempotency_key(self, key: impl Into<String>) -> Self {
        self.edit(|draft| {
            draft.idempotency_key.get_or_insert_with(|| key.into());
            Ok(())
        })
    }

    /// Decides on the idempotency key now and tells it; nothing where the client has no header for it, the method is neither POST nor
    /// PATCH, or the call has a mistake.
    pub fn settle_idempotency_key(&mut self) -> Option<&str> {
        let Self { client, draft: Ok(draft) } = self else { return None };
        let makes = draft.takes_key(client);
        makes.then(|| &**draft.idempotency_key.get_or_insert_with(|| client.inner().random.uuid()))
    }

    /// The attempts, as they are made. Kept, it tells what is known of a call whose future was dropped: see [`History::evidence`].
    #[must_use]
    pub fn history(&self) -> History {
        self.draft.as_ref().map(|draft| draft.context.history.clone()).unwrap_or_default()
    }

    /// What a second copy of the call would do.
    #[must_use]
    pub fn repeat(&self) -> Repeat {
        match &self.draft {
            Ok(draft) if !draft.context.repeatable && !draft.method.is_idempotent() => {
                if draft.takes_key(&self.client) { Repeat::Deduplicated } else { Repeat::Harmful }
            }
            Ok(_) | Err(_) => Repeat::Harmless,
        }
    }

    /// Tokens that each attempt takes from the limiter. Default: 1.
    pub fn cost(self, tokens: NonZeroU32) -> Self {
        self.edit(|draft| {
            draft.context.cost = tokens;
            Ok(())
        })
    }

    /// Which bucket of a keyed limit the tokens come from.
    pub fn limit_key(self, key: impl Into<Arc<str>>) -> Self {
        self.edit(|draft| {
            draft.context.limit_key = Some(key.into());
            Ok(())
        })
    }

    /// Time for one attempt, in place of the client's.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.edit(|draft| {
            draft.context.attempt_timeout = timeout;
            Ok(())
        })
    }

    /// Time for the whole call, in place of the client's.
    pub fn deadline(self, deadline: Duration) -> Self {
        self.put(CallDeadline(deadline))
    }

    /// Bound on the answer, in place of the client's.
    pub fn max_body_bytes(self, bytes: usize) -> Self {
        self.edit(|draft| {
            draft.max_body_bytes = bytes;
            Ok(())
        })
    }

    /// Retries by this policy instead of the client's.
    pub fn retry(self, policy: impl Into<Arc<Policy>>) -> Self {
        self.put::<Arc<Policy>>(policy.into())
    }

    /// Waits for this limiter instead of the client's.
    pub fn limiter(self, limiter: Limiter) -> Self {
        self.put(limiter)
    }

    /// Uses these credentials instead of the client's.
    pub fn auth(self, auth: Auth) -> Self {
        self.put(auth)
    }

    /// Judges the answer by these checks instead of the client's.
    pub fn checks(self, checks: impl Into<Arc<Checks>>) -> Self {
        self.edit(|draft| {
            draft.checks = checks.into();
            Ok(())
        })
    }

    /// Is told what happens in this call, instead of the client's observer.
    pub fn observer(self, observer: Observer) -> Self {
        self.edit(|draft| {
            draft.context.observer = observer;
            Ok(())
        })
    }

    /// Sends the call and reads the answer.
    ///
    /// # Errors
    /// Every [`Kind`](crate::Kind) but `Pages`; the error carries the attempts and the server's last answer.
    pub async fn send(self) -> Result<Answer, Error> {
        let (response, history) = self.exchange(false).await?;
        let mut answer = Answer::read(response, usize::MAX).await?;
        answer.history = history;
        Ok(answer)
    }

    /// Sends the call and hands out the body of a success as it comes in, without a bound on its size. Checks that need the whole body are
    /// not made; a body that breaks off is not asked for again.
    ///
    /// # Errors
    /// As [`send`](Self::send), up to the head of the answer.
    pub async fn stream(self) -> Result<Response, Error> {
        Ok(self.exchange(true).await?.0)
    }

    /// Sends the call once for each page of a list, as the records are asked for.
    ///
    /// Where success can be told only from the body, pages are read [`whole`](Pages::whole), so that a failure under status 200 is
    /// retried like any other.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for a mistake in what was given. Everything else comes through the stream.
    pub fn pages(self, pages: &Pages) -> Result<Items, Error> {
        let (pages, request, stack) = self.list(pages)?;
        pages.read(stack, request)
    }

    /// Like [`pages`](Self::pages), from `checkpoint` on.
    ///
    /// # Errors
    /// As there.
    pub fn resume(self, pages: &Pages, checkpoint: Checkpoint) -> Result<Items, Error> {
        let (pages, request, stack) = self.list(pages)?;
        pages.resume(stack, request, checkpoint)
    }

    fn list(self, pages: &Pages) -> Result<(Pages, Request, Stack), Error> {
        let Self { client, draft } = self;
        let draft = draft?;
        let whole = pages.whole || draft.checks.need_body();
        let pages = Pages { whole, ..pages.clone() };
        Ok((pages, draft.finish(&client, !whole)?, client.inner().stack.clone()))
    }

    /// The request as it would be sent, with placeholders for credentials. Nothing is sent, and no token fetched.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for a mistake in what was given.
    pub fn preview(self) -> Result<Request, Error> {
        let (_, auth, mut request) = self.unsent()?;
        auth.preview(&mut request)?;
        Ok(request)
    }

    /// What would be signed of the request at this moment, step by step, secrets blanked; nothing for credentials that sign nothing. Nothing
    /// is sent.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for a mistake in what was given, or credentials that do not suit it.
    pub fn explain(self) -> Result<Vec<Step>, Error> {
        let (client, auth, request) = self.unsent()?;
        auth.explain(request, client.exchange())
    }

    /// The request with its credentials, which are got first where that is needed: a token, for example. The call itself is not sent.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for a mistake in what was given; [`Kind::Auth`](crate::Kind::Auth) when credentials
    /// cannot be got.
    pub async fn authenticate(self) -> Result<Request, Error> {
        let (client, auth, request) = self.unsent()?;
        auth.authenticate(request, client.exchange()).await
    }

    fn unsent(self) -> Result<(Client, Auth, Request), Error> {
        let Self { client, draft } = self;
        let request = draft?.finish(&client, false)?;
        let auth = request.extensions().get().unwrap_or(&client.inner().auth).clone();
        Ok((client, auth, request))
    }

    async fn exchange(self, stream: bool) -> Result<(Response, History), Error> {
        let Self { client, draft } = self;
        let request = draft?.finish(&client, stream)?;
        let context = Context::of(&request);
        let span = tracing::info_span!(
            "call",
            otel.kind = "client",
            operation = context.operation.as_deref(),
            http.request.method = %request.method(),
            server.address = request.uri().host(),
        );
        let sent = client.inner().stack.clone().oneshot(request).instrument(span).await;
        match sent {
            Ok(response) => Ok((response, context.history)),
            Err(error) => Err(match context.operation {
                Some(operation) => error.during(&*operation),
                None => error,
            }),
        }
    }

    fn put<T: Clone + Send + Sync + 'static>(self, setting: T) -> Self {
        self.edit(|draft| {
            draft.overrides.insert(setting);
            Ok(())
        })
    }

    fn edit(mut self, f: impl FnOnce(&mut Draft) -> Result<(), Error>) -> Self {
        if let Ok(draft) = &mut self.draft
            && let Err(error) = f(draft)
        {
            self.draft = Err(error);
        }
        self
    }
}

impl Draft {
    fn set_body(&mut self, body: Body, content_type: HeaderValue) {
        self.body = body;
        self.headers.insert(header::CONTENT_TYPE, content_type);
    }

    fn takes_key(&self, client: &Client) -> bool {
        client.inner().idempotency_header.is_some() && matches!(self.method, Method::POST | Method::PATCH)
    }

    fn finish(mut self, client: &Client, stream: bool) -> Result<Request, Error> {
        let inner = client.inner();
        if let Some(name) = &inner.idempotency_header
            && self.takes_key(client)
        {
            let key = self.idempotency_key.unwrap_or_else(|| inner.random.uuid());
            let value = HeaderValue::from_str(&key).map_err(|_| {
                Error::configuration(format!(
                    "the idempotency key {key:?} has a character that a header cannot carry"
                ))
            })?;
            self.headers.insert(name, value);
            self.context.repeatable = true;
        }
        self.context.read =
            if stream { Read::Stream } else { Read::Whole { max_bytes: self.max_body_bytes } };
        if !Arc::ptr_eq(&self.checks, &inner.checks) {
            self.overrides.insert(self.checks);
        }
        self.overrides.insert(self.context);

        let mut request = Request::new(self.body);
        *request.method_mut() = self.method;
        let url = Bytes::from(String::from(self.url));
        *request.uri_mut() = Uri::from_maybe_shared(url.clone()).map_err(|error| {
            let url = String::from_utf8_lossy(&url);
            Error::configuration(format!("{:?} cannot be called", crate::redact::url(&url))).because(error)
        })?;
        *request.headers_mut() = self.headers;
        *request.extensions_mut() = self.overrides;
        Ok(request)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.draft {
            Ok(draft) => write!(f, "Call({} {})", draft.method, crate::redact::url(&draft.url)),
            Err(error) => write!(f, "Call({error})"),
        }
    }
}

/// `path` below `base`, or `path` itself where it is absolute: then it must be of the same origin, for the credentials are for that origin.
fn resolve(base: Option<&Url>, path: &str) -> Result<Url, Error> {
    let is_relative = path.starts_with('/');
    let absolute = if is_relative { None } else { path.parse::<Url>().ok() };
    let absolute = absolute.filter(|url| !url.cannot_be_a_base());
    match (base, absolute) {
        (None, Some(url)) => Ok(url),
        (None, None) => Err(Error::configuration(format!("{path:?} is not an absolute URL"))
            .advise("write it out: https://…, or give the client a base URL")),
        (Some(base), Some(url)) if url.origin() == base.origin() => Ok(url),
        (Some(base), Some(url)) => Err(Error::configuration(format!(
            "{} is on another origin than {}",
            crate::redact::url(&url),
            crate::redact::url(base)
        ))
        .advise("credentials stay on one origin: make a client for the other")),
        (Some(base), None) => Ok(below(base, path)),
    }
}

/// The base has been read already, so that only what is appended needs to be.
fn below(base: &Url, path: &str) -> Url {
    let (path, fragment) = path.split_once('#').map_or((path, None), |(path, rest)| (path, Some(rest)));
    let (path, query) = path.split_once('?').map_or((path, None), |(path, rest)| (path, Some(rest)));
    let mut url = base.clone();
    url.set_path(&[base.path().trim_end_matches('/'), "/", path.trim_start_matches('/')].concat());
    // The base has neither.
    if query.is_some() || fragment.is_some() {
        url.set_query(query);
        url.set_fragment(fragment);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn go(base: Option<&str>, path: &str) -> Option<String> {
        let base = base.map(|base| base.parse().expect("valid"));
        resolve(base.as_ref(), path).ok().map(String::from)
    }

    #[test]
    fn a_path_is_appended_to_the_base_url() {
        let base = Some("https://api.example.com/v1/");
        for path in ["items", "/items"] {
            assert_eq!(go(base, path).as_deref(), Some("https://api.example.com/v1/items"));
        }
        assert_eq!(
            go(base, "/items:batch?x=1").as_deref(),
            Some("https://api.example.com/v1/items:batch?x=1")
        );
    }

    #[test]
    fn an_absolute_url_stays_on_the_origin_of_the_base() {
        let base = Some("https://api.example.com/v1");
        assert_eq!(go(base, "https://api.example.com/v2/x").as_deref(), Some("https://api.example.com/v2/x"));
        assert_eq!(go(base, "https://other.example.com/v1/x"), None);
        assert_eq!(go(None, "https://other.example.com/x").as_deref(), Some("https://other.example.com/x"));
        assert_eq!(go(None, "/x"), None);
    }

    #[test]
    fn a_second_copy_does_harm_without_an_idempotency_key() {
        let builder = || Client::builder().base_url("https://api.example.com");
        let plain = builder().build().expect("valid");
        let keyed =
            builder().idempotency_header(HeaderName::from_static("idempotency-key")).build().expect("valid");
        assert_eq!(plain.put("/x").repeat(), Repeat::Harmless);
        assert_eq!(plain.post("/x").repeat(), Repeat::Harmful);
        assert_eq!(plain.post("/x").idempotency_key("k").repeat(), Repeat::Harmful, "no header carries it");
        assert_eq!(plain.post("/x").repeatable().repeat(), Repeat::Harmless);
        assert_eq!(keyed.post("/x").repeat(), Repeat::Deduplicated);
        assert_eq!(keyed.delete("/x").repeat(), Repeat::Harmless);
    }

    #[test]
    fn a_key_that_is_told_is_the_one_that_is_sent() {
        let name = HeaderName::from_static("idempotency-key");
        let client = Client::builder().base_url("https://api.example.com").idempotency_header(name.clone());
        let client = client.build().expect("valid");
        let mut call = client.post("/x");
        let told = call.settle_idempotency_key().expect("a key").to_owned();
        assert_eq!(call.preview().expect("valid").headers()[&name], *told);
        assert_eq!(client.patch("/x").idempotency_key("given").settle_idempotency_key(), Some("given"));
        assert_eq!(client.get("/x").settle_idempotency_key(), None);
    }

    #[test]
    fn a_default_key_gives_way_to_one_that_was_given() {
        let name = HeaderName::from_static("idempotency-key");
        let client = Client::builder().base_url("https://api.example.com").idempotency_header(name.clone());
        let client = client.build().expect("valid");
        let sent = |call: Call| call.preview().expect("valid").headers()[&name].clone();
        assert_eq!(sent(client.post("/x").default_idempotency_key("default")), "default");
        assert_eq!(
            sent(client.post("/x").idempotency_key("given").default_idempotency_key("default")),
            "given"
        );
    }
}
