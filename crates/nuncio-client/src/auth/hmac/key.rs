//! The secret of a signature, and what is made with it.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use hmac::{EagerHash, Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use crate::{Error, Secret};

/// The key of an HMAC: the bytes that a secret stands for. Cleared from memory when the last copy is dropped.
#[derive(Clone)]
pub struct Key(Arc<SecretSlice<u8>>);

/// Providers hand keys out with padding and without.
const BASE64_KEY: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Key {
    /// The secret as it is written, in UTF-8.
    #[must_use]
    pub fn verbatim(secret: &Secret) -> Self {
        Self::bytes(secret.expose().as_bytes().to_vec())
    }

    /// The bytes that the secret is the base64 of, with padding or without.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when it is no base64.
    pub fn base64(secret: &Secret) -> Result<Self, Error> {
        BASE64_KEY.decode(secret.expose()).map(Self::bytes).map_err(|_| undecodable("base64"))
    }

    /// The bytes that the secret is the hex digits of.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when it is no hex.
    pub fn hex(secret: &Secret) -> Result<Self, Error> {
        hex::decode(secret.expose()).map(Self::bytes).map_err(|_| undecodable("hex"))
    }

    pub(in crate::auth) fn is_empty(&self) -> bool {
        self.0.expose_secret().is_empty()
    }

    pub(in crate::auth) fn mac(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        match algorithm {
            Algorithm::Sha256 => self.mac_by::<Sha256>(message),
            Algorithm::Sha384 => self.mac_by::<Sha384>(message),
            Algorithm::Sha512 => self.mac_by::<Sha512>(message),
            Algorithm::Sha1 => self.mac_by::<Sha1>(message),
        }
    }

    fn mac_by<D: EagerHash>(&self, message: &[u8]) -> Vec<u8> {
        let key = Hmac::<D>::new_from_slice(self.0.expose_secret()).expect("HMAC takes keys of any length");
        key.chain_update(message).finalize().into_bytes().to_vec()
    }

    /// The bytes themselves.
    #[must_use]
    pub fn bytes(bytes: Vec<u8>) -> Self {
        Self(Arc::new(bytes.into()))
    }
}

// The decoder's own error names a character of the secret.
fn undecodable(encoding: &str) -> Error {
    Error::configuration(format!("the secret of the signature is no {encoding}"))
        .advise("look for a line end or a space at the end of the value, or use it verbatim")
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

/// The hash function of an HMAC (RFC 2104).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC-SHA-256, the default.
    #[default]
    Sha256,
    /// HMAC-SHA-384.
    Sha384,
    /// HMAC-SHA-512.
    Sha512,
    /// HMAC-SHA-1: for services that have nothing better. Still sound as an HMAC.
    Sha1,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// Lower-case hex digits, the default.
    #[default]
    Hex,
    /// Base64 with padding (RFC 4648, section 4).
    Base64,
}

impl Encoding {
    pub(super) fn encode(self, mac: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(mac),
            Self::Base64 => BASE64_STANDARD.encode(mac),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Sha1 => "SHA-1",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(algorithm: Algorithm) -> String {
        // RFC 4231 and RFC 2202, test case 2.
        let key = Key::verbatim(&"Jefe".into());
        Encoding::Hex.encode(&key.mac(algorithm, b"what do ya want for nothing?"))
    }

    #[test]
    fn each_algorithm_gives_the_digest_of_its_rfc() {
        assert_eq!(digits(Algorithm::Sha1), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        assert_eq!(
            digits(Algorithm::Sha256),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            digits(Algorithm::Sha384),
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"
        );
        assert_eq!(
            digits(Algorithm::Sha512),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
             9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        );
    }

    #[test]
    fn a_decoded_key_is_the_same_key() {
        let message = b"message";
        let expected = Key::verbatim(&"made-up-key-bytes".into()).mac(Algorithm::Sha256, message);
        for key in [
            Key::base64(&"bWFkZS11cC1rZXktYnl0ZXM=".into()),
            Key::base64(&"bWFkZS11cC1rZXktYnl0ZXM".into()),
            Key::hex(&"6d6164652d75702d6b65792d6279746573".into()),
        ] {
            assert_eq!(key.unwrap().mac(Algorithm::Sha256, message), expected);
        }
    }

    #[test]
    fn an_undecodable_key_is_refused_without_showing_it() {
        for error in [Key::base64(&"made-up-key-bytes\n".into()), Key::hex(&"made-up-key-bytes\n".into())] {
            let error = error.unwrap_err();
            assert_eq!(error.kind(), crate::Kind::Configuration);
            assert!(std::error::Error::source(&error).is_none());
        }
    }
}
