//! How a service knows who calls: the key `auth`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::template::Template;

/// How calls prove who makes them. Write `none` or one key.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// Nothing is sent.
    #[default]
    None,
    /// A key in a header, the query or a cookie.
    ApiKey(ApiKey),
    /// User and password (RFC 7617).
    Basic(Basic),
    /// A token in `Authorization: Bearer` (RFC 6750).
    Bearer(Template),
    /// A token got with OAuth 2.0 client credentials (RFC 6749 §4.4), kept until shortly before it expires.
    #[serde(rename = "oauth2")]
    OAuth2(OAuth2),
    /// A signature over each request.
    Hmac(Hmac),
}

impl Auth {
    /// Everything in it that is a template.
    #[must_use]
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            Self::None => Vec::new(),
            Self::ApiKey(key) => vec![&key.value],
            Self::Basic(basic) => vec![&basic.user, &basic.password],
            Self::Bearer(token) => vec![token],
            Self::OAuth2(oauth2) => [&oauth2.token_url, &oauth2.client_id, &oauth2.client_secret]
                .into_iter()
                .chain(&oauth2.audience)
                .chain(oauth2.params.values())
                .collect(),
            Self::Hmac(hmac) => {
                let key_id = hmac.key_id.as_ref().map(|key_id| &key_id.value);
                [&hmac.secret].into_iter().chain(key_id).collect()
            }
        }
    }
}

/// A key, and where it goes: exactly one of `header`, `query` and `cookie`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// Name of the header that carries the key.
    pub header: Option<String>,
    /// Name of the query parameter that carries the key. Prefer a header: queries end up in logs.
    pub query: Option<String>,
    /// Name of the cookie that carries the key.
    pub cookie: Option<String>,
    /// The key, such as `{{ env.EXAMPLE_API_KEY }}`.
    pub value: Template,
    /// Text before the key, such as `"Token "`. Default: none.
    #[serde(default)]
    pub prefix: String,
}

/// Where an API key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPlace<'a> {
    /// The header of this name.
    Header(&'a str),
    /// The query parameter of this name.
    Query(&'a str),
    /// The cookie of this name.
    Cookie(&'a str),
}

impl ApiKey {
    /// Where the key goes; nothing unless exactly one place is there, which loading a file makes sure of.
    #[must_use]
    pub fn place(&self) -> Option<KeyPlace<'_>> {
        let places = [
            self.header.as_deref().map(KeyPlace::Header),
            self.query.as_deref().map(KeyPlace::Query),
            self.cookie.as_deref().map(KeyPlace::Cookie),
        ];
        super::only(places.into_iter().flatten())
    }
}

/// User and password.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// The user; some services want a key here.
    pub user: Template,
    /// The password. Default: empty.
    #[serde(default)]
    pub password: Template,
}

/// OAuth 2.0 client credentials.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OAuth2 {
    /// Where tokens come from; a path is relative to `base_url`.
    pub token_url: Template,
    /// The client's id.
    pub client_id: Template,
    /// The client's secret.
    pub client_secret: Template,
    /// Scopes to ask for. Default: none, the server chooses.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The parameter `audience`, which some servers want.
    pub audience: Option<Template>,
    /// Further parameters of the token request.
    #[serde(default)]
    pub params: BTreeMap<String, Template>,
    /// How id and secret are sent. Default: `basic`.
    #[serde(default)]
    pub client_auth: ClientAuth,
}

/// How the client proves itself to the token endpoint (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// In the `Authorization: Basic` header.
    #[default]
    Basic,
    /// As `client_id` and `client_secret` in the body.
    Body,
}

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
