//! What the types cannot say of credentials.

use std::str::FromStr;

use nuncio_client::Error;
use nuncio_client::auth::{hmac, jwt, message_signature};
use url::Url;

use super::{Findings, Sees};
use crate::model::{
    ApiKey, Auth, ClientAuth, Grant, Hmac, Jwt, Key, MessageSignature, OAuth1, OAuth1Method, OAuth2, Service,
    Session, SigV4,
};
use crate::suggest::unknown;
use crate::template::Template;

impl Findings<'_> {
    pub(super) fn auth(&mut self, auth: &Auth) {
        self.under(&["auth"], |found| match auth {
            Auth::None => {}
            Auth::Bearer(token) => found.template("bearer", token, Sees::Env),
            Auth::ApiKey(key) => found.under(&["api_key"], |found| found.api_key(key)),
            Auth::Basic(basic) => found.under(&["basic"], |found| {
                found.template("user", &basic.user, Sees::Env);
                found.template("password", &basic.password, Sees::Env);
            }),
            Auth::OAuth2(oauth2) => found.under(&["oauth2"], |found| found.oauth2(oauth2)),
            Auth::Digest(digest) => found.under(&["digest"], |found| {
                found.template("user", &digest.user, Sees::Env);
                found.template("password", &digest.password, Sees::Env);
            }),
            Auth::Jwt(jwt) => found.under(&["jwt"], |found| found.jwt(jwt)),
            Auth::Hmac(hmac) => found.under(&["hmac"], |found| found.hmac(hmac)),
            Auth::SigV4(sigv4) => found.under(&["sigv4"], |found| found.sigv4(sigv4)),
            Auth::OAuth1(oauth1) => found.under(&["oauth1"], |found| found.oauth1(oauth1)),
            Auth::MessageSignature(it) => {
                found.under(&["message_signature"], |found| found.message_signature(it));
            }
            Auth::Session(session) => found.under(&["session"], |found| found.session(session)),
        });
    }

    fn api_key(&mut self, key: &ApiKey) {
        if key.place().is_none() {
            self.wrong_here("a key goes to exactly one of: header, query, cookie");
        }
        if let Some(name) = &key.header {
            self.header("header", name);
        }
        self.template("value", &key.value, Sees::Env);
    }

    fn session(&mut self, session: &Session) {
        if session.token.is_some() == session.cookie.is_some() {
            self.wrong_here("a session has exactly one of: token, cookie");
        }
        if session.cookie.is_some() && (session.header.is_some() || session.prefix.is_some()) {
            self.wrong("cookie", "a cookie goes back as a cookie: leave header and prefix out");
        }
        if let Some(name) = &session.header {
            self.header("header", name);
        }
        self.under(&["input"], |found| {
            for (name, value) in &session.input {
                found.template(name, value, Sees::Env);
            }
        });
    }

    /// The operation that begins a session must be there, and not ask for one itself.
    pub(super) fn login(&mut self, service: &Service, auth: &Auth) {
        let Auth::Session(session) = auth else { return };
        self.under(&["auth", "session"], |found| match service.operations.get(&session.login) {
            None => {
                let known: Vec<&str> = service.operations.keys().map(String::as_str).collect();
                found.wrong("login", unknown("operation", &session.login, &known));
            }
            Some(operation) if !matches!(operation.auth, Some(Auth::None)) => {
                found.wrong(
                    "login",
                    format!("the operation {} begins the session: give it `auth: none`", session.login),
                );
            }
            Some(operation) => {
                let known: Vec<&str> = operation.input.keys().map(String::as_str).collect();
                for name in session.input.keys().filter(|name| !operation.input.contains_key(*name)) {
                    found.wrong("input", unknown("input", name, &known));
                }
            }
        });
    }

    fn oauth2(&mut self, oauth2: &OAuth2) {
        for (key, template) in oauth2.keys() {
            let url = template.source();
            let is_url = key == "issuer" || key.ends_with("_url");
            if is_url && template.is_literal() && !url.starts_with('/') && url.parse::<Url>().is_err() {
                self.wrong(key, format!("{url:?} is neither a URL nor a path under base_url"));
            }
            self.template(key, template, Sees::Env);
        }
        for (key, params) in [("params", &oauth2.params), ("login_params", &oauth2.login_params)] {
            self.under(&[key], |found| {
                for (name, value) in params {
                    found.template(name, value, Sees::Env);
                }
            });
        }
        self.grant(&oauth2.grant);
        self.lacks(oauth2);
    }

    fn grant(&mut self, grant: &Grant) {
        if let Grant::RefreshToken(token) = grant {
            return self.under(&["grant"], |found| found.template("refresh_token", token, Sees::Env));
        }
        self.under(&["grant", grant.name()], |found| {
            for (key, template) in grant.keys() {
                found.template(key, template, Sees::Env);
            }
            if let Grant::JwtBearer(statement) = grant {
                found.under(&["claims"], |found| {
                    for (name, value) in &statement.claims {
                        found.template(name, value, Sees::Env);
                    }
                });
            }
        });
    }

    /// What the grant and the way the client shows itself need, and is not there.
    fn lacks(&mut self, oauth2: &OAuth2) {
        let grant = oauth2.grant.name();
        let mut need = |is_there: bool, what: &str, why: &str| {
            if !is_there {
                self.wrong_here(format!("{why} needs {what}"));
            }
        };
        let finds = |endpoint: &Option<Template>| oauth2.issuer.is_some() || endpoint.is_some();
        if !matches!(oauth2.grant, Grant::GoogleServiceAccount(_) | Grant::GitHubApp(_)) {
            need(finds(&oauth2.token_url), "token_url or issuer", grant);
        }
        match oauth2.grant {
            Grant::AuthorizationCode => {
                need(finds(&oauth2.authorization_url), "authorization_url or issuer", grant);
            }
            Grant::DeviceCode => {
                need(finds(&oauth2.device_authorization_url), "device_authorization_url or issuer", grant);
            }
            Grant::ClientCredentials => {
                let shows_nothing = oauth2.client_auth() == ClientAuth::None;
                need(!shows_nothing, "client_secret, private_key or client_auth: tls", grant);
            }
            _ => {}
        }
        if !matches!(oauth2.grant, Grant::GoogleServiceAccount(_) | Grant::JwtBearer(_)) {
            need(oauth2.client_id.is_some(), "client_id", grant);
        }
        match oauth2.client_auth() {
            ClientAuth::None | ClientAuth::Tls => {}
            ClientAuth::Basic | ClientAuth::Body | ClientAuth::SecretJwt => {
                need(oauth2.client_secret.is_some(), "client_secret", "client_auth");
            }
            ClientAuth::PrivateKeyJwt => need(oauth2.private_key.is_some(), "private_key", "client_auth"),
        }
    }

    fn hmac(&mut self, hmac: &Hmac) {
        self.template("secret", &hmac.secret, Sees::Env);
        let headers = [
            ("signature", hmac.signature.as_ref().map(|signature| &signature.header)),
            ("timestamp", hmac.timestamp.as_ref().map(|timestamp| &timestamp.header)),
            ("nonce", hmac.nonce.as_ref().map(|nonce| &nonce.header)),
            ("key_id", hmac.key_id.as_ref().map(|key_id| &key_id.header)),
        ];
        for (key, name) in headers.into_iter().filter_map(|(key, name)| Some((key, name?))) {
            self.under(&[key], |found| found.header("header", name));
        }
        if let Some(Err(error)) = hmac.sign.as_deref().map(str::parse::<hmac::Template>) {
            self.wrong("sign", error.to_string());
        }
        if let Some(key_id) = &hmac.key_id {
            self.under(&["key_id"], |found| found.template("value", &key_id.value, Sees::Env));
        }
    }

    fn jwt(&mut self, jwt: &Jwt) {
        self.key(&jwt.key);
        self.parses::<jwt::Algorithm>("algorithm", jwt.algorithm.as_ref());
        self.optional("key_id", jwt.key_id.as_ref());
        self.under(&["claims"], |found| {
            for (name, value) in &jwt.claims {
                found.template(name, value, Sees::Env);
            }
        });
    }

    fn sigv4(&mut self, sigv4: &SigV4) {
        self.template("access_key_id", &sigv4.access_key_id, Sees::Env);
        self.template("secret_access_key", &sigv4.secret_access_key, Sees::Env);
        self.optional("session_token", sigv4.session_token.as_ref());
        self.template("region", &sigv4.region, Sees::Env);
        self.template("service", &sigv4.service, Sees::Env);
    }

    fn oauth1(&mut self, oauth1: &OAuth1) {
        self.template("consumer_key", &oauth1.consumer_key, Sees::Env);
        self.template("consumer_secret", &oauth1.consumer_secret, Sees::Env);
        self.optional("token", oauth1.token.as_ref());
        self.template("token_secret", &oauth1.token_secret, Sees::Env);
        self.optional("private_key", oauth1.private_key.as_ref());
        if (oauth1.method == OAuth1Method::RsaSha1) != oauth1.private_key.is_some() {
            self.wrong_here("a private_key goes with the method rsa_sha1, and with it alone");
        }
    }

    fn message_signature(&mut self, it: &MessageSignature) {
        self.key(&it.key);
        self.parses::<message_signature::Algorithm>("algorithm", it.algorithm.as_ref());
        self.optional("key_id", it.key_id.as_ref());
        for component in it.components.iter().flatten() {
            self.parses::<message_signature::Component>("components", Some(component));
        }
    }

    fn key(&mut self, key: &Key) {
        self.under(&["key"], |found| {
            if key.template().is_none() {
                found.wrong_here("what signs is exactly one of: private_key, secret");
            }
            found.optional("private_key", key.private_key.as_ref());
            found.optional("secret", key.secret.as_ref());
        });
    }

    fn optional(&mut self, key: &str, template: Option<&Template>) {
        if let Some(template) = template {
            self.template(key, template, Sees::Env);
        }
    }

    fn parses<T: FromStr<Err = Error>>(&mut self, key: &str, text: Option<&String>) {
        if let Some(Err(error)) = text.map(|text| text.parse::<T>()) {
            let advice = error.advice().map(|advice| format!(": {advice}")).unwrap_or_default();
            self.wrong(key, format!("{error}{advice}"));
        }
    }
}
