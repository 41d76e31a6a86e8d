//! What is signed, as a template.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What is signed, written as a template: `{timestamp}.{body}`.
///
/// The parts are `{body}`, `{timestamp}` and `{id}` as they were sent, `{method}`, `{url}`, `{form}` (the pairs of a form, decoded, each once,
/// sorted by name and value, without anything between), `{header:NAME}`, `{json:POINTER}`, `{query:NAME}` and `{setting:NAME}`, which the receiver
/// knows. All else is text.
///
/// ```
/// use nuncio_webhook::Signed;
///
/// let signed: Signed = "v0:{timestamp}:{body}".parse()?;
/// assert_eq!(signed.to_string(), "v0:{timestamp}:{body}");
/// assert_eq!("{bdoy}".parse::<Signed>().unwrap_err().to_string(), "there is no part {bdoy} of a request to sign");
/// # Ok::<(), nuncio_webhook::UnknownPart>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signed(Vec<Part>);

/// A part of what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// This text.
    Text(String),
    /// The body, byte for byte.
    Body,
    /// The timestamp as it was sent.
    Timestamp,
    /// The id as it was sent.
    Id,
    /// The method, in capitals.
    Method,
    /// The URL as the provider sees it.
    Url,
    /// The sorted pairs of a form. Nothing for an empty body; a body of another type is refused, since nothing would cover it.
    Form,
    /// The value of a header.
    Header(String),
    /// A text or number of the body, by pointer (RFC 6901).
    Json(String),
    /// A value of the query, percent-decoded.
    Query(String),
    /// A value that the receiver knows, by name.
    Setting(String),
}

/// A template that names a part that does not exist, or has a brace without its pair.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no part {{{0}}} of a request to sign")]
pub struct UnknownPart(String);

impl Signed {
    /// Its parts, in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.0
    }
}

impl FromStr for Signed {
    type Err = UnknownPart;

    fn from_str(mut text: &str) -> Result<Self, UnknownPart> {
        let mut parts = Vec::new();
        while !text.is_empty() {
            let Some((before, rest)) = text.split_once('{') else {
                parts.push(Part::Text(text.to_owned()));
                break;
            };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let (name, rest) = rest.split_once('}').ok_or_else(|| UnknownPart(rest.to_owned()))?;
            parts.push(part(name).ok_or_else(|| UnknownPart(name.to_owned()))?);
            text = rest;
        }
        Ok(Self(parts))
    }
}

fn part(name: &str) -> Option<Part> {
    Some(match name.split_once(':') {
        Some(("header", name)) => Part::Header(name.to_owned()),
        Some(("json", pointer)) => Part::Json(pointer.to_owned()),
        Some(("query", name)) => Part::Query(name.to_owned()),
        Some(("setting", name)) => Part::Setting(name.to_owned()),
        Some(_) => return None,
        None => match name {
            "body" => Part::Body,
            "timestamp" => Part::Timestamp,
            "id" => Part::Id,
            "method" => Part::Method,
            "url" => Part::Url,
            "form" => Part::Form,
            _ => return None,
        },
    })
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Body => f.write_str("{body}"),
            Part::Timestamp => f.write_str("{timestamp}"),
            Part::Id => f.write_str("{id}"),
            Part::Method => f.write_str("{method}"),
            Part::Url => f.write_str("{url}"),
            Part::Form => f.write_str("{form}"),
            Part::Header(name) => write!(f, "{{header:{name}}}"),
            Part::Json(pointer) => write!(f, "{{json:{pointer}}}"),
            Part::Query(name) => write!(f, "{{query:{name}}}"),
            Part::Setting(name) => write!(f, "{{setting:{name}}}"),
        })
    }
}

impl TryFrom<String> for Signed {
    type Error = UnknownPart;

    fn try_from(text: String) -> Result<Self, UnknownPart> {
        text.parse()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Signed {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Signed".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

impl From<Signed> for String {
    fn from(signed: Signed) -> Self {
        signed.to_string()
    }
}
