//! The OAuth 2.0 token endpoint (RFC 6749 §4.4).

use std::collections::HashMap;
use std::time::Duration;

use nuncio_service::model::OAuth2;
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::answer::Answer;
use crate::auth::{Demand, basic_of};
use crate::wire::Received;

/// The tokens that are worth something.
pub(crate) struct Tokens {
    lifetime: Duration,
    uses: Option<u64>,
    valid: HashMap<String, Token>,
}

struct Token {
    expires_at: Duration,
    used: u64,
}

impl Tokens {
    /// Tokens that are accepted for `lifetime`, and at most `uses` times.
    pub(crate) fn new(lifetime: Duration, uses: Option<u64>) -> Self {
        Self { lifetime, uses, valid: HashMap::new() }
    }

    /// Whether `token` is worth something; counts as a use.
    pub(crate) fn accepts(&mut self, token: &str, now: Duration) -> bool {
        let uses = self.uses;
        self.valid.get_mut(token).is_some_and(|token| {
            token.used += 1;
            now < token.expires_at && uses.is_none_or(|most| token.used <= most)
        })
    }

    pub(crate) fn revoke(&mut self, token: &str) {
        self.valid.remove(token);
    }

    fn issue(&mut self, token: String, now: Duration) {
        self.valid.retain(|_, token| now < token.expires_at);
        self.valid.insert(token, Token { expires_at: now + self.lifetime, used: 0 });
    }
}

impl Demand<'_> {
    /// Answers a token request; `token` is handed out when it is right.
    pub(crate) fn exchange(&mut self, oauth2: &OAuth2, received: &Received, token: &str) -> Answer {
        let refused = |status, error: &str| {
            let answer = Answer::json(status, json!({ "error": error }));
            if status == 401 { answer.with_header("WWW-Authenticate", "Basic") } else { answer }
        };
        let fields = received.body_fields().unwrap_or_default();
        let field =
            |name: &str| fields.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        // §2.3.1: both are form-encoded before they are put in the header.
        let decoded = |text: String| {
            let spaced = text.replace('+', " ");
            percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
        };
        let (id, secret) = match basic_of(received) {
            Some((id, secret)) => (decoded(id), decoded(secret)),
            None => (field("client_id"), field("client_secret")),
        };
        let is_client = !id.is_empty()
            & oauth2.client_id.as_ref().is_none_or(|expected| self.fits_or_empty(expected, &id))
            & oauth2.client_secret.as_ref().is_none_or(|expected| self.fits_or_empty(expected, &secret));
        if !is_client {
            return refused(401, "invalid_client");
        }
        if field("grant_type") != "client_credentials" {
            return refused(400, "unsupported_grant_type");
        }
        self.tokens.issue(token.to_owned(), self.now);
        let expires_in = self.tokens.lifetime.as_secs();
        let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": expires_in });
        Answer::json(200, body).with_header("Cache-Control", "no-store")
    }
}
