//! Headers that a request names to be signed.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::is_default;
use super::place::{Place, Separator};
use crate::{Refusal, Request};

/// More names are not read. Contentful names eight.
const MAX_NAMES: usize = 64;

/// Headers that a request names to be signed: what `{header-names}` and `{named-headers}` stand for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NamedHeaders {
    /// Where their names stand. It must be a place that is signed, or else anybody could name others.
    pub at: Place,
    /// The one ASCII character that separates the names.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub list: Separator,
    /// What stands between two headers where they are signed.
    pub between: String,
    /// What stands between the name, as it is in the list, and the value. Default: values are signed without names.
    #[serde(default, skip_serializing_if = "is_default")]
    pub after_name: Option<String>,
}

impl NamedHeaders {
    /// What is signed of them. One that is named and not there is missing, and one that is there twice is refused.
    pub(crate) fn text(&self, request: &Request<'_>) -> Result<Vec<u8>, Refusal> {
        let names = self.at.one(request)?;
        let names: Vec<_> =
            names.split(|byte| *byte == self.list.byte()).map(String::from_utf8_lossy).collect();
        if names.len() > MAX_NAMES {
            return Err(Refusal::TooLong { place: self.at.to_string() });
        }
        let headers = names.iter().map(|name| {
            let value = request.header(name)?;
            Ok(match &self.after_name {
                Some(after) => Cow::Owned([name.as_bytes(), after.as_bytes(), value].concat()),
                None => Cow::Borrowed(value),
            })
        });
        let headers = headers.collect::<Result<Vec<Cow<'_, [u8]>>, Refusal>>()?;
        Ok(headers.join(self.between.as_bytes()))
    }
}
