//! The key `auth.api_key`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::template::Template;

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
        crate::model::only(places.into_iter().flatten())
    }
}
