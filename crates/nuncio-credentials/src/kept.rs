//! Tokens as the store writes them.

use std::time::{SystemTime, UNIX_EPOCH};

use nuncio_client::Secret;
use nuncio_client::auth::oauth2::Tokens;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::rows::{milliseconds, time};

/// Times in milliseconds since 1970.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
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

impl Kept {
    pub(crate) fn of(tokens: &Tokens) -> Self {
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
        Self {
            access_token: exposed(access_token),
            token_type: token_type.clone(),
            refresh_token: exposed(refresh_token),
            id_token: exposed(id_token),
            expires_at: expires_at.map(since_epoch),
            obtained_at: since_epoch(*obtained_at),
            scopes: scopes.clone(),
            refresh_started: refresh_started.map(since_epoch),
            needs_login: needs_login.clone(),
        }
    }

    pub(crate) fn tokens(self) -> Tokens {
        Tokens {
            access_token: self.access_token.map(Secret::new),
            token_type: self.token_type,
            refresh_token: self.refresh_token.map(Secret::new),
            id_token: self.id_token.map(Secret::new),
            expires_at: self.expires_at.map(time),
            obtained_at: time(self.obtained_at),
            scopes: self.scopes,
            refresh_started: self.refresh_started.map(time),
            needs_login: self.needs_login,
        }
    }
}

pub(crate) fn to_json(tokens: &Tokens) -> Zeroizing<String> {
    Zeroizing::new(serde_json::to_string(&Kept::of(tokens)).expect("text and numbers are always JSON"))
}

/// Nothing for what another version wrote.
pub(crate) fn from_json(text: &str) -> Option<Tokens> {
    serde_json::from_str(text).ok().map(Kept::tokens)
}

fn since_epoch(time: SystemTime) -> i64 {
    milliseconds(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}
