//! What a token is asked for with, as a pure function of the pairs that go out.

use super::token_exchange::TokenExchange;
use crate::Secret;

/// Pairs of a form, in order; a name may come several times.
pub(super) type Form = Vec<(String, String)>;

/// A grant (RFC 6749, section 1.3): what shows that a token may be given.
#[derive(Debug, Clone, Copy)]
pub(super) enum Grant<'a> {
    /// The client's own credentials (RFC 6749, section 4.4.2).
    ClientCredentials,
    /// The code with which a user came back (RFC 6749, section 4.1.3).
    AuthorizationCode {
        code: &'a Secret,
        /// As in the authorization request.
        redirect_uri: Option<&'a str>,
        /// What the code challenge was made of (RFC 7636, section 4.5).
        code_verifier: Option<&'a Secret>,
    },
    /// The code of a device whose user agrees elsewhere (RFC 8628, section 3.4).
    DeviceCode(&'a Secret),
    /// A signed statement of whom the client acts for (RFC 7523, section 2.1).
    JwtBearer(&'a Secret),
    /// A token of another kind (RFC 8693).
    TokenExchange(&'a TokenExchange),
    /// What an earlier answer gave to come back with (RFC 6749, section 6).
    RefreshToken(&'a Secret),
}

impl Grant<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode { .. } => "authorization_code",
            Self::DeviceCode(_) => "urn:ietf:params:oauth:grant-type:device_code",
            Self::JwtBearer(_) => "urn:ietf:params:oauth:grant-type:jwt-bearer",
            Self::TokenExchange(_) => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::RefreshToken(_) => "refresh_token",
        }
    }

    /// Whether it is used up by the request that shows it.
    pub(super) fn is_single_use(&self) -> bool {
        match self {
            Self::AuthorizationCode { .. } | Self::DeviceCode(_) | Self::RefreshToken(_) => true,
            Self::ClientCredentials | Self::JwtBearer(_) | Self::TokenExchange(_) => false,
        }
    }

    /// Whether scopes are asked for with it: not where a user has agreed to them before.
    pub(super) fn takes_scopes(&self) -> bool {
        !self.is_single_use()
    }

    /// The form, all but what shows the client.
    pub(super) fn form(&self, scopes: &[String], params: &[(String, String)]) -> Form {
        let scope = scope(scopes);
        let own = match *self {
            Self::ClientCredentials => vec![],
            Self::AuthorizationCode { code, redirect_uri, code_verifier } => vec![
                ("code", Some(code.expose())),
                ("redirect_uri", redirect_uri),
                ("code_verifier", code_verifier.map(Secret::expose)),
            ],
            Self::DeviceCode(code) => vec![("device_code", Some(code.expose()))],
            Self::JwtBearer(assertion) => vec![("assertion", Some(assertion.expose()))],
            Self::TokenExchange(exchange) => exchange.pairs(),
            Self::RefreshToken(token) => vec![("refresh_token", Some(token.expose()))],
        };
        let common = [("grant_type", Some(self.kind())), ("scope", scope.as_deref())];
        present(common.into_iter().chain(own)).chain(params.iter().cloned()).collect()
    }
}

/// The parameter `scope`; nothing when none is asked for.
pub(super) fn scope(scopes: &[String]) -> Option<String> {
    (!scopes.is_empty()).then(|| scopes.join(" "))
}

/// The pairs that have a value.
pub(super) fn present<'a>(
    pairs: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
) -> impl Iterator<Item = (String, String)> {
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
}
