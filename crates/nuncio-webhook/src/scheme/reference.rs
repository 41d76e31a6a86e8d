//! A scheme by name, or written out.

use serde::{Deserialize, Serialize};

use super::Scheme;
use super::text_or::TextOr;
use crate::provider;

/// A scheme: that of a provider, by its name, or one that is written out.
///
/// ```
/// use nuncio_webhook::SchemeRef;
///
/// let stripe: SchemeRef = serde_json::from_str(r#""stripe""#)?;
/// assert_eq!(stripe.scheme(), Some(&nuncio_webhook::provider("stripe").unwrap().scheme));
/// let nobody: SchemeRef = serde_json::from_str(r#""nobody""#)?;
/// assert_eq!(nobody.scheme(), None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "TextOr<Scheme>", into = "TextOr<Scheme>")]
pub enum SchemeRef {
    /// That of the provider of this name.
    Provider(String),
    /// This one.
    Own(Box<Scheme>),
}

impl SchemeRef {
    /// The scheme; `None` when there is no such provider.
    #[must_use]
    pub fn scheme(&self) -> Option<&Scheme> {
        match self {
            Self::Provider(name) => provider(name).map(|provider| &provider.scheme),
            Self::Own(scheme) => Some(scheme),
        }
    }

    /// The name of the provider, if it is one's.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        match self {
            Self::Provider(name) => Some(name),
            Self::Own(_) => None,
        }
    }
}

impl From<TextOr<Scheme>> for SchemeRef {
    fn from(written: TextOr<Scheme>) -> Self {
        match written {
            TextOr::Text(name) => Self::Provider(name),
            TextOr::Other(scheme) => Self::Own(Box::new(scheme)),
        }
    }
}

impl From<SchemeRef> for TextOr<Scheme> {
    fn from(scheme: SchemeRef) -> Self {
        match scheme {
            SchemeRef::Provider(name) => Self::Text(name),
            SchemeRef::Own(scheme) => Self::Other(*scheme),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for SchemeRef {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        TextOr::<Scheme>::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        TextOr::<Scheme>::json_schema(generator)
    }
}
