//! Credentials, from the file and the environment, one file a scheme.

mod api_key;
mod hmac;
mod oauth2;

use nuncio_client::Error;
use nuncio_client::auth::Auth;

use crate::model;
use crate::template::Scope;

pub(super) fn auth(described: &model::Auth, scope: &Scope, base_url: &str) -> Result<Auth, Error> {
    match described {
        model::Auth::None => Ok(Auth::none()),
        model::Auth::Bearer(token) => Ok(Auth::bearer(token.secret(scope)?)),
        model::Auth::Basic(basic) => Auth::basic(&basic.user.text(scope)?, basic.password.secret(scope)?),
        model::Auth::ApiKey(key) => api_key::api_key(key, scope).map(Auth::api_key),
        model::Auth::OAuth2(oauth2) => oauth2::oauth2(oauth2, scope, base_url).map(Auth::oauth2),
        model::Auth::Hmac(hmac) => hmac::signer(hmac, scope).map(Auth::hmac),
    }
}
