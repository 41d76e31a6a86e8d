//! An OAuth 2.0 authorization server for a service that describes one: tokens by every grant, logins in which the user always agrees,
//! refresh tokens that rotate if they are to, and revocation.

mod client;
mod logins;
mod tokens;

use http::Method;
use nuncio_service::model::{Auth, Grant, OAuth2};
use nuncio_service::{Scope, Template};
use serde_json::{Map, Value, json};

pub(crate) use self::logins::Logins;
use self::logins::{Code, DEVICE_INTERVAL, DEVICE_LIFETIME, Refused};
pub(crate) use self::tokens::Tokens;
use crate::answer::{Answer, Outcome};
use crate::auth::{Demand, bearer_of};
use crate::fault::{Kind, TOKEN_ENDPOINT};
use crate::play::{Play, State};
use crate::wire::Received;
use crate::words::random;

/// What of the server is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Token,
    /// The page in the browser, on which the user agrees at once.
    Authorization,
    DeviceAuthorization,
    /// The page on which the user types the code of a device.
    Device,
    Revocation,
    /// GitHub's exchange for an installation of an app.
    Installation,
}

/// The fields of a request.
struct Fields(Map<String, Value>);

impl Fields {
    fn of(received: &Received) -> Self {
        Self(received.fields().unwrap_or_default())
    }

    /// Empty where there is none.
    fn text(&self, name: &str) -> String {
        self.optional(name).unwrap_or_default().to_owned()
    }

    fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }
}

impl Play {
    /// The server that the request is for, and what of it.
    pub(crate) fn endpoint(&self, received: &Received) -> Option<(Endpoint, &OAuth2)> {
        let own = self.service.operations.values().filter_map(|operation| operation.auth.as_ref());
        let mut servers = own.chain([&self.service.auth]).filter_map(|auth| match auth {
            Auth::OAuth2(oauth2) => Some(&**oauth2),
            _ => None,
        });
        servers.find_map(|oauth2| Some((self.endpoint_of(oauth2, received)?, oauth2)))
    }

    fn endpoint_of(&self, oauth2: &OAuth2, received: &Received) -> Option<Endpoint> {
        let is_at = |url: &Option<Template>| {
            url.as_ref().is_some_and(|url| self.path_of(url.source()) == received.path)
        };
        let is_post = received.method == Method::POST;
        let is_get = received.method == Method::GET;
        let is_installation = || {
            let path = received.path.strip_prefix("/app/installations/");
            path.is_some_and(|path| path.ends_with("/access_tokens"))
        };
        match oauth2 {
            _ if is_post && is_at(&oauth2.token_url) => Some(Endpoint::Token),
            _ if is_get && is_at(&oauth2.authorization_url) => Some(Endpoint::Authorization),
            _ if is_post && is_at(&oauth2.device_authorization_url) => Some(Endpoint::DeviceAuthorization),
            _ if is_get && is_at(&oauth2.device_authorization_url) => Some(Endpoint::Device),
            _ if is_post && is_at(&oauth2.revocation_url) => Some(Endpoint::Revocation),
            OAuth2 { grant: Grant::GitHubApp(_), .. } if is_post && is_installation() => {
                Some(Endpoint::Installation)
            }
            _ => None,
        }
    }

    /// Where `url` is played. One elsewhere is played under the service too: its path tells it apart.
    fn path_of<'a>(&self, url: &'a str) -> &'a str {
        let elsewhere = || {
            let rest = &url[url.find("://")? + 3..];
            Some(&rest[rest.find('/')?..])
        };
        url.strip_prefix(self.service.base_url.source()).or_else(elsewhere).unwrap_or(url)
    }

    /// What the server makes of the request.
    pub(crate) async fn authorization_server(
        &self,
        endpoint: Endpoint,
        oauth2: &OAuth2,
        received: &Received,
    ) -> Outcome {
        if endpoint != Endpoint::Token {
            return Outcome::Answered(self.serve(endpoint, oauth2, received));
        }
        let struck = self.strike_endpoint(TOKEN_ENDPOINT);
        if !struck.delay.is_zero() {
            tokio::time::sleep(struck.delay).await;
        }
        let lost = |kind| match kind {
            Kind::Status(status) => {
                Outcome::Answered(Answer::json(status, json!({ "error": "temporarily_unavailable" })))
            }
            _ => Outcome::Reset,
        };
        if let Some((kind, _)) = struck.failure.as_ref().filter(|(_, fault)| !fault.after) {
            return lost(*kind);
        }
        let answer = self.serve(endpoint, oauth2, received);
        match struck.failure {
            Some((kind, _)) => lost(kind),
            None if struck.truncate => Outcome::Truncated(answer),
            None => Outcome::Answered(answer),
        }
    }

    fn serve(&self, endpoint: Endpoint, oauth2: &OAuth2, received: &Received) -> Answer {
        let state = &mut *self.state();
        let scope = Scope::new(&self.words.env);
        let now = self.words.clock.since_epoch();
        let State { tokens, nonces, logins, rng, counts, .. } = state;
        let demand = Demand { scope: &scope, now, tokens, nonces };
        let device_page = format!("{}{}", self.words.base_url, received.path);
        let mut server = Server { demand, logins, rng, fields: Fields::of(received), device_page };
        let served = match endpoint {
            Endpoint::Token => server.token(oauth2, received),
            Endpoint::Authorization => server.authorization(oauth2),
            Endpoint::DeviceAuthorization => server.device_authorization(oauth2, received),
            Endpoint::Device => server.device(),
            Endpoint::Revocation => server.revocation(oauth2, received),
            Endpoint::Installation => server.installation(oauth2, received),
        };
        let is_token = matches!(endpoint, Endpoint::Token | Endpoint::Installation);
        match served {
            Ok(answer) => {
                counts.tokens_issued += u64::from(is_token);
                answer
            }
            Err(refused) => {
                counts.tokens_refused += u64::from(is_token);
                counts.refresh_tokens_reused += u64::from(matches!(refused, Refused::Reused(_)));
                server.refuse(&refused)
            }
        }
    }
}

/// The server during one request.
struct Server<'a> {
    demand: Demand<'a>,
    logins: &'a mut Logins,
    rng: &'a mut fastrand::Rng,
    fields: Fields,
    device_page: String,
}

type Served = Result<Answer, Refused>;

impl Server<'_> {
    fn token(&mut self, oauth2: &OAuth2, received: &Received) -> Served {
        let client = self.client(oauth2, received)?;
        let now = self.demand.now;
        let fields = &self.fields;
        let login = match fields.text("grant_type").as_str() {
            "client_credentials" => None,
            "authorization_code" => {
                let (redirect_uri, verifier) =
                    (fields.optional("redirect_uri"), fields.optional("code_verifier"));
                let code = fields.text("code");
                Some((self.logins.redeem(&code, &client, redirect_uri, verifier, now)?, true))
            }
            "urn:ietf:params:oauth:grant-type:device_code" => {
                Some((self.logins.ask(&fields.text("device_code"), now)?, true))
            }
            "refresh_token" => {
                let shown = fields.text("refresh_token");
                if let Grant::RefreshToken(given) = &oauth2.grant
                    && self.demand.fits(given, &shown)
                {
                    self.logins.adopt(&shown);
                }
                Some(self.logins.refresh(&shown, now)?)
            }
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
                let key = match &oauth2.grant {
                    Grant::JwtBearer(statement) => self.demand.key(Some(&statement.private_key)),
                    _ => None,
                };
                self.demand.holds(&fields.text("assertion"), key, "").then_some(()).ok_or(INVALID)?;
                None
            }
            "urn:ietf:params:oauth:grant-type:token-exchange" => {
                let fits = match &oauth2.grant {
                    Grant::TokenExchange(own) => {
                        self.demand.fits(&own.subject_token, &fields.text("subject_token"))
                    }
                    _ => !fields.text("subject_token").is_empty(),
                };
                fits.then_some(()).ok_or(INVALID)?;
                None
            }
            _ => return Err(Refused::Code("unsupported_grant_type")),
        };
        Ok(self.issue(login))
    }

    /// A token, of a login with the next refresh token if one is to be given.
    fn issue(&mut self, login: Option<(u64, bool)>) -> Answer {
        let token = self.random();
        self.demand.tokens.issue(token.clone(), login.map(|(login, _)| login), self.demand.now);
        let expires_in = self.demand.tokens.lifetime.as_secs();
        let mut body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": expires_in });
        if let Some((login, true)) = login {
            let next = self.random();
            body["refresh_token"] = next.clone().into();
            self.logins.give_refresh_token(next, login);
        }
        Answer::json(200, body).with_header("Cache-Control", "no-store")
    }

    /// The user agrees, and is sent back (RFC 6749 §4.1.2).
    fn authorization(&mut self, oauth2: &OAuth2) -> Served {
        let fields = &self.fields;
        let client_id = fields.text("client_id");
        let is_client =
            oauth2.client_id.as_ref().is_none_or(|expected| self.demand.fits(expected, &client_id));
        let redirect_uri = fields.optional("redirect_uri").map(str::to_owned);
        let challenge = fields.optional("code_challenge").map(str::to_owned);
        let is_s256 = challenge.is_none() || fields.text("code_challenge_method") == "S256";
        let Some(back) = redirect_uri.clone().filter(|_| is_client && is_s256) else {
            return Err(Refused::Code("invalid_request"));
        };
        if fields.text("response_type") != "code" {
            return Err(Refused::Code("unsupported_response_type"));
        }
        let state = fields.text("state");
        let text = self.random();
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("code", &text), ("state", &state)])
            .finish();
        let given_at = self.demand.now;
        self.logins.give_code(text, Code { client_id, redirect_uri, challenge, given_at });
        let separator = if back.contains('?') { '&' } else { '?' };
        Ok(Answer::new(302, None).with_header("Location", &format!("{back}{separator}{query}")))
    }

    fn device_authorization(&mut self, oauth2: &OAuth2, received: &Received) -> Served {
        self.client(oauth2, received)?;
        let (device_code, user_code) = (self.random(), random(self.rng)[..8].to_uppercase());
        let page = &self.device_page;
        let body = json!({
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": page,
            "verification_uri_complete": format!("{page}?user_code={user_code}"),
            "expires_in": DEVICE_LIFETIME.as_secs(),
            "interval": DEVICE_INTERVAL.as_secs(),
        });
        self.logins.give_device_code(device_code, user_code, self.demand.now);
        Ok(Answer::json(200, body))
    }

    fn device(&mut self) -> Served {
        match self.logins.agree(&self.fields.text("user_code")) {
            true => Ok(Answer::json(200, json!({ "message": "agreed" }))),
            false => Err(Refused::Code("invalid_request")),
        }
    }

    /// What is not known is as good as revoked (RFC 7009 §2.2).
    fn revocation(&mut self, oauth2: &OAuth2, received: &Received) -> Served {
        self.client(oauth2, received)?;
        let token = self.fields.text("token");
        self.demand.tokens.revoke(&token);
        if let Some(login) = self.logins.end(&token) {
            self.demand.tokens.revoke_login(login);
        }
        Ok(Answer::new(200, None))
    }

    fn installation(&mut self, oauth2: &OAuth2, received: &Received) -> Served {
        let key = match &oauth2.grant {
            Grant::GitHubApp(app) => self.demand.key(Some(&app.private_key)),
            _ => None,
        };
        if !self.demand.holds(bearer_of(received).unwrap_or_default(), key, "") {
            return Err(Refused::Code("invalid_client"));
        }
        let issued = self.issue(None);
        let token = issued.body.as_ref().map(|body| body["access_token"].clone());
        let ends = self.demand.now + self.demand.tokens.lifetime;
        Ok(Answer::json(201, json!({ "token": token, "expires_at": crate::time::rfc3339(ends) })))
    }

    fn client(&self, oauth2: &OAuth2, received: &Received) -> Result<String, Refused> {
        self.demand.client(oauth2, received, &self.fields).ok_or(Refused::Code("invalid_client"))
    }

    fn refuse(&mut self, refused: &Refused) -> Answer {
        match refused {
            Refused::Code("invalid_client") => {
                let answer = Answer::json(401, json!({ "error": "invalid_client" }));
                answer.with_header("WWW-Authenticate", "Basic")
            }
            Refused::Code(code) => Answer::json(400, json!({ "error": code })),
            Refused::Reused(login) => {
                self.demand.tokens.revoke_login(*login);
                let description = "the refresh token was used before: the login is over";
                Answer::json(400, json!({ "error": "invalid_grant", "error_description": description }))
            }
        }
    }

    fn random(&mut self) -> String {
        format!("{}{}", random(self.rng), random(self.rng))
    }
}

const INVALID: Refused = Refused::Code("invalid_grant");
