//! Digest challenges, made and answered.

use nuncio_client::auth::digest::{Algorithm, Challenge, Hash};
use nuncio_service::model::Digest;

use super::{Demand, messages};
use crate::wire::Received;

const REALM: &str = "sandbox";

/// The challenge with this nonce.
fn challenge(nonce: &str) -> Challenge {
    Challenge::new(REALM, nonce, Algorithm { hash: Hash::Sha256, session: false })
}

impl Demand<'_> {
    /// A challenge that can be answered from now on: the value of `WWW-Authenticate`.
    pub(crate) fn challenge(&mut self, nonce: &str) -> String {
        self.nonces.insert(issued(nonce));
        challenge(nonce).to_string()
    }

    /// Whether the request answers a challenge of the sandbox's, with a count that was not seen before.
    pub(super) fn answers(&mut self, digest: &Digest, received: &Received) -> bool {
        let Some(nonce) = nonce_of(received).filter(|nonce| self.nonces.contains(&issued(nonce))) else {
            return false;
        };
        let (Ok(user), Ok(password)) = (digest.user.text(self.scope), digest.password.secret(self.scope))
        else {
            return true;
        };
        let challenge = challenge(&nonce);
        let mut counts = messages(received).into_iter();
        let count = counts.find_map(|message| challenge.verify(&message, &user, &password).ok());
        count.is_some_and(|count| self.nonces.insert(format!("{}:{count}", issued(&nonce))))
    }
}

fn issued(nonce: &str) -> String {
    format!("digest:{nonce}")
}

fn nonce_of(received: &Received) -> Option<String> {
    let (_, rest) = received.header("authorization")?.split_once("nonce=\"")?;
    Some(rest.split_once('"')?.0.to_owned())
}
