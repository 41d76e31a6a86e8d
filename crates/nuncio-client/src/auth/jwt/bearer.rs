//! A token of one's own for each request.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::header;

use super::Signer;
use crate::auth::{Authenticate, Exchange, Step};
use crate::redact::BLANK;
use crate::{Clock, Error, Random, Request, Secret};

/// Signs a token with a private key or a shared secret and sends it as `Authorization: Bearer`, for services that take such tokens in
/// place of one they issue: App Store Connect, GitHub Apps, Google APIs for service accounts.
///
/// A token is sent until a tenth of its life is left; then another is made.
///
/// ```
/// use nuncio_client::auth::jwt::{JwtBearer, Signer};
/// use nuncio_client::auth::{Auth, hmac::Key, key::SigningKey};
///
/// let key = SigningKey::shared(Key::verbatim(&"made-up-shared-secret".into()));
/// let signer = Signer::new(key).claim("iss", "made-up-app").claim("aud", "https://api.example.com");
/// let auth = Auth::jwt(JwtBearer::new(signer));
/// let mut request = http::Request::new(nuncio_client::Body::Empty);
/// auth.preview(&mut request)?;
/// assert_eq!(request.headers()["authorization"], "Bearer ***");
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug)]
pub struct JwtBearer {
    signer: Signer,
    current: Mutex<Option<Token>>,
}

#[derive(Debug)]
struct Token {
    value: Secret,
    /// Since 1970.
    made: Duration,
}

impl JwtBearer {
    /// Sends tokens of `signer`.
    #[must_use]
    pub fn new(signer: Signer) -> Self {
        Self { signer, current: Mutex::new(None) }
    }

    fn token(&self, clock: &Clock, random: &Random) -> Result<Secret, Error> {
        let now = clock.since_epoch();
        let good_for = self.signer.lifetime.saturating_sub(self.signer.backdated);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = &*current
            && now.checked_sub(token.made).is_some_and(|age| age < good_for - good_for / 10)
        {
            return Ok(token.value.clone());
        }
        let value = self.signer.token(clock, random)?;
        *current = Some(Token { value: value.clone(), made: now });
        Ok(value)
    }
}

impl Authenticate for JwtBearer {
    fn authenticate<'a>(
        &'a self,
        mut request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Request, Error>> {
        Box::pin(async move {
            let token = self.token(&exchange.clock, &exchange.random)?;
            request.headers_mut().insert(header::AUTHORIZATION, token.header("Bearer ")?);
            Ok(request)
        })
    }

    fn can_renew(&self) -> bool {
        false
    }

    fn preview(&self, request: &mut Request) -> Result<(), Error> {
        request.headers_mut().insert(header::AUTHORIZATION, Secret::new(BLANK).header("Bearer ")?);
        Ok(())
    }

    fn explain(&self, _: Request, exchange: &Exchange) -> Result<Vec<Step>, Error> {
        Ok(self.signer.explain(&exchange.clock, &exchange.random))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Algorithm, Header, Verifier};
    use super::*;
    use crate::auth::key::testing::key;
    use crate::auth::testing::{get, no_exchange};

    const NOW: u64 = 1_760_000_000;

    async fn sent(scheme: &JwtBearer, exchange: &Exchange) -> String {
        let request = scheme.authenticate(get("https://api.example.com/"), exchange).await.unwrap();
        request.headers()["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_signed_with_its_times_and_claims() {
        let exchange = no_exchange();
        let signer = Signer::new(key("ec1")).claim("iss", "made-up-app").lifetime(Duration::from_secs(600));
        let scheme = JwtBearer::new(signer.header(Header::new(Algorithm::Es256).key_id("made-up-id")));
        let token = sent(&scheme, &exchange).await;
        let keys = key("ec1").verifying_key().into();
        let verified = Verifier::new([Algorithm::Es256]).verify(&token, &keys, &exchange.clock).unwrap();
        assert_eq!(verified.header["kid"], "made-up-id");
        assert_eq!(verified.claims["iss"], "made-up-app");
        assert_eq!(verified.claims["iat"], NOW);
        assert_eq!(verified.claims["exp"], NOW + 600);
        assert!(verified.claims["jti"].is_string());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_signed_can_be_shown_but_no_secret_in_it() {
        let secret = Secret::new("made-up-claim-of-a-tenant");
        let signer = Signer::new(key("ec1")).claim("iss", "made-up-app").claim("tenant", secret.expose());
        let steps = JwtBearer::new(signer).explain(get("https://api.example.com/"), &no_exchange()).unwrap();
        assert_eq!(steps[0], Step::new("JOSE header", r#"{"alg":"ES256","typ":"JWT"}"#));
        assert_eq!(steps[1].name, "claims");
        let claims: serde_json::Value = serde_json::from_str(&steps[1].text).unwrap();
        assert_eq!((&claims["iss"], &claims["tenant"]), (&"made-up-app".into(), &"***".into()));
        assert_eq!(claims["iat"], NOW);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_sent_until_a_tenth_of_its_life_is_left() {
        let exchange = no_exchange();
        let scheme = JwtBearer::new(Signer::new(key("ed1")));
        let first = sent(&scheme, &exchange).await;
        tokio::time::advance(Duration::from_secs(269)).await;
        assert_eq!(sent(&scheme, &exchange).await, first);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_ne!(sent(&scheme, &exchange).await, first);
    }

    #[tokio::test(start_paused = true)]
    async fn a_backdated_token_is_older_and_ends_earlier() {
        let exchange = no_exchange();
        let scheme = JwtBearer::new(Signer::new(key("ed1")).backdated(Duration::from_secs(60)));
        let token = sent(&scheme, &exchange).await;
        let keys = key("ed1").verifying_key().into();
        let verified = Verifier::new([Algorithm::EdDsa]).verify(&token, &keys, &exchange.clock).unwrap();
        assert_eq!(verified.claims["iat"], NOW - 60);
        assert_eq!(verified.claims["exp"], NOW + 240);
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_set_back_makes_a_new_token() {
        let scheme = JwtBearer::new(Signer::new(key("ed1")));
        let random = Random::seeded(7);
        let at = |secs| Clock::fixed(std::time::UNIX_EPOCH + Duration::from_secs(secs));
        let first = scheme.token(&at(NOW), &random).unwrap();
        let second = scheme.token(&at(NOW - 1), &random).unwrap();
        assert_ne!(first.expose(), second.expose());
    }
}
