//! The key `auth.jwt`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Key;
use crate::model::Span;
use crate::template::Template;

/// A bearer token that is signed here (RFC 7519) and made anew before it expires. `iat`, `exp` and `jti` are added.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Jwt {
    /// What signs.
    pub key: Key,
    /// How: `HS256`, `HS384`, `HS512`, `RS256`, `RS384`, `RS512`, `PS256`, `PS384`, `PS512`, `ES256`, `ES384` or `EdDSA`. Default: `HS256` for a
    /// secret, `RS256`, `ES256`, `ES384` or `EdDSA` for a private key.
    pub algorithm: Option<String>,
    /// Which key it is, as `kid` in the token's header. Default: not said.
    pub key_id: Option<Template>,
    /// The claims, such as `iss`, `sub` and `aud`. A text that is one expression takes its type.
    #[serde(default)]
    pub claims: BTreeMap<String, Template>,
    /// How long each token is good for. Default: `5m`.
    pub lifetime: Option<Span>,
    /// How far in the past a token says that it was made, for services with a slow clock. Default: not at all.
    pub backdated: Option<Span>,
}
