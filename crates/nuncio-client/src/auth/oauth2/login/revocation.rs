//! Tokens are given back at logout (RFC 7009).

use http::Method;

use crate::auth::Exchange;
use crate::auth::oauth2::client::Patience;
use crate::auth::oauth2::grant::present;
use crate::auth::oauth2::{Client, Tokens};
use crate::{Error, Secret};

impl Client {
    /// Tells the server that nobody will use `tokens` any more: the refresh token first, with which servers end all that came of it. Says
    /// whether the server has an endpoint for that; without one the tokens are good until they expire.
    ///
    /// # Errors
    /// [`Kind::Auth`](crate::Kind::Auth) when the server refuses or fails; those of the discovery. The tokens may then still be good.
    pub async fn revoke(&self, tokens: &Tokens, exchange: &Exchange) -> Result<bool, Error> {
        let Some(endpoint) = self.endpoints(exchange).await?.revocation else {
            return Ok(false);
        };
        for (hint, token) in
            [("refresh_token", &tokens.refresh_token), ("access_token", &tokens.access_token)]
        {
            let pairs = [("token", token.as_ref().map(Secret::expose)), ("token_type_hint", Some(hint))];
            if token.is_none() {
                continue;
            }
            match self.post(&endpoint, present(pairs).collect(), Patience::OfCalls, exchange).await {
                // Section 2.2.1: servers need not be able to revoke access tokens, which end by themselves.
                Err(error) if error.code() == Some("unsupported_token_type") && hint == "access_token" => {}
                revoked => drop(revoked.map_err(|error| error.on(&Method::POST, &endpoint))?),
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::auth::oauth2::Server;
    use crate::auth::testing::{answer, exchange, no_exchange};

    fn tokens() -> Tokens {
        Tokens {
            access_token: Some("made-up-access".into()),
            refresh_token: Some("made-up-refresh".into()),
            ..Tokens::default()
        }
    }

    fn client() -> Client {
        let server = Server::new("https://auth.example.com/token".parse().unwrap())
            .revocation_endpoint("https://auth.example.com/revoke".parse().unwrap());
        Client::new(server, "made-up-client")
    }

    /// What comes of it at a server that answers the access token with `status` and `body`, and the forms that were sent.
    async fn revoked(status: u16, body: &'static str) -> (Result<bool, Error>, Vec<String>) {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let copy = Arc::clone(&sent);
        let exchange = exchange(move |request| {
            let form = String::from_utf8(request.body().as_bytes().unwrap().to_vec()).unwrap();
            let is_access = form.contains("made-up-access");
            copy.lock().unwrap().push(form);
            async move { if is_access { answer(status, body) } else { answer(200, "") } }
        });
        let result = client().revoke(&tokens(), &exchange).await;
        let sent = sent.lock().unwrap().clone();
        (result, sent)
    }

    #[tokio::test]
    async fn the_refresh_token_and_then_the_access_token_are_given_back() {
        let (result, sent) = revoked(200, "").await;
        assert!(result.unwrap());
        assert_eq!(
            sent,
            [
                "token=made-up-refresh&token_type_hint=refresh_token&client_id=made-up-client",
                "token=made-up-access&token_type_hint=access_token&client_id=made-up-client",
            ]
        );
    }

    #[tokio::test]
    async fn a_server_that_cannot_revoke_access_tokens_is_no_failure() {
        assert!(revoked(400, r#"{"error": "unsupported_token_type"}"#).await.0.unwrap());
        let refused = revoked(401, r#"{"error": "invalid_client"}"#).await.0.unwrap_err();
        assert_eq!(
            (refused.code(), refused.url()),
            (Some("invalid_client"), Some("https://auth.example.com/revoke"))
        );
    }

    #[tokio::test]
    async fn a_server_without_an_endpoint_for_it_is_told_apart() {
        let url: url::Url = "https://auth.example.com/token".parse().unwrap();
        let client = Client::new(url, "made-up-client");
        assert!(!client.revoke(&tokens(), &no_exchange()).await.unwrap());
    }
}
