//! Who logged in: codes that were given out, and the refresh tokens of each login.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use nuncio_client::auth::oauth2::login::Verifier;

/// How long a code is good.
const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// How long a device's code is good, and how often it may be asked with.
pub(super) const DEVICE_LIFETIME: Duration = Duration::from_secs(600);
pub(super) const DEVICE_INTERVAL: Duration = Duration::from_secs(1);

/// Who logged in.
pub(crate) struct Logins {
    /// How long a refresh token is taken after it was used; without it they do not rotate.
    grace: Option<Duration>,
    codes: HashMap<String, Code>,
    devices: HashMap<String, Device>,
    refresh_tokens: HashMap<String, RefreshToken>,
    begun: u64,
    ended: HashSet<u64>,
}

pub(super) struct Code {
    pub(super) client_id: String,
    pub(super) redirect_uri: Option<String>,
    pub(super) challenge: Option<String>,
    pub(super) given_at: Duration,
}

struct Device {
    user_code: String,
    agreed: bool,
    given_at: Duration,
    asked_at: Option<Duration>,
}

struct RefreshToken {
    login: u64,
    used_at: Option<Duration>,
}

/// Why no token is given.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// A code of the RFCs.
    Code(&'static str),
    /// A refresh token came back that was used up: this login is over.
    Reused(u64),
}

const INVALID: Refused = Refused::Code("invalid_grant");

impl Logins {
    pub(crate) fn new(grace: Option<Duration>) -> Self {
        Self {
            grace,
            codes: HashMap::new(),
            devices: HashMap::new(),
            refresh_tokens: HashMap::new(),
            begun: 0,
            ended: HashSet::new(),
        }
    }

    pub(super) fn give_code(&mut self, text: String, code: Code) {
        self.codes.insert(text, code);
    }

    /// A login for a code, which is good once (RFC 6749 §4.1.3, RFC 7636 §4.6).
    pub(super) fn redeem(
        &mut self,
        code: &str,
        client_id: &str,
        redirect_uri: Option<&str>,
        verifier: Option<&str>,
        now: Duration,
    ) -> Result<u64, Refused> {
        let code = self.codes.remove(code).ok_or(INVALID)?;
        let challenge = verifier.and_then(|text| Some(Verifier::new(text.into()).ok()?.challenge()));
        let is_right = code.client_id == client_id
            && code.redirect_uri.as_deref() == redirect_uri
            && code.challenge == challenge
            && now < code.given_at + CODE_LIFETIME;
        if is_right { Ok(self.begin()) } else { Err(INVALID) }
    }

    pub(super) fn give_device_code(&mut self, device_code: String, user_code: String, now: Duration) {
        self.devices.insert(device_code, Device { user_code, agreed: false, given_at: now, asked_at: None });
    }

    /// The user types the code, and agrees.
    pub(super) fn agree(&mut self, user_code: &str) -> bool {
        let mut devices = self.devices.values_mut();
        devices.find(|device| device.user_code == user_code).is_some_and(|device| {
            device.agreed = true;
            true
        })
    }

    /// A login for a device (RFC 8628 §3.5).
    pub(super) fn ask(&mut self, device_code: &str, now: Duration) -> Result<u64, Refused> {
        let device = self.devices.get_mut(device_code).ok_or(INVALID)?;
        if now >= device.given_at + DEVICE_LIFETIME {
            return Err(Refused::Code("expired_token"));
        }
        let before = device.asked_at.replace(now);
        if before.is_some_and(|before| now < before + DEVICE_INTERVAL) {
            return Err(Refused::Code("slow_down"));
        }
        if !device.agreed {
            return Err(Refused::Code("authorization_pending"));
        }
        self.devices.remove(device_code);
        Ok(self.begin())
    }

    /// A login that began elsewhere.
    pub(super) fn adopt(&mut self, refresh_token: &str) {
        if !self.refresh_tokens.contains_key(refresh_token) {
            let login = self.begin();
            self.give_refresh_token(refresh_token.to_owned(), login);
        }
    }

    pub(super) fn give_refresh_token(&mut self, token: String, login: u64) {
        self.refresh_tokens.insert(token, RefreshToken { login, used_at: None });
    }

    /// The login that a refresh token is of, and whether the next one is to be given.
    pub(super) fn refresh(&mut self, token: &str, now: Duration) -> Result<(u64, bool), Refused> {
        let token = self.refresh_tokens.get_mut(token).ok_or(INVALID)?;
        let login = token.login;
        if self.ended.contains(&login) {
            return Err(INVALID);
        }
        let Some(grace) = self.grace else {
            return Ok((login, false));
        };
        let used_at = *token.used_at.get_or_insert(now);
        if now > used_at + grace {
            self.ended.insert(login);
            return Err(Refused::Reused(login));
        }
        Ok((login, true))
    }

    /// Ends the login that a refresh token is of.
    pub(super) fn end(&mut self, refresh_token: &str) -> Option<u64> {
        let login = self.refresh_tokens.get(refresh_token)?.login;
        self.ended.insert(login);
        Some(login)
    }

    fn begin(&mut self) -> u64 {
        self.begun += 1;
        self.begun
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_refresh_token_that_comes_back_after_its_grace_ends_the_login() {
        let mut logins = Logins::new(Some(5 * SECOND));
        logins.adopt("first");
        let login = logins.refresh("first", SECOND).unwrap().0;
        logins.give_refresh_token("second".to_owned(), login);
        assert_eq!(logins.refresh("first", 6 * SECOND), Ok((login, true)));
        assert_eq!(logins.refresh("first", 7 * SECOND), Err(Refused::Reused(login)));
        assert_eq!(logins.refresh("second", 7 * SECOND), Err(INVALID));
    }

    #[test]
    fn refresh_tokens_that_do_not_rotate_are_good_again_and_again() {
        let mut logins = Logins::new(None);
        logins.adopt("only");
        for second in 0..100 {
            assert!(matches!(logins.refresh("only", second * SECOND), Ok((_, false))));
        }
    }

    #[test]
    fn a_device_is_told_to_wait_and_to_slow_down() {
        let mut logins = Logins::new(None);
        logins.give_device_code("device".to_owned(), "user".to_owned(), Duration::ZERO);
        assert_eq!(logins.ask("device", SECOND), Err(Refused::Code("authorization_pending")));
        assert_eq!(logins.ask("device", SECOND * 3 / 2), Err(Refused::Code("slow_down")));
        assert!(!logins.agree("other") && logins.agree("user"));
        assert!(logins.ask("device", 3 * SECOND).is_ok());
        assert_eq!(logins.ask("device", 5 * SECOND), Err(INVALID));
        logins.give_device_code("late".to_owned(), "user".to_owned(), Duration::ZERO);
        assert_eq!(logins.ask("late", DEVICE_LIFETIME), Err(Refused::Code("expired_token")));
    }
}
