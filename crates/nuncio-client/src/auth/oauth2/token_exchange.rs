//! A token for a token (RFC 8693).

use crate::Secret;

/// What a token is exchanged for another with (RFC 8693, section 2.1): the token of whom the client acts for, and of who acts. Where the
/// new one is to be used is said by the [client](super::Client): its audience, resources and scopes.
///
/// ```
/// use nuncio_client::auth::oauth2::{Client, OAuth2, Server, TokenExchange};
///
/// let client = Client::new(Server::new("https://auth.example.com/token".parse()?), "made-up-client").audience("orders");
/// let exchange = TokenExchange::new("made-up-users-token".into()).actor("made-up-own-token".into(), TokenExchange::ACCESS_TOKEN);
/// let oauth2 = OAuth2::token_exchange(client, exchange);
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Debug, Clone)]
pub struct TokenExchange {
    subject: Token,
    actor: Option<Token>,
    requested_type: Option<String>,
}

#[derive(Debug, Clone)]
struct Token {
    value: Secret,
    kind: String,
}

impl TokenExchange {
    /// The type of an access token (section 3).
    pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

    /// The type of an ID token of OpenID Connect (section 3).
    pub const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

    /// The type of any signed JWT (section 3).
    pub const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

    /// An exchange of the access token `subject`.
    #[must_use]
    pub fn new(subject: Secret) -> Self {
        let subject = Token { value: subject, kind: Self::ACCESS_TOKEN.to_owned() };
        Self { subject, actor: None, requested_type: None }
    }

    /// What kind of token is exchanged. Default: an access token.
    #[must_use]
    pub fn subject_type(mut self, kind: impl Into<String>) -> Self {
        self.subject.kind = kind.into();
        self
    }

    /// The token, of type `kind`, of who acts for the subject. Default: nobody is named.
    #[must_use]
    pub fn actor(mut self, token: Secret, kind: impl Into<String>) -> Self {
        self.actor = Some(Token { value: token, kind: kind.into() });
        self
    }

    /// What kind of token is wanted. Default: the server chooses.
    #[must_use]
    pub fn requested_type(mut self, kind: impl Into<String>) -> Self {
        self.requested_type = Some(kind.into());
        self
    }

    pub(super) fn pairs(&self) -> Vec<(&'static str, Option<&str>)> {
        let actor = self.actor.as_ref();
        vec![
            ("subject_token", Some(self.subject.value.expose())),
            ("subject_token_type", Some(&self.subject.kind)),
            ("actor_token", actor.map(|actor| actor.value.expose())),
            ("actor_token_type", actor.map(|actor| &*actor.kind)),
            ("requested_token_type", self.requested_type.as_deref()),
        ]
    }
}
