//! What tokens call their algorithms.

use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::auth::key::{self, Hash, KeyType};

/// How a token is signed (RFC 7518, section 3.1; RFC 8037). There is no `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSA PKCS#1 v1.5 with SHA-256.
    Rs256,
    /// RSA PKCS#1 v1.5 with SHA-384.
    Rs384,
    /// RSA PKCS#1 v1.5 with SHA-512.
    Rs512,
    /// RSA PSS with SHA-256.
    Ps256,
    /// RSA PSS with SHA-384.
    Ps384,
    /// RSA PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// What most servers expect of a key of that type: the variant with SHA-256, and of RSA the older one.
    #[must_use]
    pub fn usual_for(key_type: KeyType) -> Self {
        match key_type {
            KeyType::Shared => Self::Hs256,
            KeyType::Rsa => Self::Rs256,
            KeyType::P256 => Self::Es256,
            KeyType::P384 => Self::Es384,
            KeyType::Ed25519 => Self::EdDsa,
        }
    }

    /// The name in a token's header: `RS256`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// How it signs.
    #[must_use]
    pub fn signature(self) -> key::Algorithm {
        match self {
            Self::Hs256 => key::Algorithm::Hmac(Hash::Sha256),
            Self::Hs384 => key::Algorithm::Hmac(Hash::Sha384),
            Self::Hs512 => key::Algorithm::Hmac(Hash::Sha512),
            Self::Rs256 => key::Algorithm::RsaPkcs1(Hash::Sha256),
            Self::Rs384 => key::Algorithm::RsaPkcs1(Hash::Sha384),
            Self::Rs512 => key::Algorithm::RsaPkcs1(Hash::Sha512),
            Self::Ps256 => key::Algorithm::RsaPss(Hash::Sha256),
            Self::Ps384 => key::Algorithm::RsaPss(Hash::Sha384),
            Self::Ps512 => key::Algorithm::RsaPss(Hash::Sha512),
            Self::Es256 => key::Algorithm::EcdsaP256,
            Self::Es384 => key::Algorithm::EcdsaP384,
            Self::EdDsa => key::Algorithm::Ed25519,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    /// Reads a [`name`](Self::name), which is case-sensitive.
    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            Error::configuration(format!("tokens cannot be signed by {name:?}"))
                .advise(format!("known are {known}"))
        })
    }
}
