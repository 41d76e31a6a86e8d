//! Credentials, from the file and the environment, one file a scheme.

mod api_key;
mod hmac;
mod jwt;
mod key;
mod message_signature;
mod oauth1;
mod oauth2;
mod session;
mod sigv4;

use std::sync::Arc;

use nuncio_client::Error;
use nuncio_client::auth::oauth2::TokenStore;
use nuncio_client::auth::{Auth, DigestCredentials, JwtBearer};

use crate::model;
use crate::template::{Env, Scope};

pub use oauth2::Login;

/// Whose credentials they are.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    /// Nothing where the credentials belong to no service.
    pub(super) service: Option<&'a model::Service>,
    pub(super) env: &'a Env,
    pub(super) base_url: &'a str,
}

/// `tokens` keeps those of OAuth 2.0; without it they are kept in memory.
pub(super) fn auth(
    described: &model::Auth,
    of: Of<'_>,
    tokens: Option<Arc<dyn TokenStore>>,
) -> Result<Auth, Error> {
    let scope = &Scope::new(of.env);
    match described {
        model::Auth::None => Ok(Auth::none()),
        model::Auth::Bearer(token) => Ok(Auth::bearer(token.secret(scope)?)),
        model::Auth::Basic(basic) => Auth::basic(&basic.user.text(scope)?, basic.password.secret(scope)?),
        model::Auth::ApiKey(key) => api_key::api_key(key, scope).map(Auth::api_key),
        model::Auth::OAuth2(oauth2) => {
            oauth2::oauth2(oauth2, &oauth2::Reader { scope, base_url: of.base_url }, tokens).map(Auth::oauth2)
        }
        model::Auth::Digest(digest) => {
            let (user, password) = (digest.user.text(scope)?, digest.password.secret(scope)?);
            Ok(Auth::digest(DigestCredentials::new(user, password)))
        }
        model::Auth::Jwt(jwt) => jwt.signer(scope).map(|signer| Auth::jwt(JwtBearer::new(signer))),
        model::Auth::Hmac(hmac) => hmac::signer(hmac, scope).map(Auth::hmac),
        model::Auth::SigV4(sigv4) => sigv4.signer(scope).map(Auth::sigv4),
        model::Auth::OAuth1(oauth1) => oauth1.signer(scope).map(Auth::oauth1),
        model::Auth::MessageSignature(it) => it.signer(scope).map(Auth::message_signature),
        model::Auth::Session(it) => session::session(it, &of).map(Auth::custom),
    }
}

impl model::Auth {
    /// What calls to `base_url` carry, for credentials that stand alone and in no service file. Tokens are kept in memory, and shared by copies.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) for environment variables that are missing, credentials that cannot be used, and
    /// a session, which begins with an operation of a service.
    pub fn credentials(&self, env: &Env, base_url: &str) -> Result<Auth, Error> {
        auth(self, Of { service: None, env, base_url }, None)
    }
}

/// How a person logs in, where that is how the service knows who calls.
pub(super) fn login(described: &model::Auth, scope: &Scope, base_url: &str) -> Result<Option<Login>, Error> {
    match described {
        model::Auth::OAuth2(oauth2) => oauth2::login(oauth2, &oauth2::Reader { scope, base_url }),
        _ => Ok(None),
    }
}
