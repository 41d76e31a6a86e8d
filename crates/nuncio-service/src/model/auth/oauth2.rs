//! The key `auth.oauth2`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::template::Template;

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
