//! Signatures of standards, verified by what makes them. Where the environment has no key, any signature of the right shape will do.

use std::time::UNIX_EPOCH;

use nuncio_client::Clock;
use nuncio_service::model::{Jwt, MessageSignature, OAuth1, SigV4};

use super::{Demand, messages};
use crate::wire::Received;

impl Demand<'_> {
    pub(super) fn is_of(&self, jwt: &Jwt, token: &str) -> bool {
        match jwt.signer(self.scope) {
            Ok(signer) => signer.verify(token, &Clock::fixed(UNIX_EPOCH + self.now)).is_ok(),
            Err(_) => token.split('.').count() == 3,
        }
    }

    pub(super) fn is_signed_by_sigv4(&self, sigv4: &SigV4, received: &Received) -> bool {
        let Ok(signer) = sigv4.signer(self.scope) else {
            let in_query = received.query.as_deref().unwrap_or_default().contains("X-Amz-Signature=");
            return in_query || authorization(received).starts_with("AWS4-HMAC-SHA256 ");
        };
        messages(received).iter().any(|message| signer.verify(message, self.now).is_ok())
    }

    pub(super) fn is_signed_by_oauth1(&mut self, oauth1: &OAuth1, received: &Received) -> bool {
        let Ok(signer) = oauth1.signer(self.scope) else {
            let body = String::from_utf8_lossy(&received.body);
            let texts = [received.query.as_deref().unwrap_or_default(), authorization(received), &body];
            return texts.iter().any(|text| text.contains("oauth_signature="));
        };
        let mut nonces = messages(received).into_iter().filter_map(|it| signer.verify(&it, self.now).ok());
        nonces.next().is_some_and(|nonce| self.nonces.insert(format!("oauth1:{nonce}")))
    }

    pub(super) fn is_signed_by_message_signature(
        &mut self,
        described: &MessageSignature,
        received: &Received,
    ) -> bool {
        let Ok(signer) = described.signer(self.scope) else {
            return received.header("signature-input").is_some() && received.header("signature").is_some();
        };
        let mut nonces = messages(received).into_iter().filter_map(|it| signer.verify(&it, self.now).ok());
        nonces.next().is_some_and(|nonce| {
            nonce.is_none_or(|nonce| self.nonces.insert(format!("message_signature:{nonce}")))
        })
    }
}

fn authorization(received: &Received) -> &str {
    received.header("authorization").unwrap_or_default()
}
