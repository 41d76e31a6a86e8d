//! Public keys as JSON Web Keys write them.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{PublicEncryptingKey, PublicKeyComponents};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::Value;

use super::{KeyType, pem};
use crate::Error;

/// The key's type, and its bytes as the verifying library takes them.
pub(super) fn public(jwk: &Value) -> Result<(KeyType, Vec<u8>), Error> {
    let text = |name: &str| jwk[name].as_str().unwrap_or_default();
    match (text("kty"), text("crv")) {
        ("RSA", _) => Ok((KeyType::Rsa, rsa(&bytes(jwk, "n")?, &bytes(jwk, "e")?)?)),
        ("EC", "P-256") => Ok((KeyType::P256, point(&bytes(jwk, "x")?, &bytes(jwk, "y")?))),
        ("EC", "P-384") => Ok((KeyType::P384, point(&bytes(jwk, "x")?, &bytes(jwk, "y")?))),
        ("OKP", "Ed25519") => Ok((KeyType::Ed25519, bytes(jwk, "x")?)),
        (kty, crv) => {
            let named = format!("{kty} {crv}");
            Err(Error::configuration(format!(
                "the JSON Web Key is of the type {:?}, which is not supported",
                named.trim()
            )))
        }
    }
}

fn bytes(jwk: &Value, name: &str) -> Result<Vec<u8>, Error> {
    jwk[name]
        .as_str()
        .and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok())
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(|| Error::configuration(format!("the JSON Web Key has no readable {name:?}")))
}

/// A point that is not compressed (SEC 1, section 2.3.3).
fn point(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[4], x, y].concat()
}

fn rsa(n: &[u8], e: &[u8]) -> Result<Vec<u8>, Error> {
    let unusable = |_| pem::unusable(Some(KeyType::Rsa));
    let key: PublicEncryptingKey = PublicKeyComponents { n, e }.try_into().map_err(unusable)?;
    let der = key.as_der().map_err(unusable)?;
    Ok(der.as_ref().to_vec())
}
