//! What is signed.

use std::borrow::Cow;
use std::str::FromStr;

use http::{HeaderMap, HeaderName};
use sha2::{Digest as _, Sha256};

use crate::Error;

/// The text that is signed, with names in braces for the parts of the request; everything else stands for itself.
///
/// | name | stands for |
/// |---|---|
/// | `{method}` | the method in capitals |
/// | `{path}` | the path as on the wire, percent-encoded |
/// | `{query}` | the query without `?`, nothing when there is none |
/// | `{path_and_query}` | both, with `?` where there is a query |
/// | `{host}` | the host, with the port unless it is the scheme's own |
/// | `{url}` | the whole URL |
/// | `{timestamp}` | the time, as it is sent |
/// | `{nonce}` | the nonce, as it is sent |
/// | `{body}` | the bytes of the body |
/// | `{body_sha256}` | their SHA-256 in lower-case hex |
/// | `{header:NAME}` | a header of the request; several of that name are joined by `, ` |
///
/// An opening brace cannot stand for itself. The default is `{method}\n{path_and_query}\n{timestamp}\n{body}`.
///
/// ```
/// use nuncio_client::auth::hmac::Template;
///
/// let unknown = "{method} {uri}".parse::<Template>().unwrap_err();
/// assert_eq!(unknown.to_string(), "the signature's template has an unknown part {uri}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Method,
    Path,
    Query,
    PathAndQuery,
    Host,
    Url,
    Timestamp,
    Nonce,
    Body,
    BodySha256,
    Header(HeaderName),
}

/// The parts of one request, as they go on the wire.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// `GET`
    pub method: &'a str,
    /// `https://api.example.com`, without the scheme's own port.
    pub origin: &'a str,
    /// `/v1/items?page=2`
    pub path_and_query: &'a str,
    /// As sent.
    pub timestamp: &'a str,
    /// As sent.
    pub nonce: &'a str,
    /// All headers but the signature.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a [u8],
}

impl Template {
    /// The bytes that are signed for `parts`.
    ///
    /// ```
    /// use nuncio_client::auth::hmac::{Parts, Template};
    ///
    /// let parts = Parts {
    ///     method: "POST",
    ///     origin: "https://api.example.com",
    ///     path_and_query: "/v1/items?dry=1",
    ///     timestamp: "1760000000",
    ///     nonce: "",
    ///     headers: &http::HeaderMap::new(),
    ///     body: b"{}",
    /// };
    /// assert_eq!(Template::default().string_to_sign(&parts)?, b"POST\n/v1/items?dry=1\n1760000000\n{}");
    /// # Ok::<(), nuncio_client::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when the template names a header that `parts` does not have.
    pub fn string_to_sign(&self, parts: &Parts<'_>) -> Result<Vec<u8>, Error> {
        let mut text = Vec::new();
        for part in &self.0 {
            text.extend_from_slice(&part.bytes(parts)?);
        }
        Ok(text)
    }

    pub(super) fn signs_timestamp(&self) -> bool {
        self.0.contains(&Part::Timestamp)
    }

    pub(super) fn signs_nonce(&self) -> bool {
        self.0.contains(&Part::Nonce)
    }

    pub(super) fn signs_body(&self) -> bool {
        self.0.contains(&Part::Body) || self.0.contains(&Part::BodySha256)
    }
}

impl Default for Template {
    fn default() -> Self {
        "{method}\n{path_and_query}\n{timestamp}\n{body}".parse().expect("all its parts are known")
    }
}

impl FromStr for Template {
    type Err = Error;

    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for an unknown part or a brace that is not closed.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, opened)) = rest.split_once('{') {
            let (name, after) = opened.split_once('}').ok_or_else(|| {
                Error::configuration("the signature's template has an opening brace without a closing one")
            })?;
            parts.extend(Part::literal(literal));
            parts.push(Part::named(name)?);
            rest = after;
        }
        parts.extend(Part::literal(rest));
        Ok(Self(parts))
    }
}

impl Part {
    fn literal(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self::Literal(text.to_owned()))
    }

    fn named(name: &str) -> Result<Self, Error> {
        Ok(match name {
            "method" => Self::Method,
            "path" => Self::Path,
            "query" => Self::Query,
            "path_and_query" => Self::PathAndQuery,
            "host" => Self::Host,
            "url" => Self::Url,
            "timestamp" => Self::Timestamp,
            "nonce" => Self::Nonce,
            "body" => Self::Body,
            "body_sha256" => Self::BodySha256,
            _ => Self::header(name).ok_or_else(|| unknown(name))?,
        })
    }

    fn header(name: &str) -> Option<Self> {
        name.strip_prefix("header:")?.parse().ok().map(Self::Header)
    }

    fn bytes<'a>(&'a self, parts: &Parts<'a>) -> Result<Cow<'a, [u8]>, Error> {
        let (path, query) = parts.path_and_query.split_once('?').unwrap_or((parts.path_and_query, ""));
        Ok(Cow::Borrowed(match self {
            Self::Literal(literal) => literal.as_bytes(),
            Self::Method => parts.method.as_bytes(),
            Self::Path => path.as_bytes(),
            Self::Query => query.as_bytes(),
            Self::PathAndQuery => parts.path_and_query.as_bytes(),
            Self::Host => parts.origin.split_once("://").map_or(parts.origin, |(_, host)| host).as_bytes(),
            Self::Url => return Ok([parts.origin, parts.path_and_query].concat().into_bytes().into()),
            Self::Timestamp => parts.timestamp.as_bytes(),
            Self::Nonce => parts.nonce.as_bytes(),
            Self::Body => parts.body,
            Self::BodySha256 => return Ok(hex::encode(Sha256::digest(parts.body)).into_bytes().into()),
            Self::Header(name) => return header(parts.headers, name).map(Cow::Owned),
        }))
    }
}

fn unknown(name: &str) -> Error {
    Error::configuration(format!("the signature's template has an unknown part {{{name}}}")).advise(
        "known are {method}, {path}, {query}, {path_and_query}, {host}, {url}, {timestamp}, {nonce}, {body}, {body_sha256} \
         and {header:NAME}",
    )
}

fn header(headers: &HeaderMap, name: &HeaderName) -> Result<Vec<u8>, Error> {
    let values: Vec<&[u8]> = headers.get_all(name).iter().map(http::HeaderValue::as_bytes).collect();
    if values.is_empty() {
        return Err(Error::configuration(format!(
            "the signature signs the header {name}, which the request does not have"
        ))
        .advise("set the header, or leave it out of the template"));
    }
    Ok(values.join(&b", "[..]))
}
