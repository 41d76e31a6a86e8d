//! Credentials, put on each attempt.
//!
//! A scheme implements [`Authenticate`]; [`Auth`] holds one and is what a client, a service or an operation is given. The
//! [`AuthLayer`] asks it for every attempt anew, since a token may have been replaced since the last one and a signature carries a
//! time. When the server answers 401 and the scheme can do better, the layer marks the answer with [`Renewed`]; trying once more is
//! left to the retry layer, so that the extra attempt passes the limiter too.
//!
//! ```
//! use http::HeaderName;
//! use nuncio_client::auth::{ApiKey, Auth};
//!
//! let none = Auth::none();
//! let bearer = Auth::bearer("made-up-token".into());
//! let basic = Auth::basic("made-up-user", "made-up-password".into())?;
//! let in_header = Auth::api_key(ApiKey::header(HeaderName::from_static("x-api-key"), "made-up-key".into()));
//! let in_query = Auth::api_key(ApiKey::query("api_key", "made-up-key".into()));
//!
//! // What a dry run shows:
//! let mut request = http::Request::new(nuncio_client::Body::Empty);
//! bearer.preview(&mut request)?;
//! assert_eq!(request.headers()["authorization"], "Bearer ***");
//! # Ok::<(), nuncio_client::Error>(())
//! ```

mod api_key;
mod basic;
pub mod digest;
mod exchange;
pub mod hmac;
pub mod jwt;
pub mod key;
mod layer;
mod message;
pub mod message_signature;
pub mod oauth1;
pub mod oauth2;
mod session;
pub mod sigv4;
mod skew;
#[cfg(test)]
mod testing;

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::{HeaderMap, header};

use crate::{Context, Error, Redactor, Request, Secret};

pub use api_key::ApiKey;
pub use digest::DigestCredentials;
pub use exchange::Exchange;
pub use hmac::HmacSigner;
pub use jwt::JwtBearer;
pub use layer::{AuthLayer, Authenticated, Renewed};
pub use message::Message;
pub use message_signature::MessageSigner;
pub use oauth1::OAuth1Signer;
pub use oauth2::OAuth2;
pub use session::Session;
pub use sigv4::SigV4Signer;
pub use skew::ClockSkew;

/// A way to prove who is calling.
///
/// ```
/// use futures_util::future::BoxFuture;
/// use http::HeaderValue;
/// use nuncio_client::auth::{Auth, Authenticate, Exchange};
/// use nuncio_client::{Error, Request};
///
/// /// Says at what second it asked.
/// struct Punctual;
///
/// impl Authenticate for Punctual {
///     fn authenticate<'a>(
///         &'a self,
///         mut request: Request,
///         exchange: &'a Exchange,
///     ) -> BoxFuture<'a, Result<Request, Error>> {
///         Box::pin(async move {
///             let second = HeaderValue::from(exchange.clock.since_epoch().as_secs());
///             request.headers_mut().insert("x-asked-at", second);
///             Ok(request)
///         })
///     }
///
///     fn preview(&self, request: &mut Request) -> Result<(), Error> {
///         request.headers_mut().insert("x-asked-at", HeaderValue::from_static("***"));
///         Ok(())
///     }
/// }
///
/// let auth = Auth::custom(Punctual);
/// ```
pub trait Authenticate: Send + Sync {
    /// Puts the credentials on `request`, which carries none of an earlier attempt, and gets them through `exchange` first where that
    /// is needed.
    ///
    /// Dropping the future must leave the scheme usable: callers run out of time.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for a request or credentials that do not suit the scheme,
    /// [`Kind::Auth`](crate::Kind::Auth) when credentials cannot be got.
    fn authenticate<'a>(
        &'a self,
        request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Request, Error>>;

    /// Is told of a 401, forgets what was refused, and says whether the next [`authenticate`](Self::authenticate) can do better.
    ///
    /// Other attempts are under way at the same time: credentials that were replaced since [`Refusal::sent`] went out are not to be
    /// thrown away. Default: no.
    fn refused(&self, refusal: &Refusal<'_>) -> bool {
        let _ = refusal;
        false
    }

    /// Is told the headers of every other answer, with which some servers say what to send next. Default: nothing is done.
    fn accepted(&self, answered: &HeaderMap) {
        let _ = answered;
    }

    /// Whether [`refused`](Self::refused) is to be asked at all. Default: yes.
    ///
    /// A scheme that has nothing to renew says no, and spares every attempt a copy of its headers.
    fn can_renew(&self) -> bool {
        true
    }

    /// Puts `***` on `request` wherever [`authenticate`](Self::authenticate) puts something secret or made for the moment. Fetches
    /// nothing.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for a request that does not suit the scheme.
    fn preview(&self, request: &mut Request) -> Result<(), Error>;

    /// What [`authenticate`](Self::authenticate) would sign of `request` at this moment, step by step, for people who look for the byte
    /// in which they and the server differ. Fetches nothing. Default: nothing is signed.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate).
    fn explain(&self, request: Request, exchange: &Exchange) -> Result<Vec<Step>, Error> {
        let _ = (request, exchange);
        Ok(Vec::new())
    }
}

/// A text on the way to a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// What its specification calls it: `canonical request`, `string to sign`.
    pub name: &'static str,
    /// The text as it is signed or hashed, secrets blanked.
    pub text: String,
}

impl Step {
    /// A step, with the secrets in its text blanked.
    #[must_use]
    pub fn new(name: &'static str, text: impl AsRef<str>) -> Self {
        Self { name, text: Redactor::global().redact(text.as_ref()).into_owned() }
    }
}

/// A request that was answered with 401.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refusal<'a> {
    /// Headers of the request as sent, credentials included.
    pub sent: &'a HeaderMap,
    /// Headers of the answer, `WWW-Authenticate` among them.
    pub answered: &'a HeaderMap,
    /// Of the call that the request belongs to.
    pub context: &'a Context,
}

/// The credentials of a client, a service or an operation. Copies share what was fetched.
///
/// An `Auth` among the extensions of a request takes the place of the one of the [`AuthLayer`]: that is how one operation differs
/// from its service.
#[derive(Clone, Default)]
pub struct Auth(Option<Arc<dyn Authenticate>>);

impl Auth {
    /// No credentials. The default.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// A key in a header, the query or a cookie.
    #[must_use]
    pub fn api_key(key: ApiKey) -> Self {
        Self::custom(key)
    }

    /// `Authorization: Bearer …` (RFC 6750, section 2.1).
    #[must_use]
    pub fn bearer(token: Secret) -> Self {
        Self::custom(ApiKey::header(header::AUTHORIZATION, token).prefix("Bearer "))
    }

    /// `Authorization: Basic …` in UTF-8 (RFC 7617). Both the password and the pair in base64 are known to the redactor.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when `user` has a colon, which would end it.
    #[allow(clippy::needless_pass_by_value, reason = "like its sisters; the password has no other use")]
    pub fn basic(user: &str, password: Secret) -> Result<Self, Error> {
        let pair = basic::credentials(user, &password)?;
        Ok(Self::custom(ApiKey::header(header::AUTHORIZATION, pair).prefix("Basic ")))
    }

    /// User and password by Digest (RFC 7616).
    #[must_use]
    pub fn digest(credentials: DigestCredentials) -> Self {
        Self::custom(credentials)
    }

    /// A bearer token that is got, and replaced in time (RFC 6749).
    #[must_use]
    pub fn oauth2(oauth2: OAuth2) -> Self {
        Self::custom(oauth2)
    }

    /// A bearer token that the client signs itself (RFC 7519).
    #[must_use]
    pub fn jwt(bearer: JwtBearer) -> Self {
        Self::custom(bearer)
    }

    /// An OAuth 1.0a signature of each request (RFC 5849).
    #[must_use]
    pub fn oauth1(signer: OAuth1Signer) -> Self {
        Self::custom(signer)
    }

    /// A signature of chosen parts of each request (RFC 9421).
    #[must_use]
    pub fn message_signature(signer: MessageSigner) -> Self {
        Self::custom(signer)
    }

    /// An AWS Signature Version 4 of each request.
    #[must_use]
    pub fn sigv4(signer: SigV4Signer) -> Self {
        Self::custom(signer)
    }

    /// A signature of each request.
    #[must_use]
    pub fn hmac(signer: HmacSigner) -> Self {
        Self::custom(signer)
    }

    /// Any other scheme.
    #[must_use]
    pub fn custom(scheme: impl Authenticate + 'static) -> Self {
        Self(Some(Arc::new(scheme)))
    }

    /// Shows on `request` which credentials it would carry, without their values. Nothing is fetched.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for a request that does not suit the scheme.
    pub fn preview(&self, request: &mut Request) -> Result<(), Error> {
        self.0.as_ref().map_or(Ok(()), |scheme| scheme.preview(request))
    }

    /// Puts the credentials on `request`, and gets them first where that is needed.
    ///
    /// # Errors
    /// As [`Authenticate::authenticate`].
    pub async fn authenticate(&self, request: Request, exchange: &Exchange) -> Result<Request, Error> {
        match &self.0 {
            Some(scheme) => scheme.authenticate(request, exchange).await,
            None => Ok(request),
        }
    }

    /// What would be signed of `request` at this moment, step by step; nothing for credentials that sign nothing. Nothing is fetched.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for a request or credentials that do not suit the scheme.
    pub fn explain(&self, request: Request, exchange: &Exchange) -> Result<Vec<Step>, Error> {
        self.0.as_ref().map_or(Ok(Vec::new()), |scheme| scheme.explain(request, exchange))
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Auth(***)" } else { "Auth(none)" })
    }
}

/// An empty value is a variable that was not set more often than it is a credential.
fn empty_credential() -> Error {
    Error::configuration("the credential is empty")
        .advise("give a value to the variable or the file that it comes from")
}
