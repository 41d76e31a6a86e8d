//! Signatures over requests, checked as described.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{KeyInit, Mac};
use nuncio_service::model::{Algorithm, Encoding, Hmac, TimeFormat};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use super::Demand;
use crate::time::since_epoch;
use crate::wire::Received;

/// How far a signed timestamp may be from the sandbox's clock.
const TIMESTAMP_TOLERANCE: Duration = Duration::from_secs(300);
const DEFAULT_SIGN: &str = "{method}\n{path_and_query}\n{timestamp}\n{body}";

impl Demand<'_> {
    /// Something when the signature is right, fresh, and was not seen with the same nonce before.
    pub(super) fn is_signed(&mut self, hmac: &Hmac, received: &Received) -> Option<()> {
        let sign = hmac.sign.as_deref().unwrap_or(DEFAULT_SIGN);
        let (header, prefix) = match &hmac.signature {
            Some(signature) => (signature.header.as_str(), signature.prefix.as_str()),
            None => ("X-Signature", ""),
        };
        let signature = received.header(header)?.strip_prefix(prefix)?;
        let signature = match hmac.encoding {
            Encoding::Hex => hex::decode(signature).ok()?,
            Encoding::Base64 => STANDARD.decode(signature).ok()?,
        };
        let mut timestamp = "";
        if sign.contains("{timestamp}") {
            let described = hmac.timestamp.as_ref();
            timestamp = received.header(described.map_or("X-Timestamp", |it| &it.header))?;
            let time = match described.map(|it| it.format).unwrap_or_default() {
                TimeFormat::Seconds => Duration::from_secs(timestamp.parse().ok()?),
                TimeFormat::Milliseconds => Duration::from_millis(timestamp.parse().ok()?),
                TimeFormat::Rfc3339 => since_epoch(timestamp)?,
            };
            (self.now.abs_diff(time) <= TIMESTAMP_TOLERANCE).then_some(())?;
        }
        let mut nonce = "";
        if sign.contains("{nonce}") {
            nonce = received.header(hmac.nonce.as_ref().map_or("X-Nonce", |it| &it.header))?;
        }
        if let Some(key_id) = &hmac.key_id {
            self.fits(&key_id.value, received.header(&key_id.header)?).then_some(())?;
        }
        if let Ok(secret) = hmac.secret.text(self.scope) {
            // A client may know nothing of the service's name before the path.
            let mut messages = [received.full_path.as_str(), &received.path]
                .map(|path| Signed { received, path, timestamp, nonce }.message(sign))
                .into_iter();
            messages.find(|message| verifies(hmac.algorithm, &secret, message, &signature))?;
        }
        // Only now: a request that anyone could forge must not use up a nonce.
        (nonce.is_empty() || self.nonces.insert(nonce.to_owned())).then_some(())
    }
}

/// What a template for signing sees.
struct Signed<'a> {
    received: &'a Received,
    path: &'a str,
    timestamp: &'a str,
    nonce: &'a str,
}

impl Signed<'_> {
    fn message(&self, sign: &str) -> Vec<u8> {
        let mut message = Vec::new();
        let mut rest = sign;
        while let Some((before, behind)) = rest.split_once('{') {
            message.extend(before.as_bytes());
            let (part, after) = behind.split_once('}').unwrap_or((behind, ""));
            message.extend(self.part(part));
            rest = after;
        }
        message.extend(rest.as_bytes());
        message
    }

    fn part(&self, name: &str) -> Vec<u8> {
        let Received { method, query, body, .. } = self.received;
        let query_with_mark = query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        let host = self.received.header("host").unwrap_or_default();
        match name {
            "method" => method.as_str().into(),
            "path" => self.path.into(),
            "query" => query.as_deref().unwrap_or_default().into(),
            "path_and_query" => format!("{}{query_with_mark}", self.path).into(),
            "host" => host.into(),
            "url" => format!("http://{host}{}{query_with_mark}", self.path).into(),
            "timestamp" => self.timestamp.into(),
            "nonce" => self.nonce.into(),
            "body" => body.to_vec(),
            "body_sha256" => hex::encode(Sha256::digest(body)).into(),
            _ => {
                let header = name.strip_prefix("header:").and_then(|name| self.received.header(name));
                header.unwrap_or_default().trim().into()
            }
        }
    }
}

fn verifies(algorithm: Algorithm, secret: &str, message: &[u8], signature: &[u8]) -> bool {
    // In constant time, as `verify_slice` promises.
    fn check<M: Mac + KeyInit>(secret: &str, message: &[u8], signature: &[u8]) -> bool {
        <M as KeyInit>::new_from_slice(secret.as_bytes())
            .is_ok_and(|mac| mac.chain_update(message).verify_slice(signature).is_ok())
    }
    match algorithm {
        Algorithm::Sha256 => check::<hmac::Hmac<Sha256>>(secret, message, signature),
        Algorithm::Sha1 => check::<hmac::Hmac<Sha1>>(secret, message, signature),
        Algorithm::Sha512 => check::<hmac::Hmac<Sha512>>(secret, message, signature),
    }
}
