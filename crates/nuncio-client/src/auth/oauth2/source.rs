//! What access tokens are got with, again and again.

use std::time::Duration;

use super::client::Client;
use super::github::Installation;
use super::grant::Grant;
use super::token_exchange::TokenExchange;
use super::tokens::Tokens;
use crate::auth::Exchange;
use crate::auth::jwt::Signer;
use crate::{Error, Secret};

/// What access tokens are got with.
pub(super) enum Source {
    /// What can be shown at any time, and gets a token of its own each time.
    Standing(Standing),
    /// The refresh token that a login left, each to be used once.
    Login { client: Client, refresh_token: Option<Secret> },
}

/// A grant that stands, whoever asks and however often.
pub(super) enum Standing {
    ClientCredentials(Client),
    JwtBearer(Client, Box<Signer>),
    TokenExchange(Client, TokenExchange),
    GitHubInstallation(Box<Installation>),
}

impl Standing {
    pub(super) async fn token(&self, within: Duration, exchange: &Exchange) -> Result<Tokens, Error> {
        match self {
            Self::ClientCredentials(client) => client.token(Grant::ClientCredentials, within, exchange).await,
            Self::JwtBearer(client, signer) => {
                let audience = client.endpoints(exchange).await?.token;
                let signer = signer.clone().claim_or("aud", audience.as_str());
                let assertion = signer.token(&exchange.clock, &exchange.random)?;
                client.token(Grant::JwtBearer(&assertion), within, exchange).await
            }
            Self::TokenExchange(client, own) => {
                client.token(Grant::TokenExchange(own), within, exchange).await
            }
            Self::GitHubInstallation(installation) => installation.token(exchange).await,
        }
    }
}

impl Source {
    /// What there is before anything was kept.
    pub(super) fn seed(&self) -> Tokens {
        match self {
            Self::Standing(_) => Tokens::default(),
            Self::Login { refresh_token, .. } => {
                Tokens { refresh_token: refresh_token.clone(), ..Tokens::default() }
            }
        }
    }

    /// Whether a token can be got to take the place of the one in `kept`.
    pub(super) fn can_renew(&self, kept: &Tokens) -> bool {
        match self {
            Self::Standing(_) => true,
            Self::Login { .. } => kept.refresh_token.is_some(),
        }
    }
}
