//! The key `auth.oauth2`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::template::Template;

/// Tokens of an OAuth 2.0 authorization server (RFC 6749).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OAuth2 {
    /// What a token is asked for with. Default: `client_credentials`.
    #[serde(default)]
    pub grant: Grant,
    /// The server's own name, a URL. It is asked there where its endpoints are (RFC 8414, OpenID Connect Discovery); those that are given as
    /// well are taken as given.
    pub issuer: Option<Template>,
    /// Where tokens come from; a path is relative to `base_url`, here and in the other URLs.
    pub token_url: Option<Template>,
    /// Where a user agrees in the browser.
    pub authorization_url: Option<Template>,
    /// Where a device begins a login (RFC 8628).
    pub device_authorization_url: Option<Template>,
    /// Where tokens are given back at logout (RFC 7009).
    pub revocation_url: Option<Template>,
    /// Where the browser comes back to after a login, as the provider knows it: this machine. Default: `http://127.0.0.1/callback`, on a
    /// port that is free.
    pub redirect_uri: Option<String>,
    /// The client's id.
    pub client_id: Option<Template>,
    /// The client's secret.
    pub client_secret: Option<Template>,
    /// The client's private key as PEM, for `private_key_jwt`.
    pub private_key: Option<Template>,
    /// Which of the client's keys `private_key` is, where the server knows several.
    pub key_id: Option<Template>,
    /// How the client shows itself. Default: `basic` with a secret, `private_key_jwt` with a private key, `none` with neither.
    pub client_auth: Option<ClientAuth>,
    /// Scopes to ask for. Default: none, the server chooses.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The parameter `audience`, which some servers want.
    pub audience: Option<Template>,
    /// The APIs that the token is for, by their URLs (RFC 8707). Default: none.
    #[serde(default)]
    pub resources: Vec<Template>,
    /// Further parameters of the token request.
    #[serde(default)]
    pub params: BTreeMap<String, Template>,
    /// Further parameters of the request that begins a login, such as `prompt`.
    #[serde(default)]
    pub login_params: BTreeMap<String, Template>,
}

/// What a token is asked for with. Write a name or one key.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// The client's own credentials: it acts for itself (RFC 6749 §4.4).
    #[default]
    ClientCredentials,
    /// What a user agreed to in the browser, by `nuncio login` (RFC 6749 §4.1, with PKCE).
    AuthorizationCode,
    /// What a user agreed to on another device, by `nuncio login` (RFC 8628).
    DeviceCode,
    /// A refresh token that was got elsewhere (RFC 6749 §6).
    RefreshToken(Template),
    /// A signed statement of whom the client acts for (RFC 7523 §2.1).
    JwtBearer(Statement),
    /// A token of another kind (RFC 8693).
    TokenExchange(TokenExchange),
    /// The key file of a Google service account.
    GoogleServiceAccount(GoogleServiceAccount),
    /// A GitHub App, for one of its installations.
    #[serde(rename = "github_app")]
    GitHubApp(GitHubApp),
}

/// A statement that is signed for each token.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// The key that signs it, as PEM.
    pub private_key: Template,
    /// Which key it is, where the server knows several.
    pub key_id: Option<Template>,
    /// What it says, such as `iss` and `sub`. `aud` is the token endpoint unless it is said here; the times are added.
    pub claims: BTreeMap<String, Template>,
}

/// A token that is exchanged for another.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenExchange {
    /// The token of whom the client acts for.
    pub subject_token: Template,
    /// Its type. Default: `urn:ietf:params:oauth:token-type:access_token`.
    pub subject_token_type: Option<String>,
    /// The token of who acts. Default: none.
    pub actor_token: Option<Template>,
    /// Its type. Default: `urn:ietf:params:oauth:token-type:access_token`.
    pub actor_token_type: Option<String>,
    /// The type of token that is wanted. Default: the server chooses.
    pub requested_token_type: Option<String>,
}

/// A Google service account.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GoogleServiceAccount {
    /// The content of its key file, JSON.
    pub key_file: Template,
    /// The user it acts for, where the Workspace domain allows that. Default: itself.
    pub user: Option<Template>,
}

/// An installation of a GitHub App. The app's id is the `client_id`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GitHubApp {
    /// The app's private key, as PEM.
    pub private_key: Template,
    /// The installation's id.
    pub installation: Template,
}

/// How the client shows itself to its server (RFC 6749 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// By its id alone: a public client.
    None,
    /// In the `Authorization: Basic` header.
    Basic,
    /// As `client_id` and `client_secret` in the body.
    Body,
    /// By a statement signed with its secret (RFC 7523 §2.2).
    SecretJwt,
    /// By a statement signed with its private key (RFC 7523 §2.2).
    PrivateKeyJwt,
    /// By the certificate of the connection (RFC 8705).
    Tls,
}

impl OAuth2 {
    /// How the client shows itself, where the file says nothing by what it has.
    #[must_use]
    pub fn client_auth(&self) -> ClientAuth {
        self.client_auth.unwrap_or(match (&self.client_secret, &self.private_key) {
            (Some(_), _) => ClientAuth::Basic,
            (None, Some(_)) => ClientAuth::PrivateKeyJwt,
            (None, None) => ClientAuth::None,
        })
    }

    /// Its keys that hold a template, those of maps and of the grant left out.
    #[must_use]
    pub fn keys(&self) -> Vec<(&'static str, &Template)> {
        let keys = [
            ("issuer", &self.issuer),
            ("token_url", &self.token_url),
            ("authorization_url", &self.authorization_url),
            ("device_authorization_url", &self.device_authorization_url),
            ("revocation_url", &self.revocation_url),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
            ("private_key", &self.private_key),
            ("key_id", &self.key_id),
            ("audience", &self.audience),
        ];
        present(keys)
    }

    /// Everything in it that is a template.
    #[must_use]
    pub fn templates(&self) -> Vec<&Template> {
        let fixed = self.keys().into_iter().chain(self.grant.keys()).map(|(_, template)| template);
        let claims = match &self.grant {
            Grant::JwtBearer(statement) => Some(statement.claims.values()),
            _ => None,
        };
        fixed
            .chain(&self.resources)
            .chain(self.params.values())
            .chain(self.login_params.values())
            .chain(claims.into_iter().flatten())
            .collect()
    }
}

impl Grant {
    /// Its key in the file.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode => "authorization_code",
            Self::DeviceCode => "device_code",
            Self::RefreshToken(_) => "refresh_token",
            Self::JwtBearer(_) => "jwt_bearer",
            Self::TokenExchange(_) => "token_exchange",
            Self::GoogleServiceAccount(_) => "google_service_account",
            Self::GitHubApp(_) => "github_app",
        }
    }

    /// Whether a person logs in.
    #[must_use]
    pub fn is_login(&self) -> bool {
        matches!(self, Self::AuthorizationCode | Self::DeviceCode)
    }

    /// Its keys that hold a template, claims left out.
    #[must_use]
    pub fn keys(&self) -> Vec<(&'static str, &Template)> {
        match self {
            Self::ClientCredentials | Self::AuthorizationCode | Self::DeviceCode => Vec::new(),
            Self::RefreshToken(token) => vec![("refresh_token", token)],
            Self::JwtBearer(Statement { private_key, key_id, .. }) => {
                [("private_key", private_key)].into_iter().chain(present([("key_id", key_id)])).collect()
            }
            Self::TokenExchange(TokenExchange { subject_token, actor_token, .. }) => {
                let actor = present([("actor_token", actor_token)]);
                [("subject_token", subject_token)].into_iter().chain(actor).collect()
            }
            Self::GoogleServiceAccount(GoogleServiceAccount { key_file, user }) => {
                [("key_file", key_file)].into_iter().chain(present([("user", user)])).collect()
            }
            Self::GitHubApp(GitHubApp { private_key, installation }) => {
                vec![("private_key", private_key), ("installation", installation)]
            }
        }
    }
}

fn present<'a>(
    keys: impl IntoIterator<Item = (&'static str, &'a Option<Template>)>,
) -> Vec<(&'static str, &'a Template)> {
    keys.into_iter().filter_map(|(key, template)| Some((key, template.as_ref()?))).collect()
}
