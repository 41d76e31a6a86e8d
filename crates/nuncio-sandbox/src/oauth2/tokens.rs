//! The access tokens that are worth something.

use std::collections::HashMap;
use std::time::Duration;

/// The access tokens that are worth something.
pub(crate) struct Tokens {
    pub(super) lifetime: Duration,
    uses: Option<u64>,
    valid: HashMap<String, Token>,
}

struct Token {
    expires_at: Duration,
    used: u64,
    login: Option<u64>,
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

    /// Ends all tokens of a login.
    pub(super) fn revoke_login(&mut self, login: u64) {
        self.valid.retain(|_, token| token.login != Some(login));
    }

    pub(crate) fn issue(&mut self, token: String, login: Option<u64>, now: Duration) {
        self.valid.retain(|_, token| now < token.expires_at);
        self.valid.insert(token, Token { expires_at: now + self.lifetime, used: 0, login });
    }
}
