//! Who is signed in: a random id in a cookie stands for a token, whose scopes are looked up for each request, so that one taken back ends at once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::constant_time;
use http::{HeaderMap, header};
use nuncio_client::Error;
use tokio::time::Instant;

use crate::token::{sha256, unguessable};

const COOKIE: &str = "nuncio_session";

/// How long one stays signed in.
const LIFE: Duration = Duration::from_secs(12 * 60 * 60);

/// How many are signed in at once; whoever signed in first has to do so again.
const MAX_SESSIONS: usize = 1000;

/// Who is signed in. A restart signs everybody out.
pub(super) struct Sessions {
    /// By the SHA-256 of their ids.
    all: Mutex<HashMap<[u8; 32], Session>>,
    /// What forms carry while no token is needed.
    open_csrf: String,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// The SHA-256 of the token.
    pub(super) token: [u8; 32],
    /// What forms carry, so that nobody else's are taken for ours.
    pub(super) csrf: String,
    ends: Instant,
}

impl Sessions {
    pub(super) fn new() -> Result<Self, Error> {
        Ok(Self { all: Mutex::default(), open_csrf: unguessable()? })
    }

    /// Signs in with this token, and says what the cookie is.
    pub(super) fn begin(&self, token: &str, is_secure: bool) -> Result<String, Error> {
        let (id, csrf) = (unguessable()?, unguessable()?);
        let now = Instant::now();
        let mut all = self.all();
        all.retain(|_, session| session.ends > now);
        if all.len() >= MAX_SESSIONS
            && let Some(first) = all.iter().min_by_key(|(_, session)| session.ends).map(|(id, _)| *id)
        {
            all.remove(&first);
        }
        let token = sha256(token.as_bytes());
        all.insert(sha256(id.as_bytes()), Session { token, csrf, ends: now + LIFE });
        Ok(cookie(&id, LIFE, is_secure))
    }

    /// Whose the request is.
    pub(super) fn find(&self, headers: &HeaderMap) -> Option<Session> {
        let all = self.all();
        let session = ids(headers).find_map(|id| all.get(&sha256(id.as_bytes())))?;
        (session.ends > Instant::now()).then(|| session.clone())
    }

    /// Signs out, and says what the cookie is then.
    pub(super) fn end(&self, headers: &HeaderMap, is_secure: bool) -> String {
        ids(headers).for_each(|id| drop(self.all().remove(&sha256(id.as_bytes()))));
        cookie("", Duration::ZERO, is_secure)
    }

    pub(super) fn open_csrf(&self) -> &str {
        &self.open_csrf
    }

    fn all(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Not for scripts, and sent along by our own pages alone.
fn cookie(id: &str, life: Duration, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{COOKIE}={id}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{secure}", life.as_secs())
}

/// What the cookies of our name say.
fn ids(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == COOKIE).map(|(_, id)| id)
}

/// Whether both are the same, without telling by the time how much of them is.
pub(super) fn are_equal(one: &str, other: &str) -> bool {
    constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(cookie: &str) -> HeaderMap {
        let pair = cookie.split(';').next().unwrap();
        HeaderMap::from_iter([(header::COOKIE, format!("theme=dark; {pair}").parse().unwrap())])
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_ends_by_itself() {
        let sessions = Sessions::new().unwrap();
        let headers = sent(&sessions.begin("made-up-token-of-a-session", false).unwrap());
        assert!(sessions.find(&headers).is_some());
        tokio::time::advance(LIFE).await;
        assert!(sessions.find(&headers).is_none());
    }

    #[tokio::test]
    async fn who_signs_out_is_not_signed_in_whatever_the_cookie() {
        let sessions = Sessions::new().unwrap();
        let headers = sent(&sessions.begin("made-up-token-of-a-session", false).unwrap());
        sessions.end(&headers, false);
        assert!(sessions.find(&headers).is_none());
        assert!(sessions.find(&sent("nuncio_session=made-up")).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_session_makes_room() {
        let sessions = Sessions::new().unwrap();
        let first = sent(&sessions.begin("made-up-token-of-a-session", false).unwrap());
        tokio::time::advance(Duration::from_secs(1)).await;
        for _ in 0..MAX_SESSIONS {
            sessions.begin("made-up-token-of-a-session", false).unwrap();
        }
        assert!(sessions.find(&first).is_none());
        assert_eq!(sessions.all().len(), MAX_SESSIONS);
    }

    #[test]
    fn only_our_own_pages_send_the_cookie_and_no_script_reads_it() {
        let attributes = cookie("made-up", LIFE, true);
        for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Secure", "Max-Age=43200"] {
            assert!(attributes.contains(attribute), "{attributes}");
        }
        assert!(!cookie("made-up", LIFE, false).contains("Secure"));
    }
}
