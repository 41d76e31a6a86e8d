//! The key `auth.session`.

use std::collections::BTreeMap;

use nuncio_client::json;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::Span;
use crate::template::Template;

/// One operation logs in, and what it answers authorises the others, until the service answers 401. Exactly one of `token` and `cookie`
/// says what that is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The operation that logs in. It needs `auth: none`.
    pub login: String,
    /// Its inputs, such as `{ password: "{{ env.SHOP_PASSWORD }}" }`.
    #[serde(default)]
    pub input: BTreeMap<String, Template>,
    /// Where the token stands in its answer.
    #[schemars(with = "Option<String>")]
    pub token: Option<json::Path>,
    /// Name of the cookie that it sets.
    pub cookie: Option<String>,
    /// The header that carries the token. Default: `Authorization`.
    pub header: Option<String>,
    /// Text before the token. Default: `"Bearer "` in `Authorization`, nothing in another header.
    pub prefix: Option<String>,
    /// How long a session is good for. Default: until the service answers 401.
    pub lifetime: Option<Span>,
}

impl Session {
    /// The header that carries the credential, and the text before it.
    #[must_use]
    pub fn place(&self) -> (&str, String) {
        match (&self.cookie, &self.header) {
            (Some(cookie), _) => ("cookie", format!("{cookie}=")),
            (None, Some(header)) => (header, self.prefix.clone().unwrap_or_default()),
            (None, None) => ("authorization", self.prefix.clone().unwrap_or_else(|| "Bearer ".to_owned())),
        }
    }
}
