//! Getting the next token, so that no process ends up without one.
//!
//! A refresh token that rotates is used up by the request that shows it, and the answer is the only copy of the next. So: one process at a
//! time, by the lease of the [store](super::store); that a refresh begins is kept before it is sent; what came of it is kept before it is
//! used. Where the answer was lost on the way, or with the process that waited for it, the old token is shown once more: most servers
//! take it for a while after, for that very case. One that does not says `invalid_grant`, and that is kept as well: only a person can
//! help then, and no call asks again until one has.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use subtle::ConstantTimeEq as _;

use super::answer::fate;
use super::cache::Known;
use super::client::Client;
use super::grant::Grant;
use super::needs_login::NeedsLogin;
use super::source::Source;
use super::store::{Lease, LeaseLost, TokenStore};
use super::token::Token;
use super::tokens::Tokens;
use crate::auth::Exchange;
use crate::{Error, Event, Evidence, Kind, Secret};

/// How often a refresh token is shown while its answer gets lost.
const MOST_REFRESHES: u32 = 2;

/// A lease is longer than all that is done under it: finding the endpoints, each refresh, and keeping what came of it.
const LEASE_TIMEOUTS: u32 = MOST_REFRESHES + 2;

/// One try to get the next token.
pub(super) struct Renewal {
    pub(super) source: Arc<Source>,
    pub(super) store: Arc<dyn TokenStore>,
    pub(super) exchange: Exchange,
    /// Time for one request.
    pub(super) timeout: Duration,
    pub(super) known: Known,
}

impl Renewal {
    /// Gets a token from the store, where another has put one, or from the server.
    pub(super) async fn run(self) -> Result<Token, Error> {
        if let Some(token) = self.settled(&self.kept().await?)? {
            self.notify("took the access token that was kept");
            return Ok(token);
        }
        let lease = self.store.lease(self.timeout * LEASE_TIMEOUTS).await?;
        let renewed = self.under(&lease).await;
        if let Err(error) = self.store.release(lease).await {
            self.notify(&format!("the lease of the tokens was not given back, and ends by itself: {error}"));
        }
        renewed
    }

    async fn under(&self, lease: &Lease) -> Result<Token, Error> {
        let kept = self.kept().await?;
        if let Some(token) = self.settled(&kept)? {
            self.notify("took the access token that another had got meanwhile");
            return Ok(token);
        }
        let error = match self.ask(&kept, lease).await {
            Ok(tokens) => {
                return Ok(
                    Token::of(&tokens, &self.exchange.clock).expect("an answer without one is an error")
                );
            }
            Err(error) => error,
        };
        if error.cause::<NeedsLogin>().is_some() {
            return Err(error);
        }
        if error.cause::<LeaseLost>().is_some()
            && let Some(token) = self.settled(&self.kept().await?)?
        {
            return Ok(token);
        }
        let still_good = self
            .usable(&kept)
            .filter(|token| token.is_valid(&self.exchange.clock))
            .ok_or_else(|| error.clone())?;
        self.notify(&format!("kept the access token for now: {error}"));
        Ok(still_good)
    }

    async fn ask(&self, kept: &Tokens, lease: &Lease) -> Result<Tokens, Error> {
        match &*self.source {
            Source::Standing(grant) => {
                let tokens = grant.token(self.timeout, &self.exchange).await?;
                // Nothing hangs on it: whoever comes next gets a token of its own.
                if let Err(error) = self.store.save(lease, &tokens).await {
                    self.notify(&format!("the access token was not kept for other processes: {error}"));
                }
                Ok(tokens)
            }
            Source::Login { client, .. } => self.refresh(client, kept, lease).await,
        }
    }

    async fn refresh(&self, client: &Client, kept: &Tokens, lease: &Lease) -> Result<Tokens, Error> {
        let Some(refresh_token) = &kept.refresh_token else {
            return Err(NeedsLogin::error(match kept.access_token {
                None => "nobody has logged in yet",
                Some(_) => "the access token is no longer good, and the server gave no refresh token with it",
            }));
        };
        // Before anything is kept of the refresh, which cannot begin without them.
        client.server.endpoints_within(self.timeout, &client.auth, &self.exchange).await?;

        let lost = kept.refresh_started;
        let begun = Tokens { refresh_started: lost.or(Some(self.exchange.clock.now())), ..kept.clone() };
        self.store.save(lease, &begun).await?;

        let mut shown = 1;
        let asked = loop {
            let asked = client.token(Grant::RefreshToken(refresh_token), self.timeout, &self.exchange).await;
            match asked {
                Err(error) if is_lost(&error) && shown < MOST_REFRESHES => {
                    self.notify(&format!(
                        "the answer to the refresh was lost, the refresh token is shown again: {error}"
                    ));
                    shown += 1;
                }
                asked => break asked,
            }
        };
        let error = match asked {
            Ok(new) => return self.keep(Tokens::after(kept, new), lease).await,
            Err(error) => error,
        };
        let lost = lost.or(begun.refresh_started.filter(|_| shown > 1));
        if error.code() == Some("invalid_grant") {
            let reason = reason(&error, lost);
            self.keep(
                Tokens { needs_login: Some(reason.clone()), refresh_started: None, ..kept.clone() },
                lease,
            )
            .await?;
            return Err(NeedsLogin::error(reason));
        }
        if lost.is_none() && fate(&error) != Evidence::Unknown {
            // Nothing has come of it for certain.
            self.store.save(lease, kept).await?;
        }
        Err(error)
    }

    async fn keep(&self, tokens: Tokens, lease: &Lease) -> Result<Tokens, Error> {
        self.store.save(lease, &tokens).await?;
        Ok(tokens)
    }

    async fn kept(&self) -> Result<Tokens, Error> {
        Ok(self.store.load().await?.unwrap_or_else(|| self.source.seed()))
    }

    /// The token in `kept` where nothing needs to be done about it.
    fn settled(&self, kept: &Tokens) -> Result<Option<Token>, Error> {
        if let Some(reason) = &kept.needs_login {
            return Err(NeedsLogin::error(reason));
        }
        let clock = &self.exchange.clock;
        let can_renew = self.source.can_renew(kept);
        Ok(self.usable(kept).filter(|token| token.is_fresh(clock) || (!can_renew && token.is_valid(clock))))
    }

    /// The token in `kept`, unless it was refused. Of the one that is known here, what is known here holds: the time of day, by which it is
    /// kept, may have been set back since.
    fn usable(&self, kept: &Tokens) -> Option<Token> {
        let found = Token::of(kept, &self.exchange.clock)?;
        let is =
            |other: &Secret| bool::from(found.value.expose().as_bytes().ct_eq(other.expose().as_bytes()));
        if self.known.refused.as_ref().is_some_and(is) {
            return None;
        }
        let known = self.known.token.as_ref().filter(|known| is(&known.value)).cloned();
        known.or(Some(found))
    }

    fn notify(&self, reason: &str) {
        self.exchange.observer.notify(&Event::Token { reason });
    }
}

impl Tokens {
    /// What is kept of `old` when `new` has come: what the answer leaves out stays as it was (RFC 6749, sections 5.1 and 6).
    fn after(old: &Self, new: Self) -> Self {
        Self {
            refresh_token: new.refresh_token.or_else(|| old.refresh_token.clone()),
            id_token: new.id_token.or_else(|| old.id_token.clone()),
            scopes: if new.scopes.is_empty() { old.scopes.clone() } else { new.scopes },
            ..new
        }
    }
}

/// Whether the server may have answered and the answer did not come. One that came and made no sense would come again.
fn is_lost(error: &Error) -> bool {
    let broke = |cause: &Error| matches!(cause.kind(), Kind::Timeout | Kind::Connect);
    fate(error) == Evidence::Unknown && error.cause().is_some_and(broke)
}

fn reason(error: &Error, lost: Option<SystemTime>) -> String {
    match lost {
        None => error.to_string(),
        Some(time) => format!(
            "{error}; the answer to the refresh that began {} was lost, and the server takes its refresh token no second time",
            httpdate::fmt_http_date(time)
        ),
    }
}
