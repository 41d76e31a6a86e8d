//! Tokens as the store writes them.

use std::time::{SystemTime, UNIX_EPOCH};

use nuncio_client::Secret;
use nuncio_client::auth::oauth2::Tokens;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::store::{milliseconds, time};

/// Times in milliseconds since 1970.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    access_token: Option<String>,
    token_type: String,
    refresh_token: Option<String>,
    id_token: Option<String>,
    expires_at: Option<i64>,
    obtained_at: i64,
    scopes: Vec<String>,
    refresh_started: Option<i64>,
    needs_login: Option<String>,
}

pub(crate) fn to_json(tokens: &Tokens) -> Zeroizing<String> {
    // Each by its name, so that a field which is added there is not forgotten here.
    let Tokens {
        access_token,
        token_type,
        refresh_token,
        id_token,
        expires_at,
        obtained_at,
        scopes,
        refresh_started,
        needs_login,
    } = tokens;
    let exposed = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
    let kept = Kept {
        access_token: exposed(access_token),
        token_type: token_type.clone(),
        refresh_token: exposed(refresh_token),
        id_token: exposed(id_token),
        expires_at: expires_at.map(since_epoch),
        obtained_at: since_epoch(*obtained_at),
        scopes: scopes.clone(),
        refresh_started: refresh_started.map(since_epoch),
        needs_login: needs_login.clone(),
    };
    Zeroizing::new(serde_json::to_string(&kept).expect("text and numbers are always JSON"))
}

/// Nothing for what another version wrote.
pub(crate) fn from_json(text: &str) -> Option<Tokens> {
    let kept: Kept = serde_json::from_str(text).ok()?;
    Some(Tokens {
        access_token: kept.access_token.map(Secret::new),
        token_type: kept.token_type,
        refresh_token: kept.refresh_token.map(Secret::new),
        id_token: kept.id_token.map(Secret::new),
        expires_at: kept.expires_at.map(time),
        obtained_at: time(kept.obtained_at),
        scopes: kept.scopes,
        refresh_started: kept.refresh_started.map(time),
        needs_login: kept.needs_login,
    })
}

fn since_epoch(time: SystemTime) -> i64 {
    milliseconds(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}
