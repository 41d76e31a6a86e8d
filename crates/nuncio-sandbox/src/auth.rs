//! Credentials, demanded as described.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use nuncio_service::model::{self, Algorithm, Auth, Encoding, KeyPlace};
use nuncio_service::{Scope, Template};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq as _;

use crate::token::Tokens;
use crate::wire::Received;

/// How far a signed timestamp may be from the sandbox's clock.
const TIMESTAMP_TOLERANCE: Duration = Duration::from_secs(300);
const DEFAULT_SIGN: &str = "{method}\n{path_and_query}\n{timestamp}\n{body}";

/// What credentials are compared with.
pub(crate) struct Demand<'a> {
    /// The environment that the credentials come from; where a variable is not set, any credential of the right shape will do.
    pub(crate) scope: &'a Scope,
    pub(crate) now: Duration,
    pub(crate) tokens: &'a mut Tokens,
    pub(crate) nonces: &'a mut HashSet<String>,
}

impl Demand<'_> {
    /// Whether the request proves who makes it.
    pub(crate) fn is_met(&mut self, auth: &Auth, received: &Received) -> bool {
        match auth {
            Auth::None => true,
            Auth::ApiKey(key) => self.api_key(key, received),
            Auth::Basic(basic) => basic_of(received).is_some_and(|(user, password)| {
                self.fits(&basic.user, &user) & (self.fits_or_empty(&basic.password, &password))
            }),
            Auth::Bearer(token) => bearer_of(received).is_some_and(|given| self.fits(token, given)),
            Auth::OAuth2(_) => bearer_of(received).is_some_and(|token| self.tokens.accepts(token, self.now)),
            Auth::Hmac(hmac) => self.signature(hmac, received).is_some(),
        }
    }

    fn api_key(&self, key: &model::ApiKey, received: &Received) -> bool {
        let query = || form_urlencoded::parse(received.query.as_deref().unwrap_or_default().as_bytes());
        let given = match key.place() {
            Some(KeyPlace::Header(name)) => received.header(name).map(str::to_owned),
            Some(KeyPlace::Query(name)) => {
                query().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
            }
            Some(KeyPlace::Cookie(name)) => received.header("cookie").and_then(|cookies| {
                let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
                pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
            }),
            None => None,
        };
        given.is_some_and(|given| {
            given.strip_prefix(&key.prefix).is_some_and(|given| self.fits(&key.value, given))
        })
    }

    fn fits(&self, expected: &Template, given: &str) -> bool {
        !given.is_empty() && self.fits_or_empty(expected, given)
    }

    pub(crate) fn fits_or_empty(&self, expected: &Template, given: &str) -> bool {
        match expected.text(self.scope) {
            Ok(expected) => expected.as_bytes().ct_eq(given.as_bytes()).into(),
            Err(_) => true,
        }
    }

    /// Something when the signature is right.
    fn signature(&mut self, hmac: &model::Hmac, received: &Received) -> Option<()> {
        let name = |header: &Option<model::NamedHeader>, default: &'static str| {
            header.as_ref().map_or(default.to_owned(), |header| header.header.clone())
        };
        let (header, prefix) = match &hmac.signature {
            Some(signature) => (signature.header.as_str(), signature.prefix.as_str()),
            None => ("X-Signature", ""),
        };
        let signature = received.header(header)?.strip_prefix(prefix)?;
        let signature = match hmac.encoding {
            Encoding::Hex => hex::decode(signature).ok()?,
            Encoding::Base64 => STANDARD.decode(signature).ok()?,
        };
        let timestamp = received.header(&name(&hmac.timestamp, "X-Timestamp"))?;
        let age = self.now.abs_diff(Duration::from_secs(timestamp.parse().ok()?));
        if age > TIMESTAMP_TOLERANCE {
            return None;
        }
        if let Some(key_id) = &hmac.key_id {
            self.fits(&key_id.value, received.header(&key_id.header)?).then_some(())?;
        }
        let nonce = match &hmac.nonce {
            Some(nonce) => received.header(&nonce.header)?,
            None => "",
        };
        if let Ok(secret) = hmac.secret.text(self.scope) {
            let message = |path: &str| message(hmac.sign.as_deref(), received, path, timestamp, nonce);
            // A client may know nothing of the service's name before the path.
            let paths = [received.full_path.as_str(), &received.path];
            paths.iter().find(|path| verifies(hmac.algorithm, &secret, &message(path), &signature))?;
        }
        // Only now: a request that anyone could forge must not use up a nonce.
        (nonce.is_empty() || self.nonces.insert(nonce.to_owned())).then_some(())
    }
}

fn message(sign: Option<&str>, received: &Received, path: &str, timestamp: &str, nonce: &str) -> Vec<u8> {
    let query = received.query.as_deref().unwrap_or_default();
    let path_and_query = received.query.as_ref().map_or(path.to_owned(), |query| format!("{path}?{query}"));
    let places = BTreeMap::from([
        ("method", received.method.as_str().as_bytes()),
        ("path", path.as_bytes()),
        ("query", query.as_bytes()),
        ("path_and_query", path_and_query.as_bytes()),
        ("timestamp", timestamp.as_bytes()),
        ("nonce", nonce.as_bytes()),
        ("body", &received.body),
    ]);
    let mut message = Vec::new();
    let mut rest = sign.unwrap_or(DEFAULT_SIGN);
    while let Some((before, behind)) = rest.split_once('{') {
        message.extend(before.as_bytes());
        let (place, after) = behind.split_once('}').unwrap_or((behind, ""));
        message.extend(places.get(place).copied().unwrap_or_default());
        rest = after;
    }
    message.extend(rest.as_bytes());
    message
}

fn verifies(algorithm: Algorithm, secret: &str, message: &[u8], signature: &[u8]) -> bool {
    fn check<M: Mac + KeyInit>(secret: &str, message: &[u8], signature: &[u8]) -> bool {
        <M as KeyInit>::new_from_slice(secret.as_bytes())
            .is_ok_and(|mac| mac.chain_update(message).verify_slice(signature).is_ok())
    }
    match algorithm {
        Algorithm::Sha256 => check::<Hmac<Sha256>>(secret, message, signature),
        Algorithm::Sha1 => check::<Hmac<Sha1>>(secret, message, signature),
        Algorithm::Sha512 => check::<Hmac<Sha512>>(secret, message, signature),
    }
}

pub(crate) fn bearer_of(received: &Received) -> Option<&str> {
    let (scheme, token) = received.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

/// User and password of an `Authorization: Basic` header.
pub(crate) fn basic_of(received: &Received) -> Option<(String, String)> {
    let (scheme, encoded) = received.header("authorization")?.split_once(' ')?;
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| (user.to_owned(), password.to_owned()))
}
