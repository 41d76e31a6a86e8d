//! The key `auth.message_signature`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Key;
use crate::model::Span;
use crate::template::Template;

/// HTTP Message Signatures (RFC 9421), with `Content-Digest` (RFC 9530) for the body.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageSignature {
    /// What signs.
    pub key: Key,
    /// How: `rsa-pss-sha512`, `rsa-v1_5-sha256`, `hmac-sha256`, `ecdsa-p256-sha256`, `ecdsa-p384-sha384` or `ed25519`. Default: the one for the key;
    /// for RSA `rsa-pss-sha512`.
    pub algorithm: Option<String>,
    /// What is signed, such as `"@method"`, `"@query-param;name=\"page\""`, `content-digest`, in this order. Default: `@method`, `@authority`,
    /// `@path` and `@query`; of a request with a body `content-digest` and `content-type` too.
    pub components: Option<Vec<String>>,
    /// The hash of a `Content-Digest` that is added. Default: `sha256`.
    #[serde(default)]
    pub content_digest: ContentDigest,
    /// What the signature is called in the message. Default: `sig1`.
    pub label: Option<String>,
    /// Which key it is. Default: not said.
    pub key_id: Option<Template>,
    /// What the signature is for, in the service's own terms. Default: not said.
    pub tag: Option<String>,
    /// How long a signature is good for. Default: not said.
    pub expires_after: Option<Span>,
    /// Send a random text that is never used twice. Default: no.
    #[serde(default)]
    pub nonce: bool,
    /// Name the algorithm in the message. Default: no.
    #[serde(default)]
    pub names_algorithm: bool,
}

/// The hash of the body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContentDigest {
    /// `sha-256`
    #[default]
    Sha256,
    /// `sha-512`
    Sha512,
}
