//! Keys as JSON (RFC 7517).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::RsaPublicKeyComponents;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::scheme::Algorithm;

const P256_BYTES: usize = 32;

/// A set, or Plaid's answer about one key.
#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Set { keys: Vec<Jwk> },
    One { key: Box<Jwk> },
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    /// Plaid's: when the key was retired, in seconds since 1970.
    expired_at: Option<u64>,
}

/// The key of this id. `None` when there is none of it.
pub(super) fn public_key(
    document: &[u8],
    id: &str,
    algorithm: Algorithm,
    now: SystemTime,
) -> Result<Option<Vec<u8>>, &'static str> {
    let document = serde_json::from_slice(document).map_err(|_| "it is no JSON Web Key")?;
    let keys = match document {
        Document::Set { keys } => keys,
        Document::One { key } => vec![*key],
    };
    let mut named = keys.iter().filter(|key| key.kid.as_deref() == Some(id));
    match (named.next(), named.next()) {
        (None, _) => Ok(None),
        (Some(key), None) => key.read(algorithm, now).map(Some),
        (Some(_), Some(_)) => Err("two keys have this id"),
    }
}

impl Jwk {
    fn read(&self, algorithm: Algorithm, now: SystemTime) -> Result<Vec<u8>, &'static str> {
        if self.alg.as_deref().is_some_and(|name| Some(name) != algorithm.token_name())
            || self.purpose.as_deref().is_some_and(|purpose| purpose != "sig")
        {
            return Err("it is a key for another purpose");
        }
        let retired = |at: u64| now >= UNIX_EPOCH + Duration::from_secs(at.min(u32::MAX.into()));
        if self.expired_at.is_some_and(retired) {
            return Err("it is retired");
        }
        let key = match (algorithm, self.kty.as_str()) {
            (Algorithm::EcdsaP256Fixed, "EC") if self.crv.as_deref() == Some("P-256") => self.point(),
            (Algorithm::RsaSha256, "RSA") => self.rsa(),
            _ => return Err("it is a key of another kind"),
        };
        key.ok_or("it is no whole key")
    }

    /// The point in its uncompressed form (SEC 1, section 2.3.3).
    fn point(&self) -> Option<Vec<u8>> {
        let (x, y) = (decode(self.x.as_deref())?, decode(self.y.as_deref())?);
        (x.len() == P256_BYTES && y.len() == P256_BYTES).then(|| [&[4], &x[..], &y[..]].concat())
    }

    fn rsa(&self) -> Option<Vec<u8>> {
        let components =
            RsaPublicKeyComponents { n: decode(self.n.as_deref())?, e: decode(self.e.as_deref())? };
        let key: PublicKeyX509Der<'_> = components.as_der().ok()?;
        Some(key.as_ref().to_vec())
    }
}

fn decode(text: Option<&str>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?).ok()
}
