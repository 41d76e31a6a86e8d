use nuncio_client::Error;
use nuncio_client::auth::oauth2::{self, Client, OAuth2};
use url::Url;

use crate::model::{self, ClientAuth};
use crate::template::Scope;

pub(super) fn oauth2(described: &model::OAuth2, scope: &Scope, base_url: &str) -> Result<OAuth2, Error> {
    client(described, scope, base_url).map(OAuth2::client_credentials)
}

fn client(described: &model::OAuth2, scope: &Scope, base_url: &str) -> Result<Client, Error> {
    let url = described.token_url.text(scope)?;
    let url = if url.starts_with('/') { format!("{}{url}", base_url.trim_end_matches('/')) } else { url };
    let url: Url = url.parse().map_err(|error: url::ParseError| {
        Error::configuration(format!("the token URL {url:?} is no URL")).because(error)
    })?;
    let secret = described.client_secret.secret(scope)?;
    let mut client = Client::new(url, described.client_id.text(scope)?).scopes(&described.scopes).auth(
        match described.client_auth {
            ClientAuth::Basic => oauth2::ClientAuth::Basic(secret),
            ClientAuth::Body => oauth2::ClientAuth::Body(secret),
        },
    );
    if let Some(audience) = &described.audience {
        client = client.audience(audience.text(scope)?);
    }
    for (name, value) in &described.params {
        client = client.token_param(name, value.text(scope)?);
    }
    Ok(client)
}
