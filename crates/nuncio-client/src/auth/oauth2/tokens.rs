//! What an authorization server gave to one connection.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use url::Url;

use crate::auth::Exchange;
use crate::{Event, Secret, redact};

/// The tokens of one connection, and how far replacing them has come. What a [`TokenStore`](super::TokenStore) keeps.
///
/// A store names each field, so that one which is added here is not forgotten there: the struct is exhaustive for that reason.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// What calls carry. Nothing: none was got yet.
    pub access_token: Option<Secret>,
    /// How calls carry it, as the server wrote it. Default: `Bearer`.
    pub token_type: String,
    /// What the next access token is got with. Nothing: the grant gives none, or nobody has logged in.
    pub refresh_token: Option<Secret>,
    /// Who logged in, as a signed JWT (OpenID Connect Core, section 2). Kept as it came and not verified: it is taken from the
    /// token endpoint alone, over TLS (section 3.1.3.7, rule 6).
    pub id_token: Option<Secret>,
    /// When the access token expires. Nothing: it is good until it is refused.
    pub expires_at: Option<SystemTime>,
    /// When the access token came. Default: 1970.
    pub obtained_at: SystemTime,
    /// The rights that the server gave (RFC 6749, section 5.1). Empty: those that were asked for.
    pub scopes: Vec<String>,
    /// When a refresh was begun whose answer is not kept yet. It may have used the refresh token up.
    pub refresh_started: Option<SystemTime>,
    /// Why no token can be got until someone logs in again.
    pub needs_login: Option<String>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            access_token: None,
            token_type: "Bearer".to_owned(),
            refresh_token: None,
            id_token: None,
            expires_at: None,
            obtained_at: UNIX_EPOCH,
            scopes: Vec::new(),
            refresh_started: None,
            needs_login: None,
        }
    }
}

impl Tokens {
    /// From when the access token came to when it expires. Nothing: good until it is refused.
    #[must_use]
    pub fn lifetime(&self) -> Option<Duration> {
        Some(self.expires_at?.duration_since(self.obtained_at).unwrap_or_default())
    }

    /// Tells that they came from `url`.
    pub(super) fn announce(&self, url: &Url, exchange: &Exchange) {
        let good = match self.lifetime() {
            Some(lifetime) if lifetime.is_zero() => "good for once".to_owned(),
            Some(lifetime) => format!("good for {} s", lifetime.as_secs()),
            None => "good until it is refused".to_owned(),
        };
        let reason = format!("fetched an access token from {}, {good}", redact::url(url));
        exchange.observer.notify(&Event::Token { reason: &reason });
    }
}
