use nuncio_client::Error;
use nuncio_client::auth::ApiKey;

use crate::model::{self, KeyPlace};
use crate::request::header_name;
use crate::template::Scope;

pub(super) fn api_key(key: &model::ApiKey, scope: &Scope) -> Result<ApiKey, Error> {
    let secret = key.value.secret(scope)?;
    let described = match key.place() {
        Some(KeyPlace::Header(name)) => ApiKey::header(header_name(name)?, secret),
        Some(KeyPlace::Query(name)) => ApiKey::query(name, secret),
        Some(KeyPlace::Cookie(name)) => ApiKey::cookie(name, secret),
        None => return Err(Error::configuration("a key goes to exactly one of: header, query, cookie")),
    };
    Ok(if key.prefix.is_empty() { described } else { described.prefix(&key.prefix) })
}
