//! The key `auth.digest`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::template::Template;

/// User and password by Digest (RFC 7616): of the password only hashes are sent, after the service has asked.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    /// The user.
    pub user: Template,
    /// The password.
    pub password: Template,
}
