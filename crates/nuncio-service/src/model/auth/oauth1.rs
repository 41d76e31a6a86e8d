//! The key `auth.oauth1`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::template::Template;

/// OAuth 1.0a (RFC 5849): each request is signed for a consumer and a token.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OAuth1 {
    /// The consumer's key.
    pub consumer_key: Template,
    /// The consumer's secret. Default: empty, which only `rsa_sha1` allows.
    #[serde(default)]
    pub consumer_secret: Template,
    /// The token that stands for the user. Default: none.
    pub token: Option<Template>,
    /// The token's secret. Default: empty.
    #[serde(default)]
    pub token_secret: Template,
    /// How requests are signed. Default: `hmac_sha1`.
    #[serde(default)]
    pub method: OAuth1Method,
    /// The consumer's private key in PEM, for `rsa_sha1`.
    pub private_key: Option<Template>,
    /// Where the parameters go. Default: `header`.
    #[serde(default)]
    pub placement: OAuth1Placement,
    /// The realm that the header names. Default: none.
    pub realm: Option<String>,
}

/// How requests are signed (RFC 5849 §3.4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OAuth1Method {
    /// `HMAC-SHA1`
    #[default]
    HmacSha1,
    /// `HMAC-SHA256`
    HmacSha256,
    /// `HMAC-SHA512`
    HmacSha512,
    /// `RSA-SHA1`, with `private_key`
    RsaSha1,
    /// `PLAINTEXT`: the secrets as they are.
    Plaintext,
}

/// Where the parameters go (RFC 5849 §3.5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OAuth1Placement {
    /// Into `Authorization: OAuth`.
    #[default]
    Header,
    /// Into the query.
    Query,
    /// Into the body, which is a form or empty.
    Body,
}
