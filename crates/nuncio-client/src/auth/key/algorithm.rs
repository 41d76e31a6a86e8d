//! What a signature is made with.

use std::fmt;

pub use crate::auth::hmac::Algorithm as Hash;

/// A way to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with a shared secret (RFC 2104).
    Hmac(Hash),
    /// RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2).
    RsaPkcs1(Hash),
    /// RSASSA-PSS with a salt as long as the hash (RFC 8017, section 8.1). Not with SHA-1.
    RsaPss(Hash),
    /// ECDSA on P-256 with SHA-256; the signature is `r` and `s` of 32 bytes each (FIPS 186-5).
    EcdsaP256,
    /// ECDSA on P-384 with SHA-384; the signature is `r` and `s` of 48 bytes each (FIPS 186-5).
    EcdsaP384,
    /// Ed25519 (RFC 8032).
    Ed25519,
}

impl Algorithm {
    /// The type of the keys that go with it.
    #[must_use]
    pub fn key_type(self) -> KeyType {
        match self {
            Self::Hmac(_) => KeyType::Shared,
            Self::RsaPkcs1(_) | Self::RsaPss(_) => KeyType::Rsa,
            Self::EcdsaP256 => KeyType::P256,
            Self::EcdsaP384 => KeyType::P384,
            Self::Ed25519 => KeyType::Ed25519,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hmac(hash) => write!(f, "HMAC with {hash}"),
            Self::RsaPkcs1(hash) => write!(f, "RSA PKCS#1 v1.5 with {hash}"),
            Self::RsaPss(hash) => write!(f, "RSA PSS with {hash}"),
            Self::EcdsaP256 => f.write_str("ECDSA on P-256"),
            Self::EcdsaP384 => f.write_str("ECDSA on P-384"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}

/// What kind of key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyType {
    /// A secret that both sides know.
    Shared,
    /// RSA of 2048 to 8192 bits.
    Rsa,
    /// An elliptic-curve key on P-256.
    P256,
    /// An elliptic-curve key on P-384.
    P384,
    /// An Ed25519 key.
    Ed25519,
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shared => "a shared secret",
            Self::Rsa => "an RSA key",
            Self::P256 => "a key on P-256",
            Self::P384 => "a key on P-384",
            Self::Ed25519 => "an Ed25519 key",
        })
    }
}
