//! Sessions: what one operation gives, the others demand.

use nuncio_client::json::scalar_text;
use nuncio_service::model::Session;
use serde_json::{Map, Value};

use super::Demand;
use crate::answer::{Answer, put};
use crate::wire::Received;

impl Demand<'_> {
    pub(super) fn is_of_session(&mut self, session: &Session, received: &Received) -> bool {
        let (name, prefix) = session.place();
        let Some(given) = received.header(name) else { return false };
        let given = match &session.cookie {
            Some(_) => given.split(';').find_map(|pair| pair.trim().strip_prefix(&prefix)),
            None => given.strip_prefix(&prefix),
        };
        given.is_some_and(|credential| self.tokens.accepts(credential, self.now))
    }

    /// The answer to a login with `input`; nothing for one with other values than those of the environment.
    pub(crate) fn log_in(
        &mut self,
        session: &Session,
        input: &Map<String, Value>,
        credential: &str,
    ) -> Option<Answer> {
        let is_given = |name: &String| input.get(name).and_then(scalar_text).unwrap_or_default();
        if !session.input.iter().all(|(name, expected)| self.fits(expected, &is_given(name))) {
            return None;
        }
        self.tokens.issue(credential.to_owned(), None, self.now);
        let mut body = Value::Object(Map::new());
        if let Some(path) = &session.token {
            put(&mut body, path.steps(), Value::from(credential));
        }
        let answer = Answer::json(200, body);
        Some(match &session.cookie {
            Some(cookie) => {
                answer.with_header("set-cookie", &format!("{cookie}={credential}; Path=/; HttpOnly"))
            }
            None => answer,
        })
    }
}
