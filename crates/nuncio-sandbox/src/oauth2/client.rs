//! Whether the client is the one that the service file describes.

use std::time::UNIX_EPOCH;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use nuncio_client::Clock;
use nuncio_client::auth::hmac::Key;
use nuncio_client::auth::jwt::{Algorithm, Verifier};
use nuncio_client::auth::key::SigningKey;
use nuncio_service::Template;
use nuncio_service::model::{ClientAuth, OAuth2};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::Fields;
use crate::auth::{Demand, basic_of};
use crate::wire::Received;

impl Demand<'_> {
    /// The id of the client, if it shows itself as described (RFC 6749 §2.3, RFC 7523 §2.2). A secret may come in either place.
    pub(super) fn client(&self, oauth2: &OAuth2, received: &Received, fields: &Fields) -> Option<String> {
        let (id, secret) = match basic_of(received) {
            Some((id, secret)) => (decoded(&id), decoded(&secret)),
            None => (fields.text("client_id"), fields.text("client_secret")),
        };
        let is_client = oauth2.client_id.as_ref().is_none_or(|expected| self.fits(expected, &id));
        let shown = match oauth2.client_auth() {
            ClientAuth::None | ClientAuth::Tls => true,
            ClientAuth::Basic | ClientAuth::Body => {
                oauth2.client_secret.as_ref().is_none_or(|expected| self.fits_or_empty(expected, &secret))
            }
            ClientAuth::SecretJwt => {
                let secret = oauth2.client_secret.as_ref().and_then(|secret| secret.secret(self.scope).ok());
                let key = secret.map(|secret| SigningKey::shared(Key::verbatim(&secret)));
                self.holds(&fields.text("client_assertion"), key, &id)
            }
            ClientAuth::PrivateKeyJwt => {
                self.holds(&fields.text("client_assertion"), self.key(oauth2.private_key.as_ref()), &id)
            }
        };
        (is_client & shown).then_some(id)
    }

    /// Whether `token` is a statement of `issuer`, for whomever: the sandbox does not know by which names it is called. Where the key is
    /// not known, any that looks like one will do.
    pub(super) fn holds(&self, token: &str, key: Option<SigningKey>, issuer: &str) -> bool {
        let Some(key) = key else {
            return token.split('.').count() == 3;
        };
        let mut verifier = Verifier::new([Algorithm::usual_for(key.key_type())]);
        if let Some(audience) = audience_of(token) {
            verifier = verifier.audience(audience);
        }
        if !issuer.is_empty() {
            verifier = verifier.issuer(issuer);
        }
        verifier.verify(token, &key.verifying_key().into(), &Clock::fixed(UNIX_EPOCH + self.now)).is_ok()
    }

    pub(super) fn key(&self, pem: Option<&Template>) -> Option<SigningKey> {
        SigningKey::from_pem(&pem?.secret(self.scope).ok()?).ok()
    }
}

/// §2.3.1: id and secret are form-encoded before they are put in the header.
fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// For whom a token says that it is, whether it is good or not.
fn audience_of(token: &str) -> Option<String> {
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims["aud"].as_str().map(str::to_owned)
}
