//! A client as its authorization server knows it, and what it asks there.

use std::time::Duration;

use http::{HeaderValue, Method, header};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::answer;
use super::client_auth::ClientAuth;
use super::grant::{Form, Grant};
use super::server::{Endpoints, Server};
use super::skew;
use super::tokens::Tokens;
use crate::auth::Exchange;
use crate::{Answer, Body, Context, DEFAULT_ATTEMPT_TIMEOUT, Error, Kind, Read, Request, Secret, redact};

/// Bound on the answer of an endpoint: 1 MiB.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// A client as it is registered at its authorization server: who it is, how it shows that, and what it asks for.
///
/// ```
/// use nuncio_client::auth::oauth2::{Client, ClientAuth};
/// use url::Url;
///
/// let token_url: Url = "https://auth.example.com/token".parse()?;
/// let public = Client::new(token_url.clone(), "made-up-client").scopes(["read", "write"]);
/// let confidential = Client::new(token_url.clone(), "made-up-client").secret("made-up-secret".into());
/// let in_body = Client::new(token_url, "made-up-client").auth(ClientAuth::Body("made-up-secret".into()));
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) server: Server,
    pub(super) id: String,
    pub(super) auth: ClientAuth,
    pub(super) scopes: Vec<String>,
    pub(super) token_params: Vec<(String, String)>,
    pub(super) login_params: Vec<(String, String)>,
}

impl Client {
    /// The client with this id, public until it is told how it [shows itself](Self::auth). A URL alone as `server` is its token endpoint.
    #[must_use]
    pub fn new(server: impl Into<Server>, id: impl Into<String>) -> Self {
        Self {
            server: server.into(),
            id: id.into(),
            auth: ClientAuth::None,
            scopes: Vec::new(),
            token_params: Vec::new(),
            login_params: Vec::new(),
        }
    }

    /// Nobody that `server` knows: the grant alone says who asks, as with a Google service account (RFC 7523, section 3.1).
    #[must_use]
    pub fn unregistered(server: impl Into<Server>) -> Self {
        Self::new(server, "")
    }

    /// Shows itself by this secret, in a Basic header.
    #[must_use]
    pub fn secret(self, secret: Secret) -> Self {
        self.auth(ClientAuth::Basic(secret))
    }

    /// How it shows itself. Default: by its id alone.
    #[must_use]
    pub fn auth(mut self, auth: ClientAuth) -> Self {
        self.auth = auth;
        self
    }

    /// Rights to ask for (RFC 6749, section 3.3). Default: none are named, and the server gives what it gives.
    #[must_use]
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The API that the token is for, by the name that providers such as Auth0 use for it. Asked for at login and with each token.
    #[must_use]
    pub fn audience(self, audience: impl Into<String>) -> Self {
        let audience = audience.into();
        self.login_param("audience", audience.clone()).token_param("audience", audience)
    }

    /// The API that the token is for, by its URL (RFC 8707). May be given several times. Asked for at login and with each token.
    #[must_use]
    pub fn resource(self, resource: impl Into<String>) -> Self {
        let resource = resource.into();
        self.login_param("resource", resource.clone()).token_param("resource", resource)
    }

    /// A further parameter of each token request.
    #[must_use]
    pub fn token_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.token_params.push((name.into(), value.into()));
        self
    }

    /// A further parameter of the request that begins a login, such as `prompt` or `access_type`.
    #[must_use]
    pub fn login_param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.login_params.push((name.into(), value.into()));
        self
    }

    pub(super) async fn endpoints(&self, exchange: &Exchange) -> Result<Endpoints, Error> {
        self.server.endpoints(&self.auth, exchange).await
    }

    /// Gets a token. A grant that is used up by it is shown once, and given up after `within`, so that a lease can outlive it.
    pub(super) async fn token(
        &self,
        grant: Grant<'_>,
        within: Duration,
        exchange: &Exchange,
    ) -> Result<Tokens, Error> {
        let endpoints = self.endpoints(exchange).await?;
        let scopes = if grant.takes_scopes() { &self.scopes[..] } else { &[] };
        let form = grant.form(scopes, &self.token_params);
        let patience = if grant.is_single_use() { Patience::Once(within) } else { Patience::OfCalls };
        let asked = self.post(&endpoints.token, form, patience, exchange).await;
        let tokens = asked.and_then(|answer| {
            answer::tokens(&answer, &exchange.clock)
                .map_err(|error| error.on(&Method::POST, &endpoints.token))
        })?;
        tokens.announce(&endpoints.token, exchange);
        Ok(tokens)
    }

    /// Posts `form` to `endpoint` as this client. The answer is one of success.
    pub(super) async fn post(
        &self,
        endpoint: &Url,
        mut form: Form,
        patience: Patience,
        exchange: &Exchange,
    ) -> Result<Answer, Error> {
        let audience = self.endpoints(exchange).await?.token;
        let mut request = Request::default();
        self.auth.put_on(&self.id, &audience, exchange, &mut form, request.headers_mut())?;
        let is_signed = form.iter().any(|(name, _)| name == "client_assertion" || name == "assertion");
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        *request.body_mut() = Body::from(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri(endpoint)?;
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let context = patience.context();
        let repeatable = context.repeatable && !self.auth.is_single_use();
        request.extensions_mut().insert(Context { repeatable, ..context });
        let asked = ask(request, exchange).await.map_err(|error| error.on(&Method::POST, endpoint));
        if is_signed { asked.map_err(|error| skew::told(error, &exchange.clock)) } else { asked }
    }
}

/// How long and how often an endpoint is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// As long and as often as calls are repeated: a second copy does no harm.
    OfCalls,
    /// Once for all that the server may have seen, and no longer than this.
    Once(Duration),
}

impl Patience {
    fn context(self) -> Context {
        // Answers are read here and not on the wire, where events would show a token that the redactor does not know yet.
        let context = Context { read: Read::Stream, ..Context::default() };
        match self {
            Self::OfCalls => Context { repeatable: true, ..context },
            Self::Once(within) => Context {
                deadline: Instant::now().checked_add(within),
                attempt_timeout: within.min(DEFAULT_ATTEMPT_TIMEOUT),
                ..context
            },
        }
    }
}

/// Sends `request` and reads the answer, which is one of success.
pub(super) async fn ask(mut request: Request, exchange: &Exchange) -> Result<Answer, Error> {
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let mut context = Context::of(&request);
    context.observer = exchange.observer.clone();
    let (deadline, attempt_timeout) = (context.deadline, context.attempt_timeout);
    request.extensions_mut().insert(context);
    let sent = exchange.send(request);
    let sent = match deadline {
        Some(deadline) => timeout_at(deadline, sent).await.unwrap_or_else(|_| Err(late())),
        None => sent.await,
    };
    let answer = match sent {
        Ok(response) => {
            let (parts, body) = response.into_parts();
            let end = deadline.unwrap_or_else(|| Instant::now() + attempt_timeout);
            let body = timeout_at(end, body.collect(MAX_ANSWER_BYTES)).await.unwrap_or_else(|_| Err(late()));
            Answer::new(parts.status, parts.headers, body.map_err(answer::none)?)
        }
        // The exchange may check answers itself; what the server said is the same either way.
        Err(error) => {
            return Err(error.answer().and_then(answer::refusal).unwrap_or_else(|| answer::none(error)));
        }
    };
    if answer.status.is_success() {
        return Ok(answer);
    }
    Err(answer::refusal(&answer).unwrap_or_else(|| {
        let message = format!("the server answered {}", answer.status);
        answer::none(Error::new(Kind::Status, message).answered(answer))
    }))
}

fn late() -> Error {
    Error::new(Kind::Timeout, "the answer was not there in time")
}

pub(super) fn uri(url: &Url) -> Result<http::Uri, Error> {
    url.as_str().parse().map_err(|error: http::uri::InvalidUri| {
        Error::configuration(format!("{:?} cannot be called", redact::url(url))).because(error)
    })
}
