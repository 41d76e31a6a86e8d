//! OAuth 2.0: tokens instead of passwords (RFC 6749).
//!
//! A [`Client`] is who we are at an authorization server, [`OAuth2`] gets access tokens as that client and keeps them for all calls that share
//! the [`Auth`](super::Auth).
//!
//! A token is replaced [`MARGIN`] before it expires, or a tenth of its life before if that is shorter. One caller renews it while the
//! others wait; that goes on when the caller is dropped. A failure is told to all who waited and not remembered, and a token that is still
//! good is used further. `expires_in` may be a number, a string or a fraction; zero or less means that the token is good for the calls that
//! waited for it; without it the token is used until the service answers 401.
//!
//! Tokens are kept in a [`TokenStore`], in memory where none is handed in. With one that processes share, they share the tokens, one of them
//! renews at a time, and a refresh token that rotates survives all of them:
//!
//! - That a refresh begins is kept before it is sent, and what came of it before it is used.
//! - An answer without a refresh token leaves the old one in place.
//! - When the answer is lost, the refresh token is shown once more, at once or by whoever comes next. A server that takes it then has lost
//!   nothing. One that never takes a refresh token twice says `invalid_grant`: no client can do better there.
//! - `invalid_grant` is kept as [`Tokens::needs_login`]. Every later call fails with [`NeedsLogin`] and asks nobody, until someone logs in.

mod answer;
pub(super) mod cache;
mod client;
mod client_auth;
mod discovery;
mod github;
mod google;
mod grant;
pub mod login;
mod needs_login;
mod renewal;
mod server;
mod skew;
mod source;
pub mod store;
#[cfg(test)]
mod tests;
pub(super) mod token;
mod token_exchange;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{HeaderValue, header};
use subtle::ConstantTimeEq as _;

use self::cache::{Known, TokenCache};
pub use self::client::Client;
pub use self::client_auth::ClientAuth;
pub use self::github::Installation;
pub use self::needs_login::NeedsLogin;
use self::renewal::Renewal;
pub use self::server::Server;
use self::source::{Source, Standing};
pub use self::store::{Lease, LeaseLost, MemoryStore, TokenStore};
pub use self::token::MARGIN;
pub use self::token_exchange::TokenExchange;
pub use self::tokens::Tokens;
use super::jwt::Signer;
use super::{Authenticate, Exchange, Refusal};
use crate::redact::BLANK;
use crate::{Context, Error, Event, Evidence, Kind, Request, Secret};

/// Default time for one request to an authorization server that must not be sent twice: 20 s.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);

/// Bearer tokens (RFC 6750), got and replaced in time.
///
/// ```
/// use nuncio_client::auth::oauth2::{Client, OAuth2};
/// use nuncio_client::auth::{Auth, AuthLayer, Exchange};
/// use nuncio_client::{Body, Clock, Error, Random, Request, Response};
/// use tower::{ServiceBuilder, ServiceExt as _, service_fn};
/// use url::Url;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let authorization_server = service_fn(|request: Request| async move {
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
/// let token_url: Url = "https://auth.example.com/token".parse()?;
/// let client = Client::new(token_url, "made-up-client")
///     .secret("made-up-secret".into())
///     .scopes(["read", "write"])
///     .audience("made-up");
///
/// let exchange = Exchange::new(authorization_server, Clock::system(), Random::new());
/// let layer = AuthLayer::new(Auth::oauth2(OAuth2::client_credentials(client)), exchange);
/// ServiceBuilder::new().layer(layer).service(service).oneshot(Request::new(Body::Empty)).await?;
/// # Ok(())
/// # }
/// ```
pub struct OAuth2 {
    source: Arc<Source>,
    store: Arc<dyn TokenStore>,
    timeout: Duration,
    cache: TokenCache,
}

impl OAuth2 {
    fn new(source: Source) -> Self {
        Self {
            source: Arc::new(source),
            store: Arc::new(MemoryStore::default()),
            timeout: DEFAULT_TIMEOUT,
            cache: TokenCache::default(),
        }
    }

    fn standing(grant: Standing) -> Self {
        Self::new(Source::Standing(grant))
    }

    /// The client acts for itself, and shows its own credentials (RFC 6749, section 4.4).
    #[must_use]
    pub fn client_credentials(client: Client) -> Self {
        Self::standing(Standing::ClientCredentials(client))
    }

    /// The client shows a signed statement of whom it acts for, a new one for each token (RFC 7523, section 2.1). Its claims `iss` and `sub` are
    /// the signer's to say, `aud` is the token endpoint unless the signer says otherwise.
    #[must_use]
    pub fn jwt_bearer(client: Client, signer: Signer) -> Self {
        Self::standing(Standing::JwtBearer(client, Box::new(signer)))
    }

    /// The client shows a token of another kind (RFC 8693).
    #[must_use]
    pub fn token_exchange(client: Client, exchange: TokenExchange) -> Self {
        Self::standing(Standing::TokenExchange(client, exchange))
    }

    /// A GitHub App acts for one of its installations.
    #[must_use]
    pub fn github_installation(installation: Installation) -> Self {
        Self::standing(Standing::GitHubInstallation(Box::new(installation)))
    }

    /// The client acts for a user who logged in, by the tokens that the login left in the [store](Self::store).
    #[must_use]
    pub fn login(client: Client) -> Self {
        Self::new(Source::Login { client, refresh_token: None })
    }

    /// The client acts for a user by this refresh token (RFC 6749, section 6), as long as the store has nothing newer. A server that rotates
    /// refresh tokens takes it once: a store that outlives the process is needed then.
    #[must_use]
    pub fn refresh_token(client: Client, refresh_token: Secret) -> Self {
        Self::new(Source::Login { client, refresh_token: Some(refresh_token) })
    }

    /// Where tokens are kept. Default: in memory, for all that share the [`Auth`](super::Auth).
    #[must_use]
    pub fn store(mut self, store: Arc<dyn TokenStore>) -> Self {
        self.store = store;
        self
    }

    /// Time for one request that must not be sent twice. The lease in the store is four times as long. Default: 20 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Begins to get a new token. That goes on though nobody waits for it any more: the answer to a refresh must not be lost.
    fn renew(&self, exchange: Exchange, known: Known) -> BoxFuture<'static, Result<token::Token, Error>> {
        let (source, store) = (Arc::clone(&self.source), Arc::clone(&self.store));
        let renewal = Renewal { source, store, exchange, timeout: self.timeout, known };
        let task = tokio::spawn(renewal.run());
        async { task.await.unwrap_or_else(|error| Err(interrupted(error))) }.boxed()
    }
}

impl Authenticate for OAuth2 {
    fn authenticate<'a>(
        &'a self,
        mut request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Request, Error>> {
        Box::pin(async move {
            let observer = Context::of(&request).observer;
            let renew = |known| self.renew(exchange.observed_by(observer), known);
            let token = self.cache.get(&exchange.clock, renew).await?;
            request.headers_mut().insert(header::AUTHORIZATION, token.header("Bearer ")?);
            Ok(request)
        })
    }

    fn refused(&self, refusal: &Refusal<'_>) -> bool {
        let sent = refusal.sent.get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
        let sent = sent.strip_prefix(b"Bearer ").unwrap_or_default();
        if self.cache.drop_if(|token| token.expose().as_bytes().ct_eq(sent).into()) {
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

fn interrupted(error: tokio::task::JoinError) -> Error {
    Error::new(Kind::Auth, "getting an access token was interrupted")
        .because(error)
        .evidence_is(Evidence::NeverSent)
}
