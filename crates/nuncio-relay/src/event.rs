//! Events: what arrived, and what is to be told.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::EventId;

/// Where an event comes from.
///
/// ```
/// use nuncio_relay::Origin;
///
/// let origin: Origin = "source/github".parse()?;
/// assert_eq!(origin, Origin::Source("github".to_owned()));
/// assert_eq!(Origin::Application("acme".to_owned()).to_string(), "application/acme");
/// # Ok::<(), nuncio_relay::NotAnOrigin>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Origin {
    /// A source: somebody's webhook arrived.
    Source(String),
    /// An application: it told us of the event, so that its endpoints are told.
    Application(String),
    /// A schedule: it called a service.
    Schedule(String),
    /// The relay itself: an endpoint was disabled, a delivery given up.
    Relay,
}

/// A text that names no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no origin of events: it is source/NAME, application/NAME, schedule/NAME or relay")]
pub struct NotAnOrigin(String);

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(name) => write!(f, "source/{name}"),
            Self::Application(name) => write!(f, "application/{name}"),
            Self::Schedule(name) => write!(f, "schedule/{name}"),
            Self::Relay => f.write_str("relay"),
        }
    }
}

impl FromStr for Origin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        match text.split_once('/') {
            Some(("source", name)) if !name.is_empty() => Ok(Self::Source(name.to_owned())),
            Some(("application", name)) if !name.is_empty() => Ok(Self::Application(name.to_owned())),
            Some(("schedule", name)) if !name.is_empty() => Ok(Self::Schedule(name.to_owned())),
            None if text == "relay" => Ok(Self::Relay),
            _ => Err(NotAnOrigin(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Origin {
    type Error = NotAnOrigin;

    fn try_from(text: String) -> Result<Self, NotAnOrigin> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.to_string()
    }
}

/// What arrived, or is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Where it comes from.
    pub origin: Origin,
    /// What kind of event it is, such as `invoice.paid`; empty where the origin does not say.
    pub event_type: String,
    /// When it was stored.
    pub at: Timestamp,
    /// The headers that it arrived with.
    pub headers: Headers,
    /// Its body, byte for byte.
    pub body: Bytes,
}

/// Headers as they arrived: in their order, repeated ones too, values byte for byte.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(pub Vec<(String, Bytes)>);

impl Headers {
    /// The value of the first header of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_ref())
    }

    /// The field lines of HTTP/1.1 (RFC 9112, section 5), which hold every value that can arrive.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut lines =
            Vec::with_capacity(self.0.iter().map(|(name, value)| name.len() + value.len() + 4).sum());
        for (name, value) in &self.0 {
            lines.extend_from_slice(name.as_bytes());
            lines.extend_from_slice(b": ");
            lines.extend_from_slice(value);
            lines.extend_from_slice(b"\r\n");
        }
        lines
    }

    /// What [`to_bytes`](Self::to_bytes) wrote.
    pub(crate) fn from_bytes(lines: &[u8]) -> Self {
        let mut headers = Vec::new();
        let mut rest = lines;
        while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
            let line = &rest[..end];
            if let Some(colon) = line.windows(2).position(|pair| pair == b": ") {
                let name = String::from_utf8_lossy(&line[..colon]).into_owned();
                headers.push((name, Bytes::copy_from_slice(&line[colon + 2..])));
            }
            rest = &rest[end + 2..];
        }
        Self(headers)
    }
}

impl From<&http::HeaderMap> for Headers {
    fn from(map: &http::HeaderMap) -> Self {
        let copy = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes()))
        };
        Self(map.iter().map(copy).collect())
    }
}

impl nuncio_webhook::Headers for Headers {
    fn values(&self, name: &str) -> Vec<&[u8]> {
        let named = |(other, _): &&(String, Bytes)| other.eq_ignore_ascii_case(name);
        self.0.iter().filter(named).map(|(_, value)| value.as_ref()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What can stand in a header is told by the `http` crate, whose types everything that arrives has gone through.
        #[test]
        fn headers_are_read_as_they_were_written(
            headers in proptest::collection::vec(("[a-z][a-z0-9-]{0,8}", proptest::collection::vec(any::<u8>(), 0..20)), 0..6),
        ) {
            let valid = |value: &Vec<u8>| http::HeaderValue::from_bytes(value).is_ok();
            let headers = Headers(
                headers.into_iter().filter(|(_, value)| valid(value)).map(|(name, value)| (name, value.into())).collect(),
            );
            prop_assert_eq!(Headers::from_bytes(&headers.to_bytes()), headers);
        }
    }
}
