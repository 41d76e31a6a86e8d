//! How a service knows who calls: the key `auth`, one file a scheme.

mod api_key;
mod basic;
mod hmac;
mod oauth2;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::template::Template;

pub use api_key::{ApiKey, KeyPlace};
pub use basic::Basic;
pub use hmac::{Algorithm, Encoding, Hmac, KeyId, NamedHeader, SignatureHeader, TimeFormat, TimestampHeader};
pub use oauth2::{ClientAuth, GitHubApp, GoogleServiceAccount, Grant, OAuth2, Statement, TokenExchange};

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
    /// A signature over each request.
    Hmac(Hmac),
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
            Self::Hmac(_) => "hmac",
        }
    }

    /// The names X of every `{{ env.X }}` in it.
    #[must_use]
    pub fn variables(&self) -> BTreeSet<String> {
        let variables = self.templates().into_iter().flat_map(Template::variables);
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
        }
    }
}
