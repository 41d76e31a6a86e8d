//! What all tokens of one signer have in common.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{Algorithm, Header, sign};
use crate::auth::key::SigningKey;
use crate::{Clock, Error, Random, Secret};

/// How long a token is good for unless told otherwise. Some services refuse more than 10 or 20 minutes.
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);

/// Makes tokens with a private key or a shared secret. The claims `iat`, `exp` and, unless there is one, `jti` are added to each.
///
/// ```
/// use nuncio_client::auth::{hmac::Key, jwt::Signer, key::SigningKey};
/// use nuncio_client::{Clock, Random};
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let key = SigningKey::shared(Key::verbatim(&"made-up-shared-secret".into()));
/// let signer = Signer::new(key).claim("iss", "made-up-app").lifetime(Duration::from_secs(60));
/// let token = signer.token(&Clock::fixed(UNIX_EPOCH), &Random::new())?;
/// assert_eq!(token.expose().split('.').count(), 3);
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Signer {
    key: SigningKey,
    header: Header,
    claims: Map<String, Value>,
    pub(super) lifetime: Duration,
    pub(super) backdated: Duration,
}

impl Signer {
    /// Tokens signed with `key`, by the [usual algorithm](Algorithm::usual_for) of its type.
    #[must_use]
    pub fn new(key: SigningKey) -> Self {
        Self {
            header: Header::new(Algorithm::usual_for(key.key_type())),
            key,
            claims: Map::new(),
            lifetime: DEFAULT_LIFETIME,
            backdated: Duration::ZERO,
        }
    }

    /// What stands in front of the claims. Default: algorithm and type.
    #[must_use]
    pub fn header(mut self, header: Header) -> Self {
        self.header = header;
        self
    }

    /// A claim of every token, in the place of one of that name.
    #[must_use]
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// A claim of every token, unless there is one of that name.
    #[must_use]
    pub fn claim_or(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.entry(name).or_insert_with(|| value.into());
        self
    }

    /// How long each token is good for. Default: [`DEFAULT_LIFETIME`].
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// How far in the past a token says that it was made, so that a service with a slow clock takes it. Default: not at all. The
    /// lifetime counts from there.
    #[must_use]
    pub fn backdated(mut self, backdated: Duration) -> Self {
        self.backdated = backdated;
        self
    }

    /// A token of now.
    ///
    /// # Errors
    /// As [`sign`].
    pub fn token(&self, clock: &Clock, random: &Random) -> Result<Secret, Error> {
        let issued = clock.since_epoch().saturating_sub(self.backdated);
        let mut claims = self.claims.clone();
        claims.insert("iat".to_owned(), issued.as_secs().into());
        claims.insert("exp".to_owned(), (issued + self.lifetime).as_secs().into());
        claims.entry("jti").or_insert_with(|| random.uuid().into());
        sign(&self.header, &Value::Object(claims), &self.key)
    }
}
