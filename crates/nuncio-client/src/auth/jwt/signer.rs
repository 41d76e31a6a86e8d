//! What all tokens of one signer have in common.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{Algorithm, Header, Verifier, sign};
use crate::auth::Step;
use crate::auth::key::SigningKey;
use crate::{Clock, Error, Kind, Random, Secret};

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
        sign(&self.header, &self.claims_of_now(clock, random), &self.key)
    }

    /// What a token of now would say: both parts are signed.
    pub(super) fn explain(&self, clock: &Clock, random: &Random) -> Vec<Step> {
        let claims = self.claims_of_now(clock, random);
        [("JOSE header", self.header.json()), ("claims", claims)]
            .map(|(name, part)| Step::new(name, part.to_string()))
            .into()
    }

    fn claims_of_now(&self, clock: &Clock, random: &Random) -> Value {
        let issued = clock.since_epoch().saturating_sub(self.backdated);
        let mut claims = self.claims.clone();
        claims.insert("iat".to_owned(), issued.as_secs().into());
        claims.insert("exp".to_owned(), (issued + self.lifetime).as_secs().into());
        claims.entry("jti").or_insert_with(|| random.uuid().into());
        Value::Object(claims)
    }

    /// Whether `token` is one of this signer's: signed by its key, good now, with all its claims.
    ///
    /// # Errors
    /// [`Kind::Auth`](crate::Kind::Auth) with the reason when it is not.
    pub fn verify(&self, token: &str, clock: &Clock) -> Result<(), Error> {
        let mut verifier = Verifier::new([self.header.algorithm]).require("exp");
        if let Some(audience) = self.claims.get("aud").and_then(Value::as_str) {
            verifier = verifier.audience(audience);
        }
        let verified = verifier.verify(token, &self.key.verifying_key().into(), clock)?;
        match self.claims.iter().find(|(name, value)| verified.claims.get(*name) != Some(value)) {
            Some((name, _)) => Err(Error::new(Kind::Auth, format!("the token has another {name}"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::key::testing::key;

    #[test]
    fn a_token_of_another_key_or_time_or_with_other_claims_is_refused() {
        let at = |secs| Clock::fixed(std::time::UNIX_EPOCH + Duration::from_secs(secs));
        let of = |name, issuer: &str| Signer::new(key(name)).claim("iss", issuer).claim("aud", "made-up-api");
        let token = of("ed1", "made-up-app").token(&at(1000), &Random::seeded(7)).unwrap();
        assert!(of("ed1", "made-up-app").verify(token.expose(), &at(1299)).is_ok());
        assert!(of("ed1", "made-up-app").verify(token.expose(), &at(1300)).is_err());
        assert!(of("ec1", "made-up-app").verify(token.expose(), &at(1000)).is_err());
        let error = of("ed1", "made-up-other").verify(token.expose(), &at(1000)).unwrap_err();
        assert_eq!(error.to_string(), "the token has another iss");
    }
}
