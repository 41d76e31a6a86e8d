//! What signs: a private key or a shared secret.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::template::Template;

/// What signs: exactly one of `private_key` and `secret`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// A private key in PEM, not encrypted: PKCS#8, PKCS#1 or SEC 1. RSA, P-256, P-384 and Ed25519 are known.
    pub private_key: Option<Template>,
    /// A secret that both sides share.
    pub secret: Option<Template>,
    /// How `secret` is written. Default: `text`.
    #[serde(default)]
    pub encoding: SecretEncoding,
}

impl Key {
    /// The one template; nothing unless there is exactly one, which loading a file makes sure of.
    #[must_use]
    pub fn template(&self) -> Option<&Template> {
        crate::model::only(self.private_key.iter().chain(&self.secret))
    }
}

/// How a secret is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretEncoding {
    /// As it is.
    #[default]
    Text,
    /// In base64, with padding or without.
    Base64,
    /// In hexadecimal.
    Hex,
}
