use nuncio_client::Error;
use nuncio_client::auth::OAuth1Signer;
use nuncio_client::auth::key::SigningKey;
use nuncio_client::auth::oauth1::{Method, Placement};

use crate::model::{OAuth1, OAuth1Method, OAuth1Placement};
use crate::template::Scope;

impl OAuth1 {
    /// What signs requests and verifies them, with the values in `scope`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when a value is missing or the private key cannot be used.
    pub fn signer(&self, scope: &Scope) -> Result<OAuth1Signer, Error> {
        let mut signer =
            OAuth1Signer::new(self.consumer_key.text(scope)?, self.consumer_secret.secret(scope)?)
                .method(self.signing(scope)?)
                .placement(match self.placement {
                    OAuth1Placement::Header => Placement::Header,
                    OAuth1Placement::Query => Placement::Query,
                    OAuth1Placement::Body => Placement::Body,
                });
        if let Some(token) = &self.token {
            signer = signer.token(token.text(scope)?, self.token_secret.secret(scope)?);
        }
        Ok(match &self.realm {
            Some(realm) => signer.realm(realm),
            None => signer,
        })
    }

    fn signing(&self, scope: &Scope) -> Result<Method, Error> {
        Ok(match self.method {
            OAuth1Method::HmacSha1 => Method::HmacSha1,
            OAuth1Method::HmacSha256 => Method::HmacSha256,
            OAuth1Method::HmacSha512 => Method::HmacSha512,
            OAuth1Method::Plaintext => Method::Plaintext,
            OAuth1Method::RsaSha1 => {
                let key = self.private_key.as_ref();
                let key = key.ok_or_else(|| Error::configuration("rsa_sha1 needs a private_key"))?;
                Method::RsaSha1(SigningKey::from_pem(&key.secret(scope)?)?)
            }
        })
    }
}
