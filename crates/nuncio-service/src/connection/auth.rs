//! Credentials, from the file and the environment.

use nuncio_client::Error;
use nuncio_client::auth::hmac::{self, HmacSigner, Key, TimestampFormat};
use nuncio_client::auth::oauth2::{self, ClientCredentials};
use nuncio_client::auth::{ApiKey, Auth};
use url::Url;

use crate::model::{self, Algorithm, ClientAuth, Encoding, KeyPlace, TimeFormat};
use crate::request::header_name;
use crate::template::Scope;

pub(super) fn auth(described: &model::Auth, scope: &Scope, base_url: &str) -> Result<Auth, Error> {
    match described {
        model::Auth::None => Ok(Auth::none()),
        model::Auth::Bearer(token) => Ok(Auth::bearer(token.secret(scope)?)),
        model::Auth::Basic(basic) => Auth::basic(&basic.user.text(scope)?, basic.password.secret(scope)?),
        model::Auth::ApiKey(key) => api_key(key, scope).map(Auth::api_key),
        model::Auth::OAuth2(oauth2) => client_credentials(oauth2, scope, base_url).map(Auth::oauth2),
        model::Auth::Hmac(hmac) => signer(hmac, scope).map(Auth::hmac),
    }
}

fn api_key(key: &model::ApiKey, scope: &Scope) -> Result<ApiKey, Error> {
    let secret = key.value.secret(scope)?;
    let described = match key.place() {
        Some(KeyPlace::Header(name)) => ApiKey::header(header_name(name)?, secret),
        Some(KeyPlace::Query(name)) => ApiKey::query(name, secret),
        Some(KeyPlace::Cookie(name)) => ApiKey::cookie(name, secret),
        None => return Err(Error::configuration("a key goes to exactly one of: header, query, cookie")),
    };
    Ok(if key.prefix.is_empty() { described } else { described.prefix(&key.prefix) })
}

fn client_credentials(
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

fn signer(hmac: &model::Hmac, scope: &Scope) -> Result<HmacSigner, Error> {
    let mut signer = HmacSigner::new(Key::verbatim(&hmac.secret.secret(scope)?))
        .algorithm(match hmac.algorithm {
            Algorithm::Sha256 => hmac::Algorithm::Sha256,
            Algorithm::Sha1 => hmac::Algorithm::Sha1,
            Algorithm::Sha512 => hmac::Algorithm::Sha512,
        })
        .encoding(match hmac.encoding {
            Encoding::Hex => hmac::Encoding::Hex,
            Encoding::Base64 => hmac::Encoding::Base64,
        });
    if let Some(sign) = &hmac.sign {
        signer = signer.template(sign.parse()?);
    }
    if let Some(signature) = &hmac.signature {
        signer = signer.signature_header(header_name(&signature.header)?).signature_prefix(&signature.prefix);
    }
    if let Some(timestamp) = &hmac.timestamp {
        signer = signer.timestamp_header(header_name(&timestamp.header)?).timestamp_format(
            match timestamp.format {
                TimeFormat::Seconds => TimestampFormat::Seconds,
                TimeFormat::Milliseconds => TimestampFormat::Milliseconds,
                TimeFormat::Rfc3339 => TimestampFormat::Rfc3339,
            },
        );
    }
    if let Some(nonce) = &hmac.nonce {
        signer = signer.nonce_header(header_name(&nonce.header)?);
    }
    if let Some(key_id) = &hmac.key_id {
        signer = signer.key_id(header_name(&key_id.header)?, key_id.value.secret(scope)?.header("")?);
    }
    Ok(signer)
}
