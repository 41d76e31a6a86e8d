//! A request as signatures see it.

use std::borrow::Cow;

use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{Error, Request};

/// A request, taken apart as it goes on the wire, for those who sign it and those who verify it.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// `GET`
    pub method: &'a str,
    /// `https`
    pub scheme: &'a str,
    /// The host in small letters, with the port unless it is the scheme's own.
    pub authority: Cow<'a, str>,
    /// The path, percent-encoded, at least `/`.
    pub path: &'a str,
    /// The query, percent-encoded, without `?`.
    pub query: Option<&'a str>,
    /// The headers, those of signatures included.
    pub headers: &'a HeaderMap,
    /// The whole body; nothing for one that is not held in memory.
    pub body: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    /// The parts of `request`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when its URL is not absolute.
    pub fn of(request: &'a Request) -> Result<Self, Error> {
        let uri = request.uri();
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(Error::configuration("a request without an absolute URL cannot be signed"));
        };
        let host = authority.host().to_ascii_lowercase();
        let authority = match authority.port_u16() {
            Some(port) if Some(port) != default_port(scheme) => format!("{host}:{port}"),
            _ => host,
        };
        Ok(Self {
            method: request.method().as_str(),
            scheme,
            authority: authority.into(),
            path: uri.path(),
            query: uri.query(),
            headers: request.headers(),
            body: request.body().as_bytes(),
        })
    }

    /// Path and query.
    #[must_use]
    pub fn path_and_query(&self) -> Cow<'a, str> {
        match self.query {
            Some(query) => format!("{}?{query}", self.path).into(),
            None => self.path.into(),
        }
    }

    /// The one value of the header `name`, several joined by `, ` (RFC 9110, section 5.3), without space around each.
    pub(super) fn header(&self, name: &HeaderName) -> Option<String> {
        let values = self.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        let values: Vec<String> = values.map(|value| value.trim().to_owned()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// `uri` with another path and query.
pub(super) fn with_path_and_query(uri: &Uri, path_and_query: String) -> Result<Uri, Error> {
    let unusable = |error: http::Error| {
        Error::configuration("the URL cannot be written for its signature").because(error)
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query =
        Some(PathAndQuery::try_from(path_and_query).map_err(|error| unusable(error.into()))?);
    Uri::from_parts(parts).map_err(|error| unusable(error.into()))
}

/// `text` as a header value that is marked sensitive: whoever has it can repeat the request.
pub(super) fn sensitive(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Error::configuration("a signature has a character that a header cannot carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::testing::get;

    #[test]
    fn a_request_is_seen_as_the_wire_writes_it() {
        let request = get("https://API.example.com:443?q=it's");
        let message = Message::of(&request).unwrap();
        assert_eq!((message.scheme, &*message.authority), ("https", "api.example.com"));
        assert_eq!((message.path, message.query), ("/", Some("q=it's")));
        assert_eq!(message.path_and_query(), "/?q=it's");

        let request = get("http://user@[::1]:8080/a%2Fb");
        let message = Message::of(&request).unwrap();
        assert_eq!((&*message.authority, message.path, message.query), ("[::1]:8080", "/a%2Fb", None));
    }

    #[test]
    fn a_request_without_a_host_cannot_be_signed() {
        let request = get("/only/a/path");
        assert_eq!(
            Message::of(&request).unwrap_err().to_string(),
            "a request without an absolute URL cannot be signed"
        );
    }
}
