use nuncio_client::Error;
use nuncio_client::auth::hmac;
use nuncio_client::auth::key::SigningKey;

use crate::model::{Key, SecretEncoding};
use crate::template::Scope;

pub(super) fn signing_key(key: &Key, scope: &Scope) -> Result<SigningKey, Error> {
    match (&key.private_key, &key.secret) {
        (Some(pem), None) => SigningKey::from_pem(&pem.secret(scope)?),
        (None, Some(secret)) => {
            let secret = secret.secret(scope)?;
            Ok(SigningKey::shared(match key.encoding {
                SecretEncoding::Text => hmac::Key::verbatim(&secret),
                SecretEncoding::Base64 => hmac::Key::base64(&secret)?,
                SecretEncoding::Hex => hmac::Key::hex(&secret)?,
            }))
        }
        _ => Err(Error::configuration("what signs is exactly one of: private_key, secret")),
    }
}
