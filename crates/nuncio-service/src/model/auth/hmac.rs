//! The key `auth.hmac`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::template::Template;

/// A signature over each request, by default hex HMAC-SHA256 over method, path with query, timestamp and body, a line each.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hmac {
    /// The shared key.
    pub secret: Template,
    /// What is signed, with the parts `{method}`, `{path}`, `{query}`, `{path_and_query}`, `{host}`, `{url}`, `{timestamp}`,
    /// `{nonce}`, `{body}`, `{body_sha256}` and `{header:NAME}`. Default: `"{method}\n{path_and_query}\n{timestamp}\n{body}"`.
    pub sign: Option<String>,
    /// The hash. Default: `sha256`.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// How the signature is written. Default: `hex`.
    #[serde(default)]
    pub encoding: Encoding,
    /// The header of the signature. Default: `X-Signature`, without prefix.
    pub signature: Option<SignatureHeader>,
    /// The header of the timestamp, which is sent when it is signed. Default: `X-Timestamp`, in seconds.
    pub timestamp: Option<TimestampHeader>,
    /// The header of a random text that is never used twice, which is sent when it is signed. Default: `X-Nonce`.
    pub nonce: Option<NamedHeader>,
    /// The header that says which key was used. Default: none is sent.
    pub key_id: Option<KeyId>,
}

/// Hash of an HMAC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// HMAC-SHA256.
    #[default]
    Sha256,
    /// HMAC-SHA1, for services that know nothing better.
    Sha1,
    /// HMAC-SHA512.
    Sha512,
}

/// How the bytes of a signature are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Lower-case hexadecimal.
    #[default]
    Hex,
    /// Base64 with padding.
    Base64,
}

/// Where the signature goes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SignatureHeader {
    /// Name of the header.
    pub header: String,
    /// Text before the signature, such as `v0=`. Default: none.
    #[serde(default)]
    pub prefix: String,
}

/// Where the timestamp goes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimestampHeader {
    /// Name of the header.
    pub header: String,
    /// How the time is written. Default: `seconds`.
    #[serde(default)]
    pub format: TimeFormat,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeFormat {
    /// Whole seconds since 1970.
    #[default]
    Seconds,
    /// Whole milliseconds since 1970.
    Milliseconds,
    /// Date and time in UTC (RFC 3339).
    Rfc3339,
}

/// The name of a header.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedHeader {
    /// Name of the header.
    pub header: String,
}

/// Which key signs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyId {
    /// Name of the header.
    pub header: String,
    /// The key's id.
    pub value: Template,
}
