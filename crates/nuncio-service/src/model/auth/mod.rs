//! How a service knows who calls: the key `auth`, one file a scheme.

mod api_key;
mod basic;
mod digest;
mod hmac;
mod jwt;
mod key;
mod message_signature;
mod oauth1;
mod oauth2;
mod session;
mod sigv4;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::template::Template;

pub use api_key::{ApiKey, KeyPlace};
pub use basic::Basic;
pub use digest::Digest;
pub use hmac::{Algorithm, Encoding, Hmac, KeyId, NamedHeader, SignatureHeader, TimeFormat, TimestampHeader};
pub use jwt::Jwt;
pub use key::{Key, SecretEncoding};
pub use message_signature::{ContentDigest, MessageSignature};
pub use oauth1::{OAuth1, OAuth1Method, OAuth1Placement};
pub use oauth2::{ClientAuth, GitHubApp, GoogleServiceAccount, Grant, OAuth2, Statement, TokenExchange};
pub use session::Session;
pub use sigv4::{Payload, SigV4};

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
    /// A token of OAuth 2.0 (RFC 6749), kept until shortly before it expires.
    #[serde(rename = "oauth2")]
    OAuth2(Box<OAuth2>),
    /// User and password by Digest (RFC 7616).
    Digest(Digest),
    /// A bearer token that is signed here (RFC 7519).
    Jwt(Jwt),
    /// A signature over each request.
    Hmac(Hmac),
    /// AWS Signature Version 4.
    #[serde(rename = "sigv4")]
    SigV4(SigV4),
    /// OAuth 1.0a (RFC 5849).
    #[serde(rename = "oauth1")]
    OAuth1(OAuth1),
    /// HTTP Message Signatures (RFC 9421).
    MessageSignature(MessageSignature),
    /// What one operation answers authorises the others.
    Session(Session),
}

impl Auth {
    /// Its key in the file: `none`, `bearer`, …
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ApiKey(_) => "api_key",
            Self::Basic(_) => "basic",
            Self::Bearer(_) => "bearer",
            Self::OAuth2(_) => "oauth2",
            Self::Digest(_) => "digest",
            Self::Jwt(_) => "jwt",
            Self::Hmac(_) => "hmac",
            Self::SigV4(_) => "sigv4",
            Self::OAuth1(_) => "oauth1",
            Self::MessageSignature(_) => "message_signature",
            Self::Session(_) => "session",
        }
    }

    /// Whether a person logs in, and the tokens of that are what calls carry.
    #[must_use]
    pub fn is_login(&self) -> bool {
        matches!(self, Self::OAuth2(oauth2) if oauth2.grant.is_login())
    }

    /// The names X of every `{{ env.X }}` in it that has no fallback.
    #[must_use]
    pub fn variables(&self) -> BTreeSet<String> {
        let variables = self.templates().into_iter().flat_map(Template::needs);
        variables.filter_map(|variable| variable.strip_prefix("env.").map(str::to_owned)).collect()
    }

    /// Everything in it that is a template.
    #[must_use]
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            Self::None => Vec::new(),
            Self::ApiKey(key) => vec![&key.value],
            Self::Basic(basic) => vec![&basic.user, &basic.password],
            Self::Bearer(token) => vec![token],
            Self::OAuth2(oauth2) => oauth2.templates(),
            Self::Hmac(hmac) => {
                let key_id = hmac.key_id.as_ref().map(|key_id| &key_id.value);
                [&hmac.secret].into_iter().chain(key_id).collect()
            }
            Self::Digest(digest) => vec![&digest.user, &digest.password],
            Self::Jwt(jwt) => {
                jwt.key.template().into_iter().chain(&jwt.key_id).chain(jwt.claims.values()).collect()
            }
            Self::SigV4(sigv4) => {
                let fixed = [&sigv4.access_key_id, &sigv4.secret_access_key, &sigv4.region, &sigv4.service];
                fixed.into_iter().chain(&sigv4.session_token).collect()
            }
            Self::OAuth1(oauth1) => {
                let fixed = [&oauth1.consumer_key, &oauth1.consumer_secret, &oauth1.token_secret];
                fixed.into_iter().chain(&oauth1.token).chain(&oauth1.private_key).collect()
            }
            Self::MessageSignature(it) => it.key.template().into_iter().chain(&it.key_id).collect(),
            Self::Session(session) => session.input.values().collect(),
        }
    }
}
