//! Credentials among the settings.

use std::fmt;
use std::sync::Arc;

use nuncio_client::Error;
use nuncio_client::auth;
use nuncio_service::{Env, model};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How we prove who we are to an endpoint, in the language of the key `auth` of service files: `basic`, `bearer`, `oauth2`, `sigv4` and the others,
/// but for `session`. `{{ env.NAME }}` stands for a variable of the environment in a config file.
///
/// It is kept as it was written, and shown to nobody but the store.
///
/// ```
/// use nuncio_relay::settings::Auth;
///
/// let auth: Auth = serde_json::from_str(r#"{ "bearer": "made-up-token" }"#)?;
/// assert_eq!(format!("{auth:?}"), "Auth(bearer)");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Value", into = "Value")]
pub struct Auth {
    #[schemars(with = "model::Auth")]
    written: Value,
    #[schemars(skip)]
    read: Arc<model::Auth>,
}

impl Auth {
    /// What requests to `base_url` carry. Tokens are kept in memory, and shared by copies.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) for variables that are missing and for credentials that cannot be used.
    pub fn credentials(&self, env: &Env, base_url: &str) -> Result<auth::Auth, Error> {
        self.read.credentials(env, base_url)
    }
}

impl TryFrom<Value> for Auth {
    type Error = serde_json::Error;

    fn try_from(written: Value) -> Result<Self, serde_json::Error> {
        Ok(Self { read: Arc::new(serde_json::from_value(written.clone())?), written })
    }
}

impl From<Auth> for Value {
    fn from(auth: Auth) -> Self {
        auth.written
    }
}

impl PartialEq for Auth {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Auth({})", self.read.name())
    }
}
