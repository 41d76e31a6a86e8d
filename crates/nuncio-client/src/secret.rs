//! A value that must never be shown.

use std::sync::Arc;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

use crate::{Error, redact::Redactor};

/// A credential: no `Display`, a blank `Debug`, cleared from memory when the last copy is dropped.
///
/// Making one registers its value with the process-wide [`Redactor`], so that the value is blanked wherever nuncio
/// prints, logs or reports something, even when a server echoes it.
///
/// ```
/// use nuncio_client::{Redactor, Secret};
///
/// let token = Secret::new("made-up-token-31337");
/// assert_eq!(format!("{token:?}"), "Secret(***)");
/// assert_eq!(Redactor::global().redact("got made-up-token-31337"), "got ***");
/// ```
#[derive(Clone)]
pub struct Secret(Arc<SecretString>);

impl Secret {
    /// Wraps `value` and registers it with [`Redactor::global`].
    pub fn new(value: impl Into<String>) -> Self {
        let value = value.into();
        Redactor::global().register(&value);
        Self(Arc::new(SecretString::from(value)))
    }

    /// The value itself. Use it where it is put on the wire or hashed, and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// `prefix` and the value as a header value that is marked sensitive.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when the value has a character that no header can carry,
    /// such as the line end that files and shells like to append.
    pub fn header(&self, prefix: &str) -> Result<HeaderValue, Error> {
        let mut value = HeaderValue::from_str(&format!("{prefix}{}", self.expose())).map_err(|_| {
            Error::configuration("a credential has a character that a header cannot carry")
                .advise("look for a line end or a space at the end of the value")
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
