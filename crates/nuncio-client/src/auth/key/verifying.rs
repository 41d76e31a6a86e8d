//! Keys that verify.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    UnparsedPublicKey, VerificationAlgorithm,
};
use pkcs8::spki::SubjectPublicKeyInfoRef;
use rustls_pki_types::pem::SectionKind;
use subtle::ConstantTimeEq as _;

use super::{Algorithm, Hash, KeyType, jwk, pem};
use crate::Error;
use crate::auth::hmac;

/// A public key, or a secret that both sides share.
#[derive(Clone)]
pub struct VerifyingKey(Inner);

#[derive(Clone)]
enum Inner {
    Shared(hmac::Key),
    Public { key_type: KeyType, bytes: Vec<u8> },
}

impl VerifyingKey {
    /// A secret that both sides share.
    #[must_use]
    pub fn shared(key: hmac::Key) -> Self {
        Self(Inner::Shared(key))
    }

    /// The first public key of a PEM file (`PUBLIC KEY`, RFC 7468, section 13), of at most 64 KiB.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when it is something else or damaged, or of a type that is not supported.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let (_, der) = pem::section(pem, &[SectionKind::PublicKey], "the public key")?;
        let info = SubjectPublicKeyInfoRef::try_from(&der[..]).map_err(|_| pem::unusable(None))?;
        let key_type = pem::key_type(info.algorithm.oid, info.algorithm.parameters_oid().ok())?;
        Self::checked(key_type, info.subject_public_key.raw_bytes().to_vec())
    }

    /// A public key as JSON Web Keys write it (RFC 7517, RFC 7518 section 6, RFC 8037).
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when a member is missing or unreadable, or the type is not supported.
    pub fn from_jwk(jwk: &serde_json::Value) -> Result<Self, Error> {
        let (key_type, bytes) = jwk::public(jwk)?;
        Self::checked(key_type, bytes)
    }

    /// What kind of key it is.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        match &self.0 {
            Inner::Shared(_) => KeyType::Shared,
            Inner::Public { key_type, .. } => *key_type,
        }
    }

    /// Whether `signature` is that of `message`. Never for a key that does not go with `algorithm`. Of a shared secret it takes the same
    /// time wherever the signatures differ.
    #[must_use]
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if algorithm.key_type() != self.key_type() {
            return false;
        }
        match (&self.0, algorithm) {
            (Inner::Shared(key), Algorithm::Hmac(hash)) => {
                !key.is_empty() && key.mac(hash, message).ct_eq(signature).into()
            }
            (Inner::Public { bytes, .. }, _) => verification(algorithm)
                .is_some_and(|by| UnparsedPublicKey::new(by, bytes).verify(message, signature).is_ok()),
            _ => false,
        }
    }

    /// A key that is known to be good.
    pub(super) fn public(key_type: KeyType, bytes: &[u8]) -> Self {
        Self(Inner::Public { key_type, bytes: bytes.to_vec() })
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> &[u8] {
        match &self.0 {
            Inner::Shared(_) => panic!("a shared secret is not shown"),
            Inner::Public { bytes, .. } => bytes,
        }
    }

    fn checked(key_type: KeyType, bytes: Vec<u8>) -> Result<Self, Error> {
        let by: &'static dyn VerificationAlgorithm = match key_type {
            KeyType::P256 => &ECDSA_P256_SHA256_FIXED,
            KeyType::P384 => &ECDSA_P384_SHA384_FIXED,
            KeyType::Ed25519 => &ED25519,
            _ => &RSA_PKCS1_2048_8192_SHA256,
        };
        ParsedPublicKey::new(by, &bytes).map_err(|_| pem::unusable(Some(key_type)))?;
        Ok(Self(Inner::Public { key_type, bytes }))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.key_type())
    }
}

fn verification(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match algorithm {
        Algorithm::RsaPkcs1(Hash::Sha1) => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Algorithm::RsaPkcs1(Hash::Sha256) => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RsaPkcs1(Hash::Sha384) => &RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RsaPkcs1(Hash::Sha512) => &RSA_PKCS1_2048_8192_SHA512,
        Algorithm::RsaPss(Hash::Sha256) => &RSA_PSS_2048_8192_SHA256,
        Algorithm::RsaPss(Hash::Sha384) => &RSA_PSS_2048_8192_SHA384,
        Algorithm::RsaPss(Hash::Sha512) => &RSA_PSS_2048_8192_SHA512,
        Algorithm::EcdsaP256 => &ECDSA_P256_SHA256_FIXED,
        Algorithm::EcdsaP384 => &ECDSA_P384_SHA384_FIXED,
        Algorithm::Ed25519 => &ED25519,
        Algorithm::RsaPss(Hash::Sha1) | Algorithm::Hmac(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{MESSAGE, algorithms, jwk, key, pem, public_der};
    use super::*;

    #[test]
    fn a_public_key_is_the_same_from_pem_and_from_jwk() {
        for (name, algorithm) in algorithms().into_iter().filter(|(name, _)| *name != "shared") {
            let signature = key(name).sign(algorithm, MESSAGE).unwrap();
            let from_pem = VerifyingKey::from_pem(&pem("PUBLIC KEY", &public_der(name))).unwrap();
            let from_jwk = VerifyingKey::from_jwk(&jwk(name)).unwrap();
            for verifying in [from_pem, from_jwk] {
                assert_eq!(verifying.key_type(), algorithm.key_type());
                assert!(verifying.verify(algorithm, MESSAGE, &signature), "{name} {algorithm}");
            }
        }
    }

    #[test]
    fn a_public_key_never_passes_for_a_shared_secret() {
        let public = key("ed1").verifying_key();
        let forged = hmac::Key::bytes(public.bytes().to_vec()).mac(Hash::Sha256, MESSAGE);
        assert!(!public.verify(Algorithm::Hmac(Hash::Sha256), MESSAGE, &forged));
    }

    #[test]
    fn an_empty_secret_verifies_nothing() {
        let key = hmac::Key::verbatim(&"".into());
        let mac = key.mac(Hash::Sha256, MESSAGE);
        assert!(!VerifyingKey::shared(key).verify(Algorithm::Hmac(Hash::Sha256), MESSAGE, &mac));
    }

    #[test]
    fn an_unreadable_key_is_refused() {
        for (jwk, message) in [
            (
                json!({"kty": "oct", "k": "bWFkZS11cA"}),
                "the JSON Web Key is of the type \"oct\", which is not supported",
            ),
            (
                json!({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}),
                "the JSON Web Key is of the type \"EC P-521\", which is not supported",
            ),
            (json!({"kty": "RSA", "n": "AQAB"}), "the JSON Web Key has no readable \"e\""),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": "not base64url!"}),
                "the JSON Web Key has no readable \"x\"",
            ),
            (json!({"kty": "OKP", "crv": "Ed25519", "x": "AQAB"}), "the key is damaged"),
            (json!({"kty": "EC", "crv": "P-256", "x": "AQAB", "y": "AQAB"}), "the key is damaged"),
            (
                json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
                "the RSA key is damaged or not of 2048 to 8192 bits",
            ),
            (json!([]), "the JSON Web Key is of the type \"\", which is not supported"),
        ] {
            assert_eq!(VerifyingKey::from_jwk(&jwk).unwrap_err().to_string(), message);
        }
        let error = VerifyingKey::from_pem(&pem("PRIVATE KEY", b"made up")).unwrap_err();
        assert_eq!(error.to_string(), "the public key is a private key");
    }
}
