//! The key `auth.basic`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::template::Template;

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
