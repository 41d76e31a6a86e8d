//! Headers and bodies as they are shown.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use nuncio_client::Redactor;
use nuncio_client::redact::BLANK;
use nuncio_relay::Headers;
use schemars::JsonSchema;
use serde::Serialize;

/// A header.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Header {
    /// Its name.
    pub(crate) name: String,
    /// Its value; what is no text in it is left out.
    pub(crate) value: String,
}

/// Headers, secrets blanked: some providers send theirs along.
pub(crate) fn headers(headers: &Headers) -> Vec<Header> {
    let shown = |(name, value): &(String, bytes::Bytes)| {
        let value = Redactor::global().redact(&String::from_utf8_lossy(value)).into_owned();
        let is_credential =
            matches!(&*name.to_ascii_lowercase(), "authorization" | "cookie" | "proxy-authorization");
        Header { name: name.clone(), value: if is_credential { BLANK.to_owned() } else { value } }
    };
    headers.0.iter().map(shown).collect()
}

/// A body: as text if it is, and else in base64.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Content {
    /// Text.
    Text {
        /// It.
        body: String,
    },
    /// Bytes.
    Bytes {
        /// They.
        body_base64: String,
    },
}

impl Content {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text { body: text.to_owned() },
            Err(_) => Self::Bytes { body_base64: BASE64_STANDARD.encode(bytes) },
        }
    }
}
