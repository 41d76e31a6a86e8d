use nuncio_client::Error;
use nuncio_client::auth::MessageSigner;
use nuncio_client::auth::message_signature::{self, Component};

use super::key::signing_key;
use crate::model::{ContentDigest, MessageSignature};
use crate::template::Scope;

impl MessageSignature {
    /// What signs requests and verifies them, with the values in `scope`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when a value is missing or no key can be made of it.
    pub fn signer(&self, scope: &Scope) -> Result<MessageSigner, Error> {
        let mut signer =
            MessageSigner::new(signing_key(&self.key, scope)?).content_digest(match self.content_digest {
                ContentDigest::Sha256 => message_signature::ContentDigest::Sha256,
                ContentDigest::Sha512 => message_signature::ContentDigest::Sha512,
            });
        if let Some(algorithm) = &self.algorithm {
            signer = signer.algorithm(algorithm.parse()?);
        }
        if let Some(components) = &self.components {
            let components = components.iter().map(|component| component.parse());
            signer = signer.components(components.collect::<Result<Vec<Component>, Error>>()?);
        }
        if let Some(label) = &self.label {
            signer = signer.label(label)?;
        }
        if let Some(key_id) = &self.key_id {
            signer = signer.key_id(key_id.text(scope)?);
        }
        if let Some(tag) = &self.tag {
            signer = signer.tag(tag);
        }
        if let Some(time) = self.expires_after {
            signer = signer.expires_after(time.0);
        }
        if self.nonce {
            signer = signer.sends_nonce();
        }
        Ok(if self.names_algorithm { signer.names_algorithm() } else { signer })
    }
}
