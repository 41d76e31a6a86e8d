//! What access tokens are got with, again and again.

use std::time::Duration;

use super::client::Client;
use super::grant::Grant;
use super::tokens::Tokens;
use crate::auth::Exchange;
use crate::{Error, Secret};

/// What access tokens are got with.
pub(super) enum Source {
    /// A grant that can be shown at any time, and gets a token of its own each time.
    Grant(Client, Standing),
    /// The refresh token that a login left, each to be used once.
    Login { client: Client, refresh_token: Option<Secret> },
}

/// A grant that stands, whoever asks and however often.
pub(super) enum Standing {
    ClientCredentials,
}

impl Standing {
    pub(super) async fn token(
        &self,
        client: &Client,
        within: Duration,
        exchange: &Exchange,
    ) -> Result<Tokens, Error> {
        match self {
            Self::ClientCredentials => client.token(Grant::ClientCredentials, within, exchange).await,
        }
    }
}

impl Source {
    /// What there is before anything was kept.
    pub(super) fn seed(&self) -> Tokens {
        match self {
            Self::Grant(..) => Tokens::default(),
            Self::Login { refresh_token, .. } => {
                Tokens { refresh_token: refresh_token.clone(), ..Tokens::default() }
            }
        }
    }

    /// Whether a token can be got to take the place of the one in `kept`.
    pub(super) fn can_renew(&self, kept: &Tokens) -> bool {
        match self {
            Self::Grant(..) => true,
            Self::Login { .. } => kept.refresh_token.is_some(),
        }
    }
}
