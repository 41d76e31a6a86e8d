//! How signatures are made and written.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};

use crate::jwt::Token;

/// How a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SignatureAlgorithm"))]
pub enum Algorithm {
    /// HMAC with SHA-1 (RFC 2104).
    HmacSha1,
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-384.
    HmacSha384,
    /// HMAC with SHA-512.
    HmacSha512,
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA over P-256 with SHA-256, the signature in DER.
    EcdsaP256,
    /// ECDSA over P-256 with SHA-256, the signature as its two numbers of 32 bytes (RFC 7518, section 3.4).
    EcdsaP256Fixed,
    /// RSA PKCS#1 v1.5 with SHA-1. Verified for the sake of old senders, never made.
    RsaSha1,
    /// RSA PKCS#1 v1.5 with SHA-256.
    RsaSha256,
    /// SHA-256 of the secret followed by what is signed: weaker than an HMAC, kept for old senders.
    SecretThenSha256,
    /// The secret itself.
    Token,
}

impl Algorithm {
    /// Whether the receiver holds a public key and no secret.
    #[must_use]
    pub fn is_asymmetric(self) -> bool {
        matches!(
            self,
            Self::Ed25519 | Self::EcdsaP256 | Self::EcdsaP256Fixed | Self::RsaSha1 | Self::RsaSha256
        )
    }

    /// The name of this algorithm in JSON Web Tokens (RFC 7518, section 3.1).
    pub(crate) fn token_name(self) -> Option<&'static str> {
        Some(match self {
            Self::HmacSha256 => "HS256",
            Self::HmacSha384 => "HS384",
            Self::HmacSha512 => "HS512",
            Self::EcdsaP256Fixed => "ES256",
            Self::RsaSha256 => "RS256",
            _ => return None,
        })
    }
}

/// Long enough for every HMAC; others are put elsewhere.
pub(crate) type SignatureBytes = SmallVec<[u8; 64]>;

/// How a signature is written. Each is one spelling, so that nobody can vary a signature and pass for another request.
///
/// ```
/// use nuncio_webhook::Encoding;
///
/// assert_eq!(Encoding::Hex.decode(b"0aff"), Some(vec![0x0a, 0xff]));
/// assert_eq!(Encoding::Hex.decode(b"0AFF"), None);
/// assert_eq!(Encoding::Base64.decode(b"Cv8="), Some(vec![0x0a, 0xff]));
/// assert_eq!(Encoding::Base64.decode(b"Cv8"), None);
/// assert_eq!(Encoding::Base64Url.encode(&[0xfb, 0xff]), "-_8");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(
        rename = "SignatureEncoding",
        description = "How a signature is written. Each is one spelling, so that nobody can vary a signature and pass for another request."
    )
)]
pub enum Encoding {
    /// Hex digits in lower case.
    Hex,
    /// Hex digits in either case.
    HexAnyCase,
    /// Base64 with padding (RFC 4648, section 4).
    Base64,
    /// Base64 for URLs without padding (RFC 4648, section 5).
    Base64Url,
    /// A JSON Web Token (RFC 7515, section 7.1): its third part is the signature, the two before it are what is signed. It must name the algorithm of
    /// the scheme and ask for no extension, and `exp` and `nbf` hold where it has them.
    Jwt,
    /// The bytes themselves, for tokens.
    Plain,
}

impl Encoding {
    /// The bytes that `text` stands for, if it is written this way.
    #[must_use]
    pub fn decode(self, text: &[u8]) -> Option<Vec<u8>> {
        self.bytes(text).map(SmallVec::into_vec)
    }

    pub(crate) fn bytes(self, text: &[u8]) -> Option<SignatureBytes> {
        match self {
            Self::Hex if text.iter().fold(false, |any, byte| any | byte.is_ascii_uppercase()) => None,
            Self::Hex | Self::HexAnyCase => {
                let mut bytes: SignatureBytes = smallvec![0; text.len() / 2];
                hex::decode_to_slice(text, &mut bytes).ok().map(|()| bytes)
            }
            Self::Base64 => STANDARD.decode(text).ok().map(SignatureBytes::from),
            Self::Base64Url => URL_SAFE_NO_PAD.decode(text).ok().map(SignatureBytes::from),
            Self::Jwt => Token::read(text).map(|token| token.signature.into()),
            Self::Plain => Some(text.into()),
        }
    }

    /// `bytes` written this way.
    #[must_use]
    pub fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex | Self::HexAnyCase => hex::encode(bytes),
            Self::Base64 => STANDARD.encode(bytes),
            Self::Base64Url | Self::Jwt => URL_SAFE_NO_PAD.encode(bytes),
            Self::Plain => String::from_utf8_lossy(bytes).into_owned(),
        }
    }
}

/// How a secret or a public key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum KeyFormat {
    /// Its text is the key.
    #[default]
    Verbatim,
    /// Base64, with or without padding.
    Base64,
    /// Hex digits.
    Hex,
    /// A public key (`SubjectPublicKeyInfo`, RFC 5280) as PEM, or as the base64 that a PEM has between its lines.
    Spki,
}
