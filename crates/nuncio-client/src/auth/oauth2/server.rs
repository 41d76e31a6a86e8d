//! An authorization server: where its endpoints are, told or discovered.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::time::timeout;
use url::Url;

use super::client_auth::ClientAuth;
use super::discovery::{self, Metadata};
use crate::auth::Exchange;
use crate::{Error, Kind};

/// An authorization server.
///
/// ```
/// use nuncio_client::auth::oauth2::Server;
///
/// let told = Server::new("https://auth.example.com/token".parse()?)
///     .authorization_endpoint("https://auth.example.com/authorize".parse()?);
/// let discovered = Server::discover("https://auth.example.com".parse()?);
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Server {
    issuer: Option<Url>,
    told: Told,
    discovered: Arc<OnceCell<Endpoints>>,
}

#[derive(Debug, Clone, Default)]
struct Told {
    token: Option<Url>,
    authorization: Option<Url>,
    device_authorization: Option<Url>,
    revocation: Option<Url>,
}

/// Where to ask for what.
#[derive(Debug, Clone)]
pub(super) struct Endpoints {
    pub(super) issuer: Option<String>,
    pub(super) token: Url,
    pub(super) authorization: Option<Url>,
    pub(super) device_authorization: Option<Url>,
    pub(super) revocation: Option<Url>,
    /// Whether every answer to an authorization request names the issuer (RFC 9207, section 3).
    pub(super) names_issuer: bool,
}

impl From<Url> for Server {
    fn from(token_endpoint: Url) -> Self {
        Self::new(token_endpoint)
    }
}

impl Server {
    /// The server with this token endpoint.
    #[must_use]
    pub fn new(token_endpoint: Url) -> Self {
        Self::default().token_endpoint(token_endpoint)
    }

    /// The server that calls itself `issuer`. It is asked for its endpoints when they are first needed (RFC 8414; OpenID Connect
    /// Discovery); those that are told as well are taken as told.
    #[must_use]
    pub fn discover(issuer: Url) -> Self {
        Self { issuer: Some(issuer), ..Self::default() }
    }

    /// Where tokens are asked for (RFC 6749, section 3.2).
    #[must_use]
    pub fn token_endpoint(mut self, url: Url) -> Self {
        self.told.token = Some(url);
        self
    }

    /// Where a user agrees in the browser (RFC 6749, section 3.1).
    #[must_use]
    pub fn authorization_endpoint(mut self, url: Url) -> Self {
        self.told.authorization = Some(url);
        self
    }

    /// Where a device begins (RFC 8628, section 3.1).
    #[must_use]
    pub fn device_authorization_endpoint(mut self, url: Url) -> Self {
        self.told.device_authorization = Some(url);
        self
    }

    /// Where tokens are given back (RFC 7009).
    #[must_use]
    pub fn revocation_endpoint(mut self, url: Url) -> Self {
        self.told.revocation = Some(url);
        self
    }

    /// Where a client that shows itself by `auth` asks for what.
    pub(super) async fn endpoints(&self, auth: &ClientAuth, exchange: &Exchange) -> Result<Endpoints, Error> {
        let Some(issuer) = &self.issuer else {
            return self.endpoints_of(Metadata::default());
        };
        let discover = || async {
            let metadata = discovery::metadata(issuer, exchange).await?;
            self.endpoints_of(if matches!(auth, ClientAuth::Tls) { metadata.for_tls() } else { metadata })
        };
        self.discovered.get_or_try_init(discover).await.cloned()
    }

    pub(super) async fn endpoints_within(
        &self,
        within: Duration,
        auth: &ClientAuth,
        exchange: &Exchange,
    ) -> Result<Endpoints, Error> {
        let late =
            || Error::new(Kind::Timeout, format!("the issuer did not describe itself within {within:?}"));
        timeout(within, self.endpoints(auth, exchange)).await.unwrap_or_else(|_| Err(late()))
    }

    /// What is told goes before what was discovered.
    fn endpoints_of(&self, found: Metadata) -> Result<Endpoints, Error> {
        let told = self.told.clone();
        Ok(Endpoints {
            token: told.token.or(found.token_endpoint).ok_or_else(|| missing("token", "token_url"))?,
            authorization: told.authorization.or(found.authorization_endpoint),
            device_authorization: told.device_authorization.or(found.device_authorization_endpoint),
            revocation: told.revocation.or(found.revocation_endpoint),
            issuer: found.issuer,
            names_issuer: found.authorization_response_iss_parameter_supported,
        })
    }
}

/// The error for an endpoint that nobody told and the server does not name.
pub(super) fn missing(endpoint: &str, key: &str) -> Error {
    Error::configuration(format!("the {endpoint} endpoint of the authorization server is not known"))
        .advise(format!("say where it is (`{key}`), or name the issuer, if the server describes itself"))
}
