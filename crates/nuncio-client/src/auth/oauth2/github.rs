//! Tokens of a GitHub App for one of its installations.
//!
//! The exchange is GitHub's own: a JWT of the app goes to its API, and a token for an hour comes back
//! (<https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app>).

use std::time::{Duration, UNIX_EPOCH};

use http::{Method, header};
use serde_json::Value;
use url::Url;

use super::answer::{self, failed};
use super::client::{ask, uri};
use super::skew;
use super::tokens::Tokens;
use crate::auth::Exchange;
use crate::auth::jwt::Signer;
use crate::auth::key::SigningKey;
use crate::hints::timestamp;
use crate::{Answer, Body, Context, Error, Read, Request, Secret};

/// GitHub takes tokens of at most ten minutes, and looks at the minute before too, for clocks that are ahead.
const LIFETIME: Duration = Duration::from_secs(600);
const BACKDATED: Duration = Duration::from_secs(60);

/// An installation of a GitHub App.
///
/// ```
/// use nuncio_client::auth::oauth2::{Installation, OAuth2};
/// use nuncio_client::auth::{Auth, key::SigningKey};
///
/// # fn example(pem: &nuncio_client::Secret) -> Result<Auth, nuncio_client::Error> {
/// let installation = Installation::new("made-up-app-id", SigningKey::from_pem(pem)?, "12345678");
/// Ok(Auth::oauth2(OAuth2::github_installation(installation)))
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Installation {
    api: Url,
    id: String,
    signer: Signer,
    narrowed: Option<Value>,
}

impl Installation {
    /// The installation `id` of the app whose client id, or app id, is `app`.
    #[must_use]
    pub fn new(app: impl Into<String>, key: SigningKey, id: impl Into<String>) -> Self {
        Self {
            api: "https://api.github.com/".parse().expect("a URL"),
            id: id.into(),
            signer: Signer::new(key).claim("iss", app.into()).lifetime(LIFETIME).backdated(BACKDATED),
            narrowed: None,
        }
    }

    /// The API, for GitHub Enterprise: `https://HOST/api/v3/`. Default: `https://api.github.com/`.
    #[must_use]
    pub fn api(mut self, mut url: Url) -> Self {
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        self.api = url;
        self
    }

    /// Fewer rights than the installation has: an object with `repositories`, `repository_ids` and `permissions`, as GitHub describes it.
    #[must_use]
    pub fn narrowed(mut self, to: Value) -> Self {
        self.narrowed = Some(to);
        self
    }

    pub(super) async fn token(&self, exchange: &Exchange) -> Result<Tokens, Error> {
        let url = self.url()?;
        let request = self.request(&url, exchange)?;
        let answer = ask(request, exchange).await.map_err(|error| skew::told(error, &exchange.clock));
        let tokens = answer
            .and_then(|answer| read(&answer, exchange))
            .map_err(|error| error.on(&Method::POST, &url))?;
        tokens.announce(&url, exchange);
        Ok(tokens)
    }

    fn url(&self) -> Result<Url, Error> {
        if self.id.is_empty() || !self.id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::configuration(format!("{:?} is no id of a GitHub installation", self.id))
                .advise("take the number at the end of the installation's settings page"));
        }
        self.api.join(&format!("app/installations/{}/access_tokens", self.id)).map_err(|error| {
            Error::configuration("the URL of the GitHub API cannot be built on").because(error)
        })
    }

    fn request(&self, url: &Url, exchange: &Exchange) -> Result<Request, Error> {
        let mut request = Request::default();
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri(url)?;
        if let Some(narrowed) = &self.narrowed {
            *request.body_mut() = Body::from(narrowed.to_string());
        }
        let token = self.signer.token(&exchange.clock, &exchange.random)?;
        request.headers_mut().insert(header::AUTHORIZATION, token.header("Bearer ")?);
        // A second token does no harm.
        request.extensions_mut().insert(Context {
            repeatable: true,
            read: Read::Stream,
            ..Context::default()
        });
        Ok(request)
    }
}

fn read(answer: &Answer, exchange: &Exchange) -> Result<Tokens, Error> {
    let fields = answer::object(answer).ok_or_else(|| answer::no_object(answer))?;
    let token =
        answer::text(&fields, "token").ok_or_else(|| failed("GitHub answered without a token".to_owned()))?;
    let expires_at = answer::text(&fields, "expires_at").and_then(timestamp::since_epoch);
    Ok(Tokens {
        access_token: Some(Secret::new(token)),
        expires_at: expires_at.map(|since| UNIX_EPOCH + since),
        obtained_at: exchange.clock.now(),
        ..Tokens::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::jwt::{Algorithm, Verifier};
    use crate::auth::key::testing::key;
    use crate::auth::testing::{answer, exchange};

    fn installation() -> Installation {
        Installation::new("made-up-app", key("rsa1"), "12345678")
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_of_the_app_gets_one_of_the_installation() {
        let server = exchange(|request| async move {
            assert_eq!(request.method(), Method::POST);
            assert_eq!(
                request.uri(),
                "https://github.example.com/api/v3/app/installations/12345678/access_tokens"
            );
            assert_eq!(request.body().as_bytes(), Some(&br#"{"repositories":["made-up"]}"#[..]));
            let jwt = request.headers()["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap();
            let now = crate::Clock::fixed(UNIX_EPOCH + Duration::from_secs(1_760_000_000));
            let keys = key("rsa1").verifying_key().into();
            let verified =
                Verifier::new([Algorithm::Rs256]).issuer("made-up-app").verify(jwt, &keys, &now).unwrap();
            assert_eq!(verified.claims["iat"], 1_760_000_000 - 60);
            assert_eq!(verified.claims["exp"], 1_760_000_000 + 540);
            answer(
                201,
                r#"{"token": "made-up-installation-token", "expires_at": "2025-10-09T09:53:20Z", "permissions": {}}"#,
            )
        });
        let installation = installation()
            .api("https://github.example.com/api/v3".parse().unwrap())
            .narrowed(serde_json::json!({ "repositories": ["made-up"] }));
        let tokens = installation.token(&server).await.unwrap();
        assert_eq!(tokens.access_token.clone().unwrap().expose(), "made-up-installation-token");
        assert_eq!(tokens.lifetime(), Some(Duration::from_secs(3600)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_tells_what_github_said_and_how_far_the_clock_is_off() {
        let server = exchange(|_| async {
            let body = r#"{"message": "'Expiration time' claim ('exp') is too far in the future"}"#;
            let mut refusal = answer(401, body)?;
            refusal.headers_mut().insert("date", "Thu, 09 Oct 2025 08:43:20 GMT".parse().unwrap());
            Ok(refusal)
        });
        let error = installation().token(&server).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the authorization server failed; this machine's clock is 600 s ahead of the server's"
        );
        let cause = error.cause::<Error>().unwrap();
        assert!(cause.report().contains("too far in the future"), "{}", cause.report());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_id_is_not_asked_for() {
        for id in ["", "12/../34", "made-up"] {
            let installation = Installation { id: id.to_owned(), ..installation() };
            let error = installation.token(&crate::auth::testing::no_exchange()).await.unwrap_err();
            assert_eq!(error.kind(), crate::Kind::Configuration);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_without_a_token_is_an_error() {
        for (body, message) in [
            ("<html>", "the server answered no JSON object: <html>"),
            ("{}", "GitHub answered without a token"),
        ] {
            let server = exchange(move |_| async move { answer(201, body) });
            assert_eq!(installation().token(&server).await.unwrap_err().to_string(), message);
        }
    }
}
