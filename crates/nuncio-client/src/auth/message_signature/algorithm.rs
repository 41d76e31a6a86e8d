//! What the registry calls the algorithms (RFC 9421, section 6.2.2).

use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::auth::key::{self, Hash, KeyType};

/// How a message is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// `rsa-pss-sha512`
    RsaPssSha512,
    /// `rsa-v1_5-sha256`
    RsaV15Sha256,
    /// `hmac-sha256`
    HmacSha256,
    /// `ecdsa-p256-sha256`
    EcdsaP256Sha256,
    /// `ecdsa-p384-sha384`
    EcdsaP384Sha384,
    /// `ed25519`
    Ed25519,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::RsaPssSha512,
        Self::RsaV15Sha256,
        Self::HmacSha256,
        Self::EcdsaP256Sha256,
        Self::EcdsaP384Sha384,
        Self::Ed25519,
    ];

    /// The one for keys of that type; of RSA the newer one.
    #[must_use]
    pub fn usual_for(key_type: KeyType) -> Self {
        match key_type {
            KeyType::Shared => Self::HmacSha256,
            KeyType::Rsa => Self::RsaPssSha512,
            KeyType::P256 => Self::EcdsaP256Sha256,
            KeyType::P384 => Self::EcdsaP384Sha384,
            KeyType::Ed25519 => Self::Ed25519,
        }
    }

    /// The registered name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RsaPssSha512 => "rsa-pss-sha512",
            Self::RsaV15Sha256 => "rsa-v1_5-sha256",
            Self::HmacSha256 => "hmac-sha256",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::EcdsaP384Sha384 => "ecdsa-p384-sha384",
            Self::Ed25519 => "ed25519",
        }
    }

    pub(super) fn signature(self) -> key::Algorithm {
        match self {
            Self::RsaPssSha512 => key::Algorithm::RsaPss(Hash::Sha512),
            Self::RsaV15Sha256 => key::Algorithm::RsaPkcs1(Hash::Sha256),
            Self::HmacSha256 => key::Algorithm::Hmac(Hash::Sha256),
            Self::EcdsaP256Sha256 => key::Algorithm::EcdsaP256,
            Self::EcdsaP384Sha384 => key::Algorithm::EcdsaP384,
            Self::Ed25519 => key::Algorithm::Ed25519,
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

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            Error::configuration(format!("messages cannot be signed by {name:?}"))
                .advise(format!("known are {known}"))
        })
    }
}
