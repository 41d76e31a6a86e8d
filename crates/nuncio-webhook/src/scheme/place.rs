//! Where something stands in a request.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Refusal, Request, json};

/// A longer header is not read. The longest known has ten signatures of some 90 characters.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Where something stands in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In a header.
    Header(HeaderPlace),
    /// In the JSON of the body, by pointer (RFC 6901): a text, or a number as it is written.
    Json(String),
    /// Likewise, but only a number.
    JsonNumber(String),
    /// In the query of the URL, percent-decoded. Of several of one name the first counts.
    Query(String),
}

/// What of a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct HeaderPlace {
    /// Its name; of several names the first that the request has.
    pub names: Vec<String>,
    /// What separates the items of a list. Default: the header is one item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<Separator>,
    /// What stands before the value. An item without it is something else.
    pub prefix: String,
    /// Whether spaces and tabs may stand before an item.
    pub spaces: bool,
    /// Whether it is an error when more than one item of a list has the prefix.
    pub single: bool,
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

impl From<Separator> for char {
    fn from(separator: Separator) -> Self {
        Self::from(separator.0)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Name(String),
    Full(Full),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Full {
    #[serde(alias = "names")]
    name: OneOrMore,
    #[serde(default)]
    list: Option<Separator>,
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    spaces: bool,
    #[serde(default)]
    single: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl From<Written> for HeaderPlace {
    fn from(written: Written) -> Self {
        match written {
            Written::Name(name) => {
                Self { names: vec![name], list: None, prefix: String::new(), spaces: false, single: false }
            }
            Written::Full(Full { name, list, prefix, spaces, single }) => {
                let names = match name {
                    OneOrMore::One(name) => vec![name],
                    OneOrMore::More(names) => names,
                };
                Self { names, list, prefix, spaces, single }
            }
        }
    }
}

impl Place {
    /// All values that stand there. Empty ones count as missing.
    pub(crate) fn all<'r>(&self, request: &Request<'r>) -> Result<Vec<Cow<'r, [u8]>>, Refusal> {
        let values: Vec<Cow<'r, [u8]>> = match self {
            Self::Header(header) => header.items(request)?.into_iter().map(Cow::Borrowed).collect(),
            Self::Json(pointer) => {
                json::find(request.body, pointer).map(json::Scalar::into_text).into_iter().collect()
            }
            Self::JsonNumber(pointer) => {
                json::find(request.body, pointer).and_then(json::Scalar::into_number).into_iter().collect()
            }
            Self::Query(name) => request.query(name).into_iter().collect(),
        };
        if values.iter().all(|value| value.is_empty()) {
            return Err(Refusal::Missing { place: self.to_string() });
        }
        Ok(values)
    }

    /// The one value that stands there.
    pub(crate) fn one<'r>(&self, request: &Request<'r>) -> Result<Cow<'r, [u8]>, Refusal> {
        let mut values = self.all(request)?;
        match (values.pop(), values.pop()) {
            (Some(value), None) => Ok(value),
            _ => Err(Refusal::Ambiguous { place: self.to_string() }),
        }
    }
}

impl HeaderPlace {
    fn items<'r>(&self, request: &Request<'r>) -> Result<Vec<&'r [u8]>, Refusal> {
        let place = || self.to_string();
        let values =
            self.names.iter().map(|name| request.headers.values(name)).find(|values| !values.is_empty());
        let value = match values.as_deref() {
            None => return Err(Refusal::Missing { place: place() }),
            // Which of two is meant is told by no standard, and a proxy may drop either.
            Some([_, _, ..]) => return Err(Refusal::Ambiguous { place: place() }),
            Some([value]) if value.len() > MAX_HEADER_BYTES => {
                return Err(Refusal::TooLong { place: place() });
            }
            Some(value) => value.first().copied().unwrap_or_default(),
        };
        let Some(Separator(separator)) = self.list else {
            return Ok(value.strip_prefix(self.prefix.as_bytes()).into_iter().collect());
        };
        let items: Vec<_> = value
            .split(|byte| *byte == separator)
            .map(|item| if self.spaces { skip_spaces(item) } else { item })
            .filter_map(|item| item.strip_prefix(self.prefix.as_bytes()))
            .collect();
        if self.single && items.len() > 1 {
            return Err(Refusal::Ambiguous { place: place() });
        }
        Ok(items)
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
            Self::Query(name) => write!(f, "{name} of the query"),
        }
    }
}

impl fmt::Display for HeaderPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.prefix.is_empty() {
            write!(f, "{}… of ", self.prefix)?;
        }
        write!(f, "the header {}", self.names.join(" or "))
    }
}
