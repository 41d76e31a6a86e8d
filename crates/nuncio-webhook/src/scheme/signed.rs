//! What is signed, as a template.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What is signed, written as a template: `{timestamp}.{body}`.
///
/// The parts are `{body}`, `{timestamp}` and `{id}` as they were sent, `{body:crc32}` (the CRC-32 of the body in decimal), `{method}`, `{url}`, `{path}`
/// (that of the URL, with its query), `{form}` (the pairs of a form, decoded, each once, sorted by name and value, without anything between),
/// `{header-names}` and `{named-headers}` (of those that the scheme's `headers` tells of), `{header:NAME}`, `{json:POINTER}`, `{json-escaped:POINTER}` (with a backslash before
/// each backslash and colon), `{query:NAME}` and `{setting:NAME}`, which the receiver
/// knows. What stands in brackets is left out when the request does not have a part of it: `[Subject: {json:/Subject}]`. All else is text.
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
    /// The CRC-32 of the body (IEEE 802.3) in decimal, for vendors who sign no more of it. Anybody can make another body with the same.
    BodyCrc32,
    /// The timestamp as it was sent.
    Timestamp,
    /// The id as it was sent.
    Id,
    /// The method, in capitals.
    Method,
    /// The URL as the provider sees it.
    Url,
    /// The path of the URL, with its query.
    Path,
    /// The names of the headers that the request names to be signed, as they were sent.
    HeaderNames,
    /// Those headers.
    NamedHeaders,
    /// The sorted pairs of a form. Nothing for an empty body; a body of another type is refused, since nothing would cover it.
    Form,
    /// The value of a header.
    Header(String),
    /// A text or number of the body, by pointer (RFC 6901).
    Json(String),
    /// Likewise, with a backslash before each backslash and colon, for vendors who join fields by colons.
    JsonEscaped(String),
    /// A value of the query, percent-decoded.
    Query(String),
    /// A value that the receiver knows, by name.
    Setting(String),
    /// These, or nothing at all when the request does not have one of them. What it has but cannot be read is no reason to leave them out.
    Optional(Vec<Part>),
}

/// A template that names a part that does not exist, or has a brace or bracket without its pair.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no part {{{0}}} of a request to sign")]
pub struct UnknownPart(String);

impl Signed {
    /// Its parts, in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The settings that it names.
    pub(super) fn settings(&self) -> impl Iterator<Item = &String> {
        let parts = self.0.iter().flat_map(|part| match part {
            Part::Optional(parts) => parts.as_slice(),
            part => std::slice::from_ref(part),
        });
        parts.filter_map(|part| match part {
            Part::Setting(name) => Some(name),
            _ => None,
        })
    }
}

impl FromStr for Signed {
    type Err = UnknownPart;

    fn from_str(mut text: &str) -> Result<Self, UnknownPart> {
        let parts = parts(&mut text)?;
        if text.is_empty() { Ok(Self(parts)) } else { Err(UnknownPart(text.to_owned())) }
    }
}

/// The parts up to the end of the text, or up to the bracket that ends them.
fn parts(text: &mut &str) -> Result<Vec<Part>, UnknownPart> {
    let mut found = Vec::new();
    loop {
        let (before, rest) = text.split_at(text.find(['{', '[', ']']).unwrap_or(text.len()));
        if !before.is_empty() {
            found.push(Part::Text(before.to_owned()));
        }
        *text = rest;
        if let Some(rest) = text.strip_prefix('{') {
            let (name, rest) = rest.split_once('}').ok_or_else(|| UnknownPart(rest.to_owned()))?;
            found.push(part(name).ok_or_else(|| UnknownPart(name.to_owned()))?);
            *text = rest;
        } else if let Some(rest) = text.strip_prefix('[') {
            *text = rest;
            // No brackets within brackets: what is optional is a few parts, and a template from outside is not to nest without end.
            let end = rest.find([']', '[']).filter(|end| rest[*end..].starts_with(']'));
            let (mut inner, rest) = rest.split_at(end.ok_or_else(|| UnknownPart(rest.to_owned()))?);
            found.push(Part::Optional(parts(&mut inner)?));
            *text = &rest[1..];
        } else {
            return Ok(found);
        }
    }
}

fn part(name: &str) -> Option<Part> {
    Some(match name.split_once(':') {
        Some(("body", "crc32")) => Part::BodyCrc32,
        Some(("header", name)) => Part::Header(name.to_owned()),
        Some(("json", pointer)) => Part::Json(pointer.to_owned()),
        Some(("json-escaped", pointer)) => Part::JsonEscaped(pointer.to_owned()),
        Some(("query", name)) => Part::Query(name.to_owned()),
        Some(("setting", name)) => Part::Setting(name.to_owned()),
        Some(_) => return None,
        None => match name {
            "body" => Part::Body,
            "timestamp" => Part::Timestamp,
            "id" => Part::Id,
            "method" => Part::Method,
            "url" => Part::Url,
            "path" => Part::Path,
            "header-names" => Part::HeaderNames,
            "named-headers" => Part::NamedHeaders,
            "form" => Part::Form,
            _ => return None,
        },
    })
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| part.fmt(f))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Body => f.write_str("{body}"),
            Self::BodyCrc32 => f.write_str("{body:crc32}"),
            Self::Timestamp => f.write_str("{timestamp}"),
            Self::Id => f.write_str("{id}"),
            Self::Method => f.write_str("{method}"),
            Self::Url => f.write_str("{url}"),
            Self::Path => f.write_str("{path}"),
            Self::HeaderNames => f.write_str("{header-names}"),
            Self::NamedHeaders => f.write_str("{named-headers}"),
            Self::Form => f.write_str("{form}"),
            Self::Header(name) => write!(f, "{{header:{name}}}"),
            Self::Json(pointer) => write!(f, "{{json:{pointer}}}"),
            Self::JsonEscaped(pointer) => write!(f, "{{json-escaped:{pointer}}}"),
            Self::Query(name) => write!(f, "{{query:{name}}}"),
            Self::Setting(name) => write!(f, "{{setting:{name}}}"),
            Self::Optional(parts) => {
                f.write_str("[")?;
                parts.iter().try_for_each(|part| part.fmt(f))?;
                f.write_str("]")
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_written_as_it_was_read() {
        for text in [
            "",
            "a",
            "{body:crc32}|{setting:id}",
            "{path}{header-names}{named-headers}",
            "a[b{json:/c}\n]d[{header:E}]",
            "[]",
            "{json:/a~1b}:",
        ] {
            assert_eq!(text.parse::<Signed>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_bracket_or_brace_without_its_pair_is_an_error() {
        for text in ["[", "]", "a]b", "[a[b]]", "[a", "{body", "[{body]}", "{body:md5}"] {
            assert!(text.parse::<Signed>().is_err(), "{text}");
        }
    }
}
