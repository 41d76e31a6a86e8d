//! What the server said, read whole.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::body::{MediaType, charset};
use crate::history::History;
use crate::redact::Redactor;
use crate::{Error, Kind, Response};

/// An answer with its whole body: the result of a call, or the server's last word kept with an [`Error`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer {
    /// The status line's code.
    pub status: StatusCode,
    /// All headers of the answer.
    pub headers: HeaderMap,
    /// The body, up to the bound on response size.
    pub body: Bytes,
    /// The attempts that led to it, where retries were in play.
    pub history: History,
    /// The service's own error code, where the service says where it stands.
    pub code: Option<String>,
    /// The service's own message.
    pub message: Option<String>,
    /// After this 401 the credentials were renewed: trying once more can help.
    pub credentials_renewed: bool,
}

impl Answer {
    /// An answer that nothing more is known of.
    #[must_use]
    pub fn new(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self {
            status,
            headers,
            body,
            history: History::default(),
            code: None,
            message: None,
            credentials_renewed: false,
        }
    }

    /// Reads `response` whole.
    ///
    /// # Errors
    /// [`Kind::TooLarge`] for a body of more than `max_bytes`; whatever the body fails with.
    pub async fn read(response: Response, max_bytes: usize) -> Result<Self, Error> {
        let (parts, body) = response.into_parts();
        Ok(Self::new(parts.status, parts.headers, body.collect(max_bytes).await?))
    }

    /// The body as JSON of type `T`.
    ///
    /// # Errors
    /// [`Kind::Decode`] with an excerpt of the body when it is not JSON or does not fit `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let text = self.text()?;
        serde_json::from_str(&text).map_err(|error| {
            let what = match (error.classify(), MediaType::of(&self.headers)) {
                (serde_json::error::Category::Data, _) => {
                    "the answer does not fit the type asked for".to_owned()
                }
                (_, Some(kind)) if !kind.is_json() => {
                    format!("the answer is not JSON but {}", kind.essence())
                }
                _ => "the answer is not JSON".to_owned(),
            };
            Error::new(Kind::Decode, what).because(error).answered(self.clone())
        })
    }

    /// The body as text, by the charset of its `Content-Type`; UTF-8 where it names none.
    ///
    /// # Errors
    /// [`Kind::Decode`] for an unknown charset and for bytes that are not text in it.
    pub fn text(&self) -> Result<Cow<'_, str>, Error> {
        charset::decode(&self.body, &self.headers)
    }

    /// The body as JSON, and null for an empty body.
    ///
    /// # Errors
    /// [`Kind::Decode`] as [`json`](Self::json).
    pub fn value(&self) -> Result<Value, Error> {
        if self.body.is_empty() { Ok(Value::Null) } else { self.json() }
    }

    /// The id under which the server knows the exchange, from the headers commonly used for it.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        REQUEST_ID_HEADERS.iter().find_map(|name| self.headers.get(*name)?.to_str().ok())
    }

    /// The first bytes of the body on one line, secrets blanked.
    #[must_use]
    pub fn excerpt(&self) -> String {
        excerpt(&self.body)
    }
}

const REQUEST_ID_HEADERS: [&str; 6] = [
    "request-id",
    "x-request-id",
    "x-github-request-id",
    "x-slack-req-id",
    "x-message-id",
    "x-amzn-requestid",
];

const EXCERPT_CHARS: usize = 300;

/// The first characters of `body` on one line, secrets blanked.
#[must_use]
pub fn excerpt(body: &[u8]) -> String {
    // Redacted before it is cut, for a cut secret would not be recognised any more, and also as it is shown: without its control
    // characters and double spaces an echo may be a secret that it was not before.
    let redactor = Redactor::global();
    let clean = redactor.redact_bytes(body);
    let text = String::from_utf8_lossy(&clean);
    let mut line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.retain(|c| !c.is_control());
    let mut line = redactor.redact(&line).into_owned();
    if let Some((cut, _)) = line.char_indices().nth(EXCERPT_CHARS) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_shows_no_secret_that_an_echo_was_spread_out_in() {
        let _secret = crate::Secret::from("made-up excerpt key");
        for body in ["<made-up excerpt key>", "<made-up  excerpt\n key>", "<made\u{7}-up excerpt key>"] {
            assert_eq!(excerpt(body.as_bytes()), "<***>", "{body:?}");
        }
    }

    #[test]
    fn an_excerpt_is_one_line_of_some_length() {
        assert_eq!(excerpt(b" a\r\n\tb\x1b[1m "), "a b[1m");
        assert_eq!(excerpt("ö".repeat(301).as_bytes()), format!("{}…", "ö".repeat(300)));
    }
}
