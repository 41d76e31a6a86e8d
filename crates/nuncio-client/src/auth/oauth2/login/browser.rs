//! A user agrees in the browser, and comes back with a code (RFC 6749, section 4.1).

use subtle::ConstantTimeEq as _;
use url::Url;

use super::pkce::{Verifier, unguessable};
use crate::auth::Exchange;
use crate::auth::oauth2::answer::refused;
use crate::auth::oauth2::grant::{Grant, present, scope};
use crate::auth::oauth2::server::missing;
use crate::auth::oauth2::{Client, DEFAULT_TIMEOUT, Tokens};
use crate::{Error, Evidence, Kind, Secret, excerpt};

/// A login that was begun: the page to open, and what must be true of the redirect that ends it.
#[derive(Debug, Clone)]
pub struct BrowserLogin {
    client: Client,
    url: Url,
    redirect_uri: String,
    state: Secret,
    verifier: Verifier,
    issuer: Option<String>,
    names_issuer: bool,
}

impl Client {
    /// Begins a login in the browser, with PKCE (RFC 7636, `S256`) and a `state` that nobody can guess. The server will send the user to
    /// `redirect_uri`, which it knows from the client's registration.
    ///
    /// # Errors
    /// [`Kind::Configuration`] when the authorization endpoint is not known; those of the discovery.
    pub async fn begin_login(&self, redirect_uri: &str, exchange: &Exchange) -> Result<BrowserLogin, Error> {
        let endpoints = self.endpoints(exchange).await?;
        let endpoint =
            endpoints.authorization.ok_or_else(|| missing("authorization", "authorization_url"))?;
        let (state, verifier) = (unguessable()?, Verifier::random()?);
        Ok(BrowserLogin {
            url: self.authorization_url(
                &endpoint,
                Some(redirect_uri),
                state.expose(),
                Some(&verifier.challenge()),
            ),
            client: self.clone(),
            redirect_uri: redirect_uri.to_owned(),
            state,
            verifier,
            issuer: endpoints.issuer,
            names_issuer: endpoints.names_issuer,
        })
    }

    /// The page to open (RFC 6749, section 4.1.1). Parameters that `endpoint` has are kept.
    pub(in crate::auth::oauth2) fn authorization_url(
        &self,
        endpoint: &Url,
        redirect_uri: Option<&str>,
        state: &str,
        code_challenge: Option<&str>,
    ) -> Url {
        let scope = scope(&self.scopes);
        let pairs = [
            ("response_type", Some("code")),
            ("client_id", Some(&self.id)),
            ("redirect_uri", redirect_uri),
            ("scope", scope.as_deref()),
            ("state", Some(state)),
            ("code_challenge", code_challenge),
            ("code_challenge_method", code_challenge.map(|_| "S256")),
        ];
        let mut url = endpoint.clone();
        url.query_pairs_mut().extend_pairs(present(pairs)).extend_pairs(&self.login_params);
        url
    }
}

impl BrowserLogin {
    /// The page to open. It holds nothing that would help anyone else.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The code that the user came back with, after the checks of RFC 6749 (`state`, section 10.12) and RFC 9207 (`iss`).
    ///
    /// # Errors
    /// [`Kind::Auth`] for a redirect that is not the end of this login, and when the user or the server refused.
    pub fn code(&self, redirected: &Url) -> Result<Secret, Error> {
        // Before all else: what belongs to another login tells nothing of this one.
        let state = only(redirected, "state")?.unwrap_or_default();
        if !bool::from(state.as_bytes().ct_eq(self.state.expose().as_bytes())) {
            return Err(unexpected("the redirect carries a `state` that is not of this login".to_owned())
                .advise("begin again, and follow the newest link: an older page or another site led here"));
        }
        self.check_issuer(only(redirected, "iss")?.as_deref())?;
        if let Some(code) = only(redirected, "error")? {
            let description = only(redirected, "error_description")?;
            return Err(refused(&code, description.as_deref(), only(redirected, "error_uri")?.as_deref()));
        }
        let code = only(redirected, "code")?.filter(|code| !code.is_empty());
        code.map(Secret::new).ok_or_else(|| unexpected("the redirect carries no `code`".to_owned()))
    }

    /// Gets the tokens for the code in `redirected`, the URL that the user was sent back to.
    ///
    /// # Errors
    /// As [`code`](Self::code); [`Kind::Auth`] when the server does not give them.
    pub async fn finish(&self, redirected: &Url, exchange: &Exchange) -> Result<Tokens, Error> {
        let grant = Grant::AuthorizationCode {
            code: &self.code(redirected)?,
            redirect_uri: Some(&self.redirect_uri),
            code_verifier: Some(self.verifier.secret()),
        };
        self.client.token(grant, DEFAULT_TIMEOUT, exchange).await
    }

    /// Another server that the user logs in to must not be able to pass off its answer, or get this one's code.
    fn check_issuer(&self, told: Option<&str>) -> Result<(), Error> {
        let expected = self.issuer.as_deref();
        match (expected, told) {
            (Some(expected), Some(told)) if expected != told => Err(unexpected(format!(
                "the redirect is of the issuer {:?}, not {expected}",
                excerpt(told.as_bytes())
            ))
            .advise("begin again: another authorization server led here")),
            (Some(expected), None) if self.names_issuer => {
                Err(unexpected(format!("the redirect does not name its issuer, as {expected} always does"))
                    .advise("begin again: another authorization server may have led here"))
            }
            _ => Ok(()),
        }
    }
}

/// The parameter `name`, which may stand there once (RFC 6749, section 3.1).
fn only(redirected: &Url, name: &str) -> Result<Option<String>, Error> {
    let mut values =
        redirected.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let first = values.next();
    match values.next() {
        None => Ok(first),
        Some(_) => Err(unexpected(format!("the redirect carries `{name}` more than once"))),
    }
}

fn unexpected(message: String) -> Error {
    Error::new(Kind::Auth, message).evidence_is(Evidence::NeverSent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::oauth2::Server;
    use crate::auth::testing::{answer, exchange};

    const ISSUER: &str = "https://auth.example.com";

    fn login() -> BrowserLogin {
        BrowserLogin::made_up()
    }

    impl BrowserLogin {
        /// Of the state `made-up-state`.
        pub(in crate::auth::oauth2::login) fn made_up() -> Self {
            Self {
                client: Client::new(
                    Server::new("https://auth.example.com/token".parse().unwrap()),
                    "made-up-client",
                ),
                url: ISSUER.parse().unwrap(),
                redirect_uri: "http://127.0.0.1:1/callback".to_owned(),
                state: "made-up-state".into(),
                verifier: Verifier::random().unwrap(),
                issuer: Some(ISSUER.to_owned()),
                names_issuer: false,
            }
        }
    }

    fn back(query: &str) -> Url {
        format!("http://127.0.0.1:1/callback?{query}").parse().unwrap()
    }

    fn message(login: &BrowserLogin, query: &str) -> String {
        let error = login.code(&back(query)).unwrap_err();
        assert_eq!(error.kind(), Kind::Auth);
        error.to_string()
    }

    #[test]
    fn the_code_of_a_redirect_with_our_state_is_taken() {
        for query in [
            "state=made-up-state&code=c%20d",
            "code=c+d&state=made-up-state&iss=https://auth.example.com&x=1&x=2",
        ] {
            assert_eq!(login().code(&back(query)).unwrap().expose(), "c d");
        }
    }

    #[test]
    fn a_redirect_with_another_state_or_none_is_refused_whatever_else_it_says() {
        for query in
            ["", "code=c", "code=c&state=", "code=c&state=made-up-stat", "state=x&error=access_denied"]
        {
            assert_eq!(
                message(&login(), query),
                "the redirect carries a `state` that is not of this login",
                "{query}"
            );
        }
    }

    #[test]
    fn a_parameter_that_comes_twice_is_refused() {
        for (query, name) in
            [("state=a&state=made-up-state", "state"), ("state=made-up-state&code=a&code=b", "code")]
        {
            assert_eq!(message(&login(), query), format!("the redirect carries `{name}` more than once"));
        }
    }

    #[test]
    fn a_redirect_of_another_issuer_is_refused() {
        assert_eq!(
            message(&login(), "state=made-up-state&code=c&iss=https://other.example.com"),
            "the redirect is of the issuer \"https://other.example.com\", not https://auth.example.com"
        );
        // RFC 9207, section 2.4: compared as text.
        message(&login(), "state=made-up-state&code=c&iss=https://auth.example.com/");
    }

    #[test]
    fn a_redirect_without_an_issuer_is_refused_where_the_server_always_names_it() {
        let strict = BrowserLogin { names_issuer: true, ..login() };
        assert!(
            message(&strict, "state=made-up-state&code=c")
                .starts_with("the redirect does not name its issuer")
        );
        assert!(login().code(&back("state=made-up-state&code=c")).is_ok());
    }

    #[test]
    fn a_refusal_is_told_in_the_servers_words() {
        let error = login()
            .code(&back("state=made-up-state&error=access_denied&error_description=made+up"))
            .unwrap_err();
        assert_eq!(error.to_string(), "the authorization server refused: access_denied (made up)");
        assert!(error.advice().unwrap().contains("agree"));
    }

    #[test]
    fn a_redirect_with_neither_code_nor_error_is_refused() {
        for query in ["state=made-up-state", "state=made-up-state&code="] {
            assert_eq!(message(&login(), query), "the redirect carries no `code`");
        }
    }

    #[tokio::test]
    async fn the_code_is_exchanged_with_the_verifier_of_the_challenge() {
        let server = exchange(|request| async move {
            let form = String::from_utf8(request.body().as_bytes().unwrap().to_vec()).unwrap();
            let fields: std::collections::HashMap<_, _> = form_urlencoded::parse(form.as_bytes()).collect();
            assert_eq!(fields["grant_type"], "authorization_code");
            assert_eq!((&*fields["code"], &*fields["client_id"]), ("made-up-code", "made-up-client"));
            assert_eq!(fields["redirect_uri"], "http://127.0.0.1:1/callback");
            let challenge = Verifier::new(fields["code_verifier"].as_ref().into()).unwrap().challenge();
            answer(
                200,
                &format!(
                    r#"{{"access_token": "of {challenge}", "refresh_token": "made-up-r", "scope": "a b"}}"#
                ),
            )
        });
        let server_of = Server::new("https://auth.example.com/token".parse().unwrap())
            .authorization_endpoint("https://auth.example.com/authorize?tenant=7".parse().unwrap());
        let client =
            Client::new(server_of, "made-up-client").scopes(["read"]).login_param("prompt", "consent");
        let login = client.begin_login("http://127.0.0.1:1/callback", &server).await.unwrap();
        let query: std::collections::HashMap<_, _> = login.url().query_pairs().into_owned().collect();
        assert_eq!((&*query["tenant"], &*query["prompt"], &*query["scope"]), ("7", "consent", "read"));
        assert_eq!(query["code_challenge_method"], "S256");

        let redirected = back(&format!("code=made-up-code&state={}", query["state"]));
        let tokens = login.finish(&redirected, &server).await.unwrap();
        assert_eq!(tokens.access_token.unwrap().expose(), format!("of {}", query["code_challenge"]));
        assert_eq!(tokens.scopes, ["a", "b"]);
    }

    #[tokio::test]
    async fn a_server_without_a_page_is_a_mistake_in_the_settings() {
        let login =
            login().client.begin_login("http://127.0.0.1/", &exchange(|_| async { unreachable!() })).await;
        let error = login.unwrap_err();
        assert_eq!(error.kind(), Kind::Configuration);
        assert_eq!(error.to_string(), "the authorization endpoint of the authorization server is not known");
    }
}
