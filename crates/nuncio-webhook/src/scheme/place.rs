//! Where something stands in a request.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};

use super::is_default;
use super::text_or::TextOr;
use crate::jwt::Token;
use crate::{Refusal, Request, json};

/// A longer header is not read. The longest known has ten signatures of some 90 characters.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Where something stands in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RequestPlace"))]
pub enum Place {
    /// In a header.
    Header(HeaderPlace),
    /// In the JSON of the body, by pointer (RFC 6901): a text, or a number or truth value as it is written.
    Json(String),
    /// Likewise, but only a number.
    JsonNumber(String),
    /// In the claims of a JSON Web Token: a text, a number or a truth value.
    Claim(Claim),
    /// In the query of the URL, percent-decoded. Of several of one name the first counts.
    Query(String),
    /// The method, in capitals.
    Method,
}

/// The values at a place: one, or one for each secret during a rotation.
pub(crate) type Values<'r> = SmallVec<[Cow<'r, [u8]>; 2]>;

/// What of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Claim {
    /// The header that the token stands in.
    pub header: HeaderPlace,
    /// The claim, by pointer (RFC 6901).
    pub pointer: String,
}

/// What of a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "TextOr<Full>", into = "TextOr<Full>")]
pub struct HeaderPlace {
    /// Its name; of several names the first that the request has.
    pub names: Vec<String>,
    /// What separates the items of a list. Default: the header is one item.
    pub list: Option<Separator>,
    /// What stands before the value. An item without it is something else.
    pub prefix: String,
    /// Whether spaces and tabs may stand before an item.
    pub spaces: bool,
    /// Whether it is an error when more than one item of a list has the prefix.
    pub single: bool,
    /// How many headers there may be, of the name with `-1`, `-2` and so on after it. Default: one, of the name itself.
    pub numbered: Option<u8>,
}

/// One ASCII character between the items of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "char", into = "char")]
pub struct Separator(u8);

impl TryFrom<char> for Separator {
    type Error = &'static str;

    fn try_from(separator: char) -> Result<Self, Self::Error> {
        let ascii = u8::try_from(separator).ok().filter(u8::is_ascii);
        ascii.map(Self).ok_or("a separator is one ASCII character")
    }
}

impl Separator {
    pub(super) fn byte(self) -> u8 {
        self.0
    }
}

impl From<Separator> for char {
    fn from(separator: Separator) -> Self {
        Self::from(separator.0)
    }
}

/// What of a header, where its name does not say it all.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "HeaderPlace"))]
struct Full {
    /// Its name, or a list of names, of which the first counts that the request has.
    #[serde(alias = "names")]
    name: TextOr<Vec<String>>,
    /// The one ASCII character that separates the items of a list. Default: the header is one item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    list: Option<Separator>,
    /// What stands before the value, such as `sha256=`. An item without it is something else. Default: nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    prefix: String,
    /// Whether spaces and tabs may stand before an item of a list. Default: no.
    #[serde(default, skip_serializing_if = "is_default")]
    spaces: bool,
    /// Whether it is an error when more than one item of a list has the prefix. Default: no.
    #[serde(default, skip_serializing_if = "is_default")]
    single: bool,
    /// How many headers there may be, of the name with `-1`, `-2` and so on after it. Default: one, of the name itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    numbered: Option<u8>,
}

impl From<TextOr<Full>> for HeaderPlace {
    fn from(written: TextOr<Full>) -> Self {
        match written {
            TextOr::Text(name) => Self {
                names: vec![name],
                list: None,
                prefix: String::new(),
                spaces: false,
                single: false,
                numbered: None,
            },
            TextOr::Other(Full { name, list, prefix, spaces, single, numbered }) => {
                let names = match name {
                    TextOr::Text(name) => vec![name],
                    TextOr::Other(names) => names,
                };
                Self { names, list, prefix, spaces, single, numbered }
            }
        }
    }
}

impl From<HeaderPlace> for TextOr<Full> {
    fn from(place: HeaderPlace) -> Self {
        let HeaderPlace { mut names, list, prefix, spaces, single, numbered } = place;
        let name = match names.len() {
            1 => TextOr::Text(names.remove(0)),
            _ => TextOr::Other(names),
        };
        let full = Full { name, list, prefix, spaces, single, numbered };
        match full {
            Full {
                name: TextOr::Text(name),
                list: None,
                prefix,
                spaces: false,
                single: false,
                numbered: None,
            } if prefix.is_empty() => Self::Text(name),
            full => Self::Other(full),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for HeaderPlace {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        TextOr::<Full>::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        TextOr::<Full>::json_schema(generator)
    }
}

impl Place {
    /// All values that stand there. Empty ones count as missing.
    pub(crate) fn all<'r>(&self, request: &Request<'r>) -> Result<Values<'r>, Refusal> {
        let values: Values<'r> = match self {
            Self::Header(header) => header.items(request)?,
            Self::Json(pointer) => {
                json::find(request.body, pointer).map(json::Scalar::into_text).into_iter().collect()
            }
            Self::JsonNumber(pointer) => {
                json::find(request.body, pointer).and_then(json::Scalar::into_number).into_iter().collect()
            }
            Self::Claim(claim) => claim.value(request)?.map(Cow::Owned).into_iter().collect(),
            Self::Query(name) => request.query(name).into_iter().collect(),
            Self::Method => smallvec![Cow::Borrowed(request.method.as_bytes())],
        };
        if values.iter().all(|value| value.is_empty()) {
            return Err(Refusal::Missing { place: self.to_string() });
        }
        Ok(values)
    }

    /// The one value that stands there.
    pub(crate) fn one<'r>(&self, request: &Request<'r>) -> Result<Cow<'r, [u8]>, Refusal> {
        if let Self::Header(header) = self {
            let value = header.item(request)?.filter(|value| !value.is_empty());
            return value.map(Cow::Borrowed).ok_or_else(|| Refusal::Missing { place: self.to_string() });
        }
        let mut values = self.all(request)?;
        match (values.pop(), values.pop()) {
            (Some(value), None) => Ok(value),
            _ => Err(Refusal::Ambiguous { place: self.to_string() }),
        }
    }
}

impl Claim {
    fn value(&self, request: &Request<'_>) -> Result<Option<Vec<u8>>, Refusal> {
        let Some(text) = self.header.item(request)? else { return Ok(None) };
        let token =
            Token::read(text).ok_or_else(|| Refusal::MalformedToken { place: self.header.to_string() })?;
        Ok(token.claim(&self.pointer))
    }
}

impl HeaderPlace {
    /// The name of the header to write.
    pub(crate) fn name(&self) -> Option<Cow<'_, str>> {
        let name = self.names.first()?;
        Some(match self.numbered {
            Some(_) => format!("{name}-1").into(),
            None => name.into(),
        })
    }

    fn items<'r>(&self, request: &Request<'r>) -> Result<Values<'r>, Refusal> {
        let Some(count) = self.numbered else { return self.items_of(&self.names, request) };
        let mut items = Values::new();
        for number in 1..=count {
            let names: Vec<_> = self.names.iter().map(|name| format!("{name}-{number}")).collect();
            match self.items_of(&names, request) {
                Err(Refusal::Missing { .. }) => {}
                found => items.extend(found?),
            }
        }
        Ok(items)
    }

    fn items_of<'r>(&self, names: &[String], request: &Request<'r>) -> Result<Values<'r>, Refusal> {
        let items: Values<'r> = self.split(self.value(names, request)?).map(Cow::Borrowed).collect();
        if self.single && items.len() > 1 {
            return Err(Refusal::Ambiguous { place: self.to_string() });
        }
        Ok(items)
    }

    /// The one item, if there is any. This is read for each timestamp and id: it makes no list.
    fn item<'r>(&self, request: &Request<'r>) -> Result<Option<&'r [u8]>, Refusal> {
        let mut items = self.split(self.value(&self.names, request)?);
        match (items.next(), items.next()) {
            (item, None) => Ok(item),
            _ => Err(Refusal::Ambiguous { place: self.to_string() }),
        }
    }

    fn value<'r>(&self, names: &[String], request: &Request<'r>) -> Result<&'r [u8], Refusal> {
        let place = || self.to_string();
        let values = names.iter().map(|name| request.headers.first_two(name));
        match values.into_iter().find(|[first, _]| first.is_some()) {
            // Which of two is meant is told by no standard, and a proxy may drop either.
            Some([_, Some(_)]) => Err(Refusal::Ambiguous { place: place() }),
            Some([Some(value), _]) if value.len() > MAX_HEADER_BYTES => {
                Err(Refusal::TooLong { place: place() })
            }
            Some([Some(value), _]) => Ok(value),
            _ => Err(Refusal::Missing { place: place() }),
        }
    }

    fn split<'r>(&self, value: &'r [u8]) -> impl Iterator<Item = &'r [u8]> {
        let mut rest = Some(value);
        let items = std::iter::from_fn(move || {
            let text = rest?;
            let end = self.list.and_then(|Separator(separator)| memchr::memchr(separator, text));
            rest = end.map(|end| &text[end + 1..]);
            Some(&text[..end.unwrap_or(text.len())])
        });
        items
            .map(|item| if self.spaces && self.list.is_some() { skip_spaces(item) } else { item })
            .filter_map(|item| item.strip_prefix(self.prefix.as_bytes()))
    }
}

fn skip_spaces(item: &[u8]) -> &[u8] {
    let start = item.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(item.len());
    &item[start..]
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(header) => header.fmt(f),
            Self::Json(pointer) | Self::JsonNumber(pointer) => write!(f, "{pointer} of the body"),
            Self::Claim(Claim { header, pointer }) => {
                write!(f, "{} of the token in {header}", pointer.strip_prefix('/').unwrap_or(pointer))
            }
            Self::Query(name) => write!(f, "{name} of the query"),
            Self::Method => f.write_str("the method"),
        }
    }
}

impl fmt::Display for HeaderPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.prefix.is_empty() {
            write!(f, "{}… of ", self.prefix)?;
        }
        write!(f, "the header {}", self.names.join(" or "))?;
        if self.numbered.is_some() { f.write_str("-1 and so on") } else { Ok(()) }
    }
}
