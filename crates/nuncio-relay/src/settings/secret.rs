//! Secrets among the settings.

use std::fmt;

use nuncio_client::Error;
use nuncio_service::{Env, Scope, Template};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A secret as it is written among the settings. It is shown to nobody but the store.
///
/// ```
/// use nuncio_relay::settings::SecretText;
///
/// assert_eq!(format!("{:?}", SecretText::new("made-up-secret")), "SecretText");
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SecretText(#[schemars(with = "String")] Zeroizing<String>);

impl SecretText {
    /// This secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// What it is for whoever may read the environment: `{{ env.NAME }}` stands for the value of that variable.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) for a variable that is missing, or a template that is none.
    pub fn resolve(&self, env: &Env) -> Result<Self, Error> {
        let template: Template = self.0.parse().map_err(|error: String| Error::configuration(error))?;
        Ok(Self::new(template.secret(&Scope::new(env))?.expose()))
    }

    /// Its text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText")
    }
}
