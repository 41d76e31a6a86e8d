use nuncio_client::Error;
use nuncio_client::auth::jwt::{Algorithm, Header, Signer};

use super::key::signing_key;
use crate::model::Jwt;
use crate::template::Scope;

impl Jwt {
    /// What signs the tokens and verifies them, with the values in `scope`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when a value is missing or no key can be made of it.
    pub fn signer(&self, scope: &Scope) -> Result<Signer, Error> {
        let key = signing_key(&self.key, scope)?;
        let algorithm = match &self.algorithm {
            Some(name) => name.parse()?,
            None => Algorithm::usual_for(key.key_type()),
        };
        let mut header = Header::new(algorithm);
        if let Some(key_id) = &self.key_id {
            header = header.key_id(key_id.text(scope)?);
        }
        let mut signer = Signer::new(key).header(header);
        for (name, value) in &self.claims {
            if let Some(value) = value.value(scope)? {
                signer = signer.claim(name, value);
            }
        }
        if let Some(lifetime) = self.lifetime {
            signer = signer.lifetime(lifetime.0);
        }
        if let Some(backdated) = self.backdated {
            signer = signer.backdated(backdated.0);
        }
        Ok(signer)
    }
}
