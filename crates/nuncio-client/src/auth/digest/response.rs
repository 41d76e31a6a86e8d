//! The answer to a challenge, and its check (RFC 7616, section 3.4).

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use subtle::ConstantTimeEq as _;

use super::challenge::{Challenge, Protection};
use super::params::{self, Params, quoted};
use crate::auth::Message;
use crate::{Error, Kind, Secret};

/// Who answers: the hash of user, realm and password, which is as good as the password.
#[derive(Debug, Clone)]
pub(super) struct Proof {
    user: String,
    secret: Secret,
}

impl Proof {
    pub(super) fn new(challenge: &Challenge, user: &str, password: &Secret) -> Self {
        let text = format!("{user}:{}:{}", challenge.realm, password.expose());
        Self { user: user.to_owned(), secret: challenge.hash().digest(text.as_bytes()).into() }
    }

    /// The header value that answers `challenge` with the `count`th request.
    pub(super) fn authorization(
        &self,
        challenge: &Challenge,
        message: &Message<'_>,
        count: u32,
        cnonce: &str,
    ) -> Result<String, Error> {
        let uri = message.path_and_query();
        let count = format!("{count:08x}");
        let response = self.response(challenge, message, &uri, &count, cnonce)?;
        let mut fields = vec![
            self.username(challenge),
            format!("realm={}", quoted(&challenge.realm)),
            format!("nonce={}", quoted(&challenge.nonce)),
            format!("uri={}", quoted(&uri)),
            format!("response=\"{response}\""),
        ];
        if let Some(opaque) = &challenge.opaque {
            fields.push(format!("opaque={}", quoted(opaque)));
        }
        if let Some(algorithm) = challenge.algorithm {
            fields.push(format!("algorithm={algorithm}"));
        }
        match challenge.protection {
            Protection::Auth => fields.push(format!("qop=auth, nc={count}, cnonce={}", quoted(cnonce))),
            Protection::AuthInt => {
                fields.push(format!("qop=auth-int, nc={count}, cnonce={}", quoted(cnonce)));
            }
            // Without it no server could check the answer.
            Protection::Old if challenge.algorithm.is_some_and(|it| it.session) => {
                fields.push(format!("cnonce={}", quoted(cnonce)));
            }
            Protection::Old => {}
        }
        if challenge.userhash {
            fields.push("userhash=true".to_owned());
        }
        Ok(format!("Digest {}", fields.join(", ")))
    }

    fn username(&self, challenge: &Challenge) -> String {
        match &self.user {
            user if challenge.userhash => format!("username=\"{}\"", hashed(challenge, user)),
            user if !user.is_ascii() && challenge.is_utf8 => {
                format!("username*=UTF-8''{}", utf8_percent_encode(user, NON_ALPHANUMERIC))
            }
            user => format!("username={}", quoted(user)),
        }
    }

    fn response(
        &self,
        challenge: &Challenge,
        message: &Message<'_>,
        uri: &str,
        count: &str,
        cnonce: &str,
    ) -> Result<String, Error> {
        let digest = |text: String| challenge.hash().digest(text.as_bytes());
        let (nonce, secret) = (&challenge.nonce, self.secret.expose());
        let a1 = match challenge.algorithm {
            Some(algorithm) if algorithm.session => digest(format!("{secret}:{nonce}:{cnonce}")),
            _ => secret.to_owned(),
        };
        let a2 = format!("{}:{uri}", message.method);
        Ok(match challenge.protection {
            Protection::Old => digest(format!("{a1}:{nonce}:{}", digest(a2))),
            Protection::Auth => digest(format!("{a1}:{nonce}:{count}:{cnonce}:auth:{}", digest(a2))),
            Protection::AuthInt => {
                let body = message.body.ok_or_else(|| {
                    Error::configuration("a body that is not held in memory cannot be signed")
                        .advise("send it as bytes: the server asks for qop=auth-int, which covers the body")
                })?;
                let a2 = digest(format!("{a2}:{}", challenge.hash().digest(body)));
                digest(format!("{a1}:{nonce}:{count}:{cnonce}:auth-int:{a2}"))
            }
        })
    }
}

impl Challenge {
    /// Whether `message` answers this challenge with `user` and `password`; the request's count, which a server must not see twice.
    ///
    /// # Errors
    /// [`Kind::Auth`] with the reason when it does not.
    pub fn verify(&self, message: &Message<'_>, user: &str, password: &Secret) -> Result<u32, Error> {
        let sent = sent(message.headers).ok_or_else(|| refused("is missing or unreadable"))?;
        let given = |name: &str| sent.get(name).unwrap_or_default();
        let uri = message.path_and_query();
        if given("nonce") != self.nonce {
            return Err(refused("is to another challenge"));
        }
        if given("uri") != uri {
            return Err(refused(format!("is for {:?}, and not for {uri:?}", given("uri"))));
        }
        let named = match sent.get("username*").and_then(|name| name.split_once("''")) {
            Some((_, encoded)) => percent_decode_str(encoded).decode_utf8_lossy().into_owned(),
            None => given("username").to_owned(),
        };
        let is_user = named == user || (given("userhash") == "true" && named == hashed(self, user));
        let count = u32::from_str_radix(given("nc"), 16).unwrap_or_default();
        let expected =
            Proof::new(self, user, password).response(self, message, &uri, given("nc"), given("cnonce"))?;
        if is_user && bool::from(expected.as_bytes().ct_eq(given("response").as_bytes())) {
            return Ok(count);
        }
        Err(refused("is wrong"))
    }
}

/// The Digest credentials of a request.
pub(super) fn sent(headers: &http::HeaderMap) -> Option<Params> {
    let field = headers.get(http::header::AUTHORIZATION)?;
    params::schemes(&String::from_utf8_lossy(field.as_bytes())).into_iter().find(Params::is_digest)
}

fn hashed(challenge: &Challenge, user: &str) -> String {
    challenge.hash().digest(format!("{user}:{}", challenge.realm).as_bytes())
}

fn refused(what: impl std::fmt::Display) -> Error {
    Error::new(Kind::Auth, format!("the Digest answer {what}"))
}
