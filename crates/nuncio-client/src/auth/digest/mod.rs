//! HTTP Digest (RFC 7616, and RFC 2617 before it): user and password, of which only hashes are sent.
//!
//! The first request goes out without credentials and is turned away with a challenge. From then on each request answers the challenge at
//! once and counts, until the server says that its nonce is stale or gives another one out. A refusal of an answer that was the first to its
//! challenge is final: the password is wrong, and asking again would lock the account.
//!
//! MD5, SHA-256, SHA-512/256 and SHA-512 are answered, with `-sess` and without, by `auth` and, where nothing else is offered, `auth-int`.

mod challenge;
mod params;
mod response;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{Authenticate, Exchange, Message, Refusal, empty_credential};
use crate::redact::BLANK;
use crate::{Error, Event, Random, Request, Secret};

pub use challenge::{Algorithm, Challenge, Hash, Protection};
use response::Proof;

const AUTHENTICATION_INFO: HeaderName = HeaderName::from_static("authentication-info");

/// A user and a password for Digest. Shared by all requests, which count together.
///
/// ```
/// use nuncio_client::auth::{Auth, DigestCredentials};
///
/// let auth = Auth::digest(DigestCredentials::new("made-up-user", "made-up-password".into()));
/// let mut request = http::Request::new(nuncio_client::Body::Empty);
/// auth.preview(&mut request)?;
/// assert_eq!(request.headers()["authorization"], "Digest ***");
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug)]
pub struct DigestCredentials {
    user: String,
    password: Secret,
    session: Mutex<Option<Session>>,
}

/// A challenge that is being answered.
#[derive(Debug)]
struct Session {
    challenge: Challenge,
    proof: Proof,
    /// One for all requests: `-sess` hashes it into the password once, by the RFC, or each time, by what servers do. Both agree like this.
    cnonce: Option<String>,
    count: u32,
}

impl DigestCredentials {
    /// A user and a password.
    #[must_use]
    pub fn new(user: impl Into<String>, password: Secret) -> Self {
        Self { user: user.into(), password, session: Mutex::new(None) }
    }

    fn session(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, challenge: Challenge) -> Session {
        let proof = Proof::new(&challenge, &self.user, &self.password);
        Session { challenge, proof, cnonce: None, count: 0 }
    }

    fn put(&self, request: &mut Request, random: &Random) -> Result<(), Error> {
        if self.user.is_empty() {
            return Err(empty_credential());
        }
        let mut session = self.session();
        let Some(session) = &mut *session else { return Ok(()) };
        let cnonce = session.cnonce.get_or_insert_with(|| random.uuid());
        session.count += 1;
        let message = Message::of(request)?;
        let authorization =
            session.proof.authorization(&session.challenge, &message, session.count, cnonce)?;
        let mut value = HeaderValue::from_bytes(authorization.as_bytes())
            .map_err(|_| Error::configuration("the user has a character that a header cannot carry"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(header::AUTHORIZATION, value);
        Ok(())
    }
}

impl Authenticate for DigestCredentials {
    fn authenticate<'a>(
        &'a self,
        mut request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Request, Error>> {
        Box::pin(async move {
            self.put(&mut request, &exchange.random)?;
            Ok(request)
        })
    }

    fn refused(&self, refusal: &Refusal<'_>) -> bool {
        let observer = &refusal.context.observer;
        let Some(challenge) = Challenge::strongest(refusal.answered) else {
            let asked = challenge::asked(refusal.answered).join(", ");
            let reason = format!("the service asks for no Digest that can be answered ({asked})");
            observer.notify(&Event::Token { reason: &reason });
            return false;
        };
        let mut session = self.session();
        let current = session.as_ref().map(|session| session.challenge.nonce.as_str());
        let Some(sent) = response::sent(refusal.sent) else {
            if current != Some(&challenge.nonce) {
                observer.notify(&Event::Token { reason: "the service asks for Digest" });
                *session = Some(self.begin(challenge));
            }
            return true;
        };
        if current != sent.get("nonce") {
            // Another request has learnt better since.
            return true;
        }
        let was_first = sent.get("nc").is_none_or(|count| u32::from_str_radix(count, 16) == Ok(1));
        let can_do_better = challenge.stale || !was_first;
        *session = Some(self.begin(challenge));
        can_do_better
    }

    fn accepted(&self, answered: &HeaderMap) {
        let Some(info) = answered.get(AUTHENTICATION_INFO) else { return };
        // It has no scheme before its parameters (RFC 7615).
        let info = format!("Digest {}", String::from_utf8_lossy(info.as_bytes()));
        let next = params::schemes(&info).first().and_then(|info| info.get("nextnonce").map(str::to_owned));
        let mut session = self.session();
        if let (Some(nonce), Some(current)) = (next, &*session)
            && current.challenge.nonce != nonce
        {
            *session = Some(self.begin(Challenge { nonce, ..current.challenge.clone() }));
        }
    }

    fn preview(&self, request: &mut Request) -> Result<(), Error> {
        request.headers_mut().insert(header::AUTHORIZATION, Secret::new(BLANK).header("Digest ")?);
        Ok(())
    }
}
