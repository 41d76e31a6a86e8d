//! OAuth 2.0: tokens instead of passwords (RFC 6749).
//!
//! [`ClientCredentials`] gets an access token for the client itself and keeps it for all calls that share the
//! [`Auth`](super::Auth). [`request`] builds what any grant sends.
//!
//! A token is replaced [`MARGIN`] before it expires, or a tenth of its life before if that is shorter. One caller fetches while the
//! others wait; the fetch goes on when that caller is dropped. A failed fetch is told to all who waited and not remembered, and a
//! token that is still good is used further. `expires_in` may be a number, a string or a fraction; zero or less means that the token
//! is good for the calls that waited for it; without it the token is used until the service answers 401.

mod answer;
mod cache;
pub mod request;
pub mod store;
#[cfg(test)]
mod tests;
mod token;
mod tokens;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Method, header};
use subtle::ConstantTimeEq as _;
use url::Url;

use self::cache::TokenCache;
use self::request::{Grant, TokenRequest};
pub use self::store::{Lease, LeaseLost, MemoryStore, TokenStore};
pub use self::token::MARGIN;
pub use self::tokens::Tokens;
use super::{Authenticate, Exchange, Refusal};
use crate::redact::{self, BLANK};
use crate::{Answer, Body, Context, Error, Event, Read, Request, Secret};

/// Bound on the answer of a token endpoint: 1 MiB.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Where a client shows its credentials to the token endpoint (RFC 6749, section 2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// In a Basic header, which every server must support. The default.
    #[default]
    Basic,
    /// In the body, as `client_id` and `client_secret`.
    Body,
}

/// The client credentials grant (RFC 6749, section 4.4): a program that acts for itself.
///
/// ```
/// use nuncio_client::auth::oauth2::{ClientAuth, ClientCredentials};
/// use nuncio_client::auth::{Auth, AuthLayer, Exchange};
/// use nuncio_client::{Body, Clock, Error, Random, Request, Response};
/// use tower::{ServiceBuilder, ServiceExt as _, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let identity_provider = service_fn(|request: Request| async move {
///     assert_eq!(
///         request.body().as_bytes(),
///         Some(&b"grant_type=client_credentials&scope=read+write&audience=made-up"[..])
///     );
///     let answer = r#"{"access_token": "made-up-token", "token_type": "Bearer", "expires_in": 3600}"#;
///     Ok::<_, Error>(Response::new(Body::from(answer.to_owned())))
/// });
/// let service = service_fn(|request: Request| async move {
///     assert_eq!(request.headers()["authorization"], "Bearer made-up-token");
///     Ok::<_, Error>(Response::new(Body::Empty))
/// });
///
/// let client = ClientCredentials::new(
///     "https://auth.example.com/token".parse()?,
///     "made-up-client",
///     "made-up-secret".into(),
/// )
/// .client_auth(ClientAuth::Basic)
/// .scopes(["read", "write"])
/// .audience("made-up");
///
/// let exchange = Exchange::new(identity_provider, Clock::system(), Random::new());
/// let layer = AuthLayer::new(Auth::oauth2(client), exchange);
/// ServiceBuilder::new().layer(layer).service(service).oneshot(Request::new(Body::Empty)).await?;
/// # Ok(())
/// # }
/// ```
pub struct ClientCredentials {
    token_url: Url,
    client_id: String,
    client_secret: Secret,
    client_auth: ClientAuth,
    scopes: Vec<String>,
    params: Vec<(String, String)>,
    tokens: TokenCache,
}

impl ClientCredentials {
    /// A client that asks `token_url` for tokens.
    #[must_use]
    pub fn new(token_url: Url, client_id: impl Into<String>, client_secret: Secret) -> Self {
        Self {
            token_url,
            client_id: client_id.into(),
            client_secret,
            client_auth: ClientAuth::default(),
            scopes: Vec::new(),
            params: Vec::new(),
            tokens: TokenCache::default(),
        }
    }

    /// Where the credentials stand. Default: in a Basic header.
    #[must_use]
    pub fn client_auth(mut self, client_auth: ClientAuth) -> Self {
        self.client_auth = client_auth;
        self
    }

    /// Rights to ask for (RFC 6749, section 3.3). Default: none are named, and the server gives what it gives.
    #[must_use]
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The API that the token is for, by the name that providers such as Auth0 use for it.
    #[must_use]
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.param("audience", audience)
    }

    /// The API that the token is for, by its URL (RFC 8707). May be given several times.
    #[must_use]
    pub fn resource(self, resource: impl Into<String>) -> Self {
        self.param("resource", resource)
    }

    /// A further parameter of the token request.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    fn token_request(&self, context: &Context) -> Result<Request, Error> {
        let in_body = self.client_auth == ClientAuth::Body;
        let body = request::token_body(&TokenRequest {
            grant: Grant::ClientCredentials,
            client_id: in_body.then_some(&self.client_id),
            client_secret: in_body.then_some(&self.client_secret),
            scopes: &self.scopes,
            params: &self.params,
        });

        let mut request = Request::new(Body::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.token_url.as_str().parse().map_err(|error: http::uri::InvalidUri| {
            Error::configuration("the token URL cannot be called").because(error)
        })?;
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if !in_body {
            headers
                .insert(header::AUTHORIZATION, request::basic_header(&self.client_id, &self.client_secret));
        }
        request.extensions_mut().insert(Context {
            // A second token does no harm.
            repeatable: true,
            // Read here and not on the wire, where events would show a token that the redactor does not know yet.
            read: Read::Stream,
            observer: context.observer.clone(),
            ..Context::default()
        });
        Ok(request)
    }

    fn fetch(
        &self,
        exchange: &Exchange,
        context: &Context,
    ) -> BoxFuture<'static, Result<token::Token, Error>> {
        let (exchange, url, observer) = (exchange.clone(), self.token_url.clone(), context.observer.clone());
        let request = self.token_request(context);
        async move {
            let token = fetch(request?, &exchange).await.map_err(|error| error.on(&Method::POST, &url))?;
            let reason = format!("fetched an access token from {}, {}", redact::url(&url), token.describe());
            observer.notify(&Event::Token { reason: &reason });
            Ok(token)
        }
        .boxed()
    }
}

impl Authenticate for ClientCredentials {
    fn authenticate<'a>(
        &'a self,
        mut request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Request, Error>> {
        Box::pin(async move {
            let context = Context::of(&request);
            let fetch = || self.fetch(exchange, &context);
            let token = self.tokens.get(&exchange.clock, &context.observer, fetch).await?;
            request.headers_mut().insert(header::AUTHORIZATION, token.header("Bearer ")?);
            Ok(request)
        })
    }

    fn refused(&self, refusal: &Refusal<'_>) -> bool {
        let sent = refusal.sent.get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
        let sent = sent.strip_prefix(b"Bearer ").unwrap_or_default();
        if self.tokens.drop_if(|token| token.expose().as_bytes().ct_eq(sent).into()) {
            let reason = "dropped the access token: the service refused it";
            refusal.context.observer.notify(&Event::Token { reason });
        }
        // Where another attempt has dropped or replaced it already, the next one carries that one's.
        true
    }

    fn preview(&self, request: &mut Request) -> Result<(), Error> {
        request.headers_mut().insert(header::AUTHORIZATION, Secret::new(BLANK).header("Bearer ")?);
        Ok(())
    }
}

async fn fetch(request: Request, exchange: &Exchange) -> Result<token::Token, Error> {
    let answer = match exchange.send(request).await {
        Ok(response) => {
            let (parts, body) = response.into_parts();
            let body = body.collect(MAX_ANSWER_BYTES).await.map_err(unreachable)?;
            Answer::new(parts.status, parts.headers, body)
        }
        // The exchange may check answers itself; what the server said is the same either way.
        Err(error) => {
            return Err(error.answer().and_then(answer::refusal).unwrap_or_else(|| unreachable(error)));
        }
    };
    if answer.status.is_success() {
        return answer::token(&answer, &exchange.clock);
    }
    Err(answer::refusal(&answer).unwrap_or_else(|| {
        let status = answer.status;
        unreachable(Error::new(crate::Kind::Status, format!("the server answered {status}")).answered(answer))
    }))
}

fn unreachable(error: Error) -> Error {
    let failed = answer::failed("no access token could be got".to_owned());
    match error.advice().map(str::to_owned) {
        Some(advice) => failed.advise(advice),
        None => failed,
    }
    .because(error)
}
