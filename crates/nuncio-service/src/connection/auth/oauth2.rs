use nuncio_client::Error;
use nuncio_client::auth::oauth2::{self, ClientCredentials};
use url::Url;

use crate::model::{self, ClientAuth};
use crate::template::Scope;

pub(super) fn client_credentials(
    oauth2: &model::OAuth2,
    scope: &Scope,
    base_url: &str,
) -> Result<ClientCredentials, Error> {
    let url = oauth2.token_url.text(scope)?;
    let url = if url.starts_with('/') { format!("{}{url}", base_url.trim_end_matches('/')) } else { url };
    let url: Url = url.parse().map_err(|error: url::ParseError| {
        Error::configuration(format!("the token URL {url:?} is no URL")).because(error)
    })?;
    let mut client =
        ClientCredentials::new(url, oauth2.client_id.text(scope)?, oauth2.client_secret.secret(scope)?)
            .scopes(&oauth2.scopes)
            .client_auth(match oauth2.client_auth {
                ClientAuth::Basic => oauth2::ClientAuth::Basic,
                ClientAuth::Body => oauth2::ClientAuth::Body,
            });
    if let Some(audience) = &oauth2.audience {
        client = client.audience(audience.text(scope)?);
    }
    for (name, value) in &oauth2.params {
        client = client.param(name, value.text(scope)?);
    }
    Ok(client)
}
