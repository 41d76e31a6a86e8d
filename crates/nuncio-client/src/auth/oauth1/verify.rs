//! Signatures, verified as a service does (RFC 5849, section 3.2).

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::header::AUTHORIZATION;
use percent_encoding::percent_decode_str;
use subtle::ConstantTimeEq as _;

use super::base_string::{Params, base_string, of_request};
use super::{Method, OAuth1Signer};
use crate::auth::Message;
use crate::auth::key::{Algorithm, Hash};
use crate::{Error, Kind};

/// How far a signature's time may be from the verifier's clock. The RFC leaves it to the server.
const TOLERANCE: Duration = Duration::from_secs(300);

impl OAuth1Signer {
    /// Whether `message`, as it was received at `now` (since 1970), is signed for this consumer and this token, by this method: its nonce,
    /// which a server must not see twice. The key of `RSA-SHA1` is the consumer's private one here too.
    ///
    /// # Errors
    /// [`Kind::Auth`] with the reason when it is not.
    pub fn verify(&self, message: &Message<'_>, now: Duration) -> Result<String, Error> {
        let (of_header, of_request) = (of_header(message), of_request(message));
        let given = |name: &str| {
            let mut params = of_header.iter().chain(&of_request);
            params.find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
        };
        let token = self.token.as_ref().map_or("", |(token, _)| token);
        for (name, expected) in [
            ("oauth_consumer_key", self.consumer_key.as_str()),
            ("oauth_token", token),
            ("oauth_signature_method", self.method.name()),
        ] {
            if given(name) != expected {
                return Err(refused(format!("has the {name} {:?}, and not {expected:?}", given(name))));
            }
        }
        if !["", "1.0"].contains(&given("oauth_version")) {
            return Err(refused(format!("has the oauth_version {:?}", given("oauth_version"))));
        }
        let nonce = given("oauth_nonce").to_owned();
        if !matches!(self.method, Method::Plaintext) {
            let signed_at = given("oauth_timestamp").parse().map(Duration::from_secs);
            let signed_at = signed_at.map_err(|_| refused("has no readable oauth_timestamp"))?;
            if now.abs_diff(signed_at) > TOLERANCE {
                return Err(refused("is from another time")
                    .advise(format!("the clocks differ by {} s", now.abs_diff(signed_at).as_secs())));
            }
            if nonce.is_empty() {
                return Err(refused("has no oauth_nonce"));
            }
        }
        if self.is_right(&signed(message, &of_header), given("oauth_signature"))? {
            return Ok(nonce);
        }
        Err(refused("is wrong"))
    }

    fn is_right(&self, base_string: &str, signature: &str) -> Result<bool, Error> {
        match &self.method {
            Method::RsaSha1(key) => Ok(BASE64_STANDARD.decode(signature).is_ok_and(|signature| {
                let algorithm = Algorithm::RsaPkcs1(Hash::Sha1);
                key.verifying_key().verify(algorithm, base_string.as_bytes(), &signature)
            })),
            _ => Ok(self.sign(base_string)?.as_bytes().ct_eq(signature.as_bytes()).into()),
        }
    }
}

/// The parameters of an `Authorization: OAuth` header, decoded, without the realm.
fn of_header(message: &Message<'_>) -> Params {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let header = message.header(&AUTHORIZATION).unwrap_or_default();
    let pairs = header.strip_prefix("OAuth ").unwrap_or_default().split(',');
    let pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    let pairs = pairs.map(|(name, value)| (decode(name), decode(value.trim_matches('"'))));
    pairs.filter(|(name, _)| name != "realm").collect()
}

/// What the signer should have signed: everything but the signature, which may stand in the header, the query or the body.
fn signed(message: &Message<'_>, of_header: &Params) -> String {
    let without = |text: &str| {
        let pairs = text.split('&').filter(|pair| !pair.starts_with("oauth_signature="));
        pairs.collect::<Vec<_>>().join("&")
    };
    let query = message.query.map(without);
    let body = message.body.map(|body| without(&String::from_utf8_lossy(body)));
    let message =
        Message { query: query.as_deref(), body: body.as_ref().map(String::as_bytes), ..message.clone() };
    let of_header = of_header.iter().filter(|(name, _)| name != "oauth_signature").cloned().collect();
    base_string(&message, &of_header)
}

fn refused(what: impl std::fmt::Display) -> Error {
    Error::new(Kind::Auth, format!("the OAuth 1.0a signature {what}"))
}
