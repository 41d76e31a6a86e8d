use nuncio_client::Error;
use nuncio_client::auth::SigV4Signer;
use nuncio_client::auth::sigv4::Credentials;

use crate::model::{Payload, SigV4};
use crate::template::Scope;

impl SigV4 {
    /// What signs requests and verifies them, with the values in `scope`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when a value is missing.
    pub fn signer(&self, scope: &Scope) -> Result<SigV4Signer, Error> {
        let mut credentials =
            Credentials::new(self.access_key_id.text(scope)?, self.secret_access_key.secret(scope)?);
        if let Some(token) = &self.session_token {
            let token = token.secret(scope)?;
            if !token.expose().is_empty() {
                credentials = credentials.session_token(token);
            }
        }
        let mut signer = SigV4Signer::new(credentials, self.region.text(scope)?, self.service.text(scope)?);
        if self.payload == Payload::Unsigned {
            signer = signer.unsigned_payload();
        }
        Ok(match self.presigned {
            Some(expiry) => signer.presigned(expiry.0),
            None => signer,
        })
    }
}
