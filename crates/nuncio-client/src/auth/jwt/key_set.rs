//! The keys that a verifier may use.

use serde_json::Value;

use super::Algorithm;
use crate::Error;
use crate::auth::key::VerifyingKey;

/// A published set has a handful.
const MAX_KEYS: usize = 1000;

/// One key or several, of which a token's header names one (RFC 7517, section 5).
#[derive(Debug, Clone)]
pub struct KeySet(Vec<(Option<String>, VerifyingKey)>);

impl From<VerifyingKey> for KeySet {
    /// A set of one key, which verifies whatever key id a token names.
    fn from(key: VerifyingKey) -> Self {
        Self(vec![(None, key)])
    }
}

impl KeySet {
    /// Reads a JWK set. Keys that are for encryption, or of a type that is not supported, are left out: an issuer may have them beside
    /// the others.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when there is no array `keys`, or more than 1000 of them.
    pub fn from_jwks(jwks: &Value) -> Result<Self, Error> {
        let keys = jwks["keys"]
            .as_array()
            .ok_or_else(|| Error::configuration("a JSON Web Key set has no array \"keys\""))?;
        if keys.len() > MAX_KEYS {
            return Err(Error::configuration(format!("a JSON Web Key set has more than {MAX_KEYS} keys")));
        }
        let signing = keys.iter().filter(|jwk| jwk["use"].as_str().is_none_or(|usage| usage == "sig"));
        Ok(Self(
            signing
                .filter_map(|jwk| {
                    let key = VerifyingKey::from_jwk(jwk).ok()?;
                    Some((jwk["kid"].as_str().map(str::to_owned), key))
                })
                .collect(),
        ))
    }

    /// The keys for a token signed by `algorithm` with the key `key_id`: those named so and those without a name, or all for a token
    /// that names none.
    pub(super) fn candidates(
        &self,
        algorithm: Algorithm,
        key_id: Option<&str>,
    ) -> impl Iterator<Item = &VerifyingKey> {
        self.0
            .iter()
            .filter(move |(name, _)| match (name, key_id) {
                (Some(name), Some(key_id)) => name == key_id,
                _ => true,
            })
            .map(|(_, key)| key)
            .filter(move |key| key.key_type() == algorithm.signature().key_type())
    }
}
