//! Tokens, and whom a person logs in as.

use std::sync::Arc;

use nuncio_client::auth::jwt::{Algorithm, Header, Signer};
use nuncio_client::auth::key::SigningKey;
use nuncio_client::auth::oauth2::{self, Client, Installation, OAuth2, Server, TokenStore};
use nuncio_client::{Error, Secret};
use url::Url;

use crate::model::{self, ClientAuth, Grant};
use crate::template::{Scope, Template};

/// Where the browser comes back to unless the file says so.
const REDIRECT_URI: &str = "http://127.0.0.1/callback";

/// How a person logs in to a service.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Login {
    /// Who asks, and where.
    pub client: Client,
    /// Where the browser is to come back to.
    pub redirect_uri: Url,
    /// Whether the file wants a code for another device rather than a browser here.
    pub by_device: bool,
}

/// What the texts of a file are read with.
pub(super) struct Reader<'a> {
    pub(super) scope: &'a Scope,
    pub(super) base_url: &'a str,
}

pub(super) fn oauth2(
    described: &model::OAuth2,
    reader: &Reader<'_>,
    tokens: Option<Arc<dyn TokenStore>>,
) -> Result<OAuth2, Error> {
    let oauth2 = reader.grant(described)?;
    Ok(match tokens {
        Some(tokens) => oauth2.store(tokens),
        None => oauth2,
    })
}

pub(super) fn login(described: &model::OAuth2, reader: &Reader<'_>) -> Result<Option<Login>, Error> {
    if !described.grant.is_login() {
        return Ok(None);
    }
    Ok(Some(Login {
        client: reader.client(described)?,
        redirect_uri: url("redirect_uri", described.redirect_uri.as_deref().unwrap_or(REDIRECT_URI))?,
        by_device: matches!(described.grant, Grant::DeviceCode),
    }))
}

impl Reader<'_> {
    fn grant(&self, described: &model::OAuth2) -> Result<OAuth2, Error> {
        let client = || self.client(described);
        Ok(match &described.grant {
            Grant::ClientCredentials => OAuth2::client_credentials(client()?),
            Grant::AuthorizationCode | Grant::DeviceCode => OAuth2::login(client()?),
            Grant::RefreshToken(token) => OAuth2::refresh_token(client()?, self.secret(token)?),
            Grant::JwtBearer(statement) => OAuth2::jwt_bearer(client()?, self.statement(statement)?),
            Grant::TokenExchange(exchange) => OAuth2::token_exchange(client()?, self.exchange(exchange)?),
            Grant::GoogleServiceAccount(account) => {
                let user = self.optional(account.user.as_ref())?;
                let key_file = self.secret(&account.key_file)?;
                OAuth2::google_service_account(&key_file, &described.scopes, user.as_deref())?
            }
            Grant::GitHubApp(app) => OAuth2::github_installation(
                Installation::new(
                    self.text(required("client_id", described.client_id.as_ref())?)?,
                    SigningKey::from_pem(&self.secret(&app.private_key)?)?,
                    self.text(&app.installation)?,
                )
                .api(url("base_url", self.base_url)?),
            ),
        })
    }

    fn client(&self, described: &model::OAuth2) -> Result<Client, Error> {
        let server = self.server(described)?;
        let mut client = match &described.client_id {
            Some(id) => Client::new(server, self.text(id)?),
            None => Client::unregistered(server),
        };
        client = client.auth(self.client_auth(described)?).scopes(&described.scopes);
        if let Some(audience) = &described.audience {
            client = client.audience(self.text(audience)?);
        }
        for resource in &described.resources {
            client = client.resource(self.text(resource)?);
        }
        for (name, value) in &described.params {
            client = client.token_param(name, self.text(value)?);
        }
        for (name, value) in &described.login_params {
            client = client.login_param(name, self.text(value)?);
        }
        Ok(client)
    }

    fn server(&self, described: &model::OAuth2) -> Result<Server, Error> {
        type Put = fn(Server, Url) -> Server;
        let mut server = match &described.issuer {
            Some(issuer) => Server::discover(self.url("issuer", issuer)?),
            None => Server::default(),
        };
        let endpoints: [(&str, &Option<Template>, Put); 4] = [
            ("token_url", &described.token_url, Server::token_endpoint),
            ("authorization_url", &described.authorization_url, Server::authorization_endpoint),
            (
                "device_authorization_url",
                &described.device_authorization_url,
                Server::device_authorization_endpoint,
            ),
            ("revocation_url", &described.revocation_url, Server::revocation_endpoint),
        ];
        for (key, template, put) in endpoints {
            if let Some(template) = template {
                server = put(server, self.url(key, template)?);
            }
        }
        Ok(server)
    }

    fn client_auth(&self, described: &model::OAuth2) -> Result<oauth2::ClientAuth, Error> {
        let secret = || self.secret(required("client_secret", described.client_secret.as_ref())?);
        Ok(match described.client_auth() {
            ClientAuth::None => oauth2::ClientAuth::None,
            ClientAuth::Basic => oauth2::ClientAuth::Basic(secret()?),
            ClientAuth::Body => oauth2::ClientAuth::Body(secret()?),
            ClientAuth::SecretJwt => oauth2::ClientAuth::secret_jwt(&secret()?),
            ClientAuth::PrivateKeyJwt => {
                let key = required("private_key", described.private_key.as_ref())?;
                oauth2::ClientAuth::Jwt(Box::new(self.signer(key, described.key_id.as_ref())?))
            }
            ClientAuth::Tls => oauth2::ClientAuth::Tls,
        })
    }

    fn statement(&self, statement: &model::Statement) -> Result<Signer, Error> {
        let mut signer = self.signer(&statement.private_key, statement.key_id.as_ref())?;
        for (name, value) in &statement.claims {
            signer = signer.claim(name, self.text(value)?);
        }
        Ok(signer)
    }

    fn signer(&self, key: &Template, key_id: Option<&Template>) -> Result<Signer, Error> {
        let key = SigningKey::from_pem(&self.secret(key)?)?;
        let mut header = Header::new(Algorithm::usual_for(key.key_type()));
        header.key_id = self.optional(key_id)?;
        Ok(Signer::new(key).header(header))
    }

    fn exchange(&self, exchange: &model::TokenExchange) -> Result<oauth2::TokenExchange, Error> {
        let mut made = oauth2::TokenExchange::new(self.secret(&exchange.subject_token)?);
        if let Some(kind) = &exchange.subject_token_type {
            made = made.subject_type(kind);
        }
        if let Some(token) = &exchange.actor_token {
            let kind = exchange.actor_token_type.as_deref().unwrap_or(oauth2::TokenExchange::ACCESS_TOKEN);
            made = made.actor(self.secret(token)?, kind);
        }
        if let Some(kind) = &exchange.requested_token_type {
            made = made.requested_type(kind);
        }
        Ok(made)
    }

    fn text(&self, template: &Template) -> Result<String, Error> {
        template.text(self.scope)
    }

    fn optional(&self, template: Option<&Template>) -> Result<Option<String>, Error> {
        template.map(|template| self.text(template)).transpose()
    }

    fn secret(&self, template: &Template) -> Result<Secret, Error> {
        template.secret(self.scope)
    }

    fn url(&self, key: &str, template: &Template) -> Result<Url, Error> {
        let text = self.text(template)?;
        let is_path = text.starts_with('/');
        url(key, &if is_path { format!("{}{text}", self.base_url.trim_end_matches('/')) } else { text })
    }
}

fn url(key: &str, text: &str) -> Result<Url, Error> {
    text.parse().map_err(|error: url::ParseError| {
        Error::configuration(format!("the {key} {text:?} is no URL")).because(error)
    })
}

fn required<'a>(key: &str, template: Option<&'a Template>) -> Result<&'a Template, Error> {
    template.ok_or_else(|| Error::configuration(format!("auth.oauth2 has no {key}, which is needed here")))
}
