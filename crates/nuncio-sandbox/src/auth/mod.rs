//! Credentials, demanded as described.

mod digest;
mod hmac;
mod session;
mod signed;

use std::collections::HashSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nuncio_client::auth::Message;
use nuncio_service::model::{ApiKey, Auth, KeyPlace};
use nuncio_service::{Scope, Template};
use subtle::ConstantTimeEq as _;

use crate::oauth2::Tokens;
use crate::wire::Received;

/// What credentials are compared with.
pub(crate) struct Demand<'a> {
    /// The environment that the credentials come from; where a variable is not set, any credential of the right shape will do.
    pub(crate) scope: &'a Scope,
    pub(crate) now: Duration,
    pub(crate) tokens: &'a mut Tokens,
    pub(crate) nonces: &'a mut HashSet<String>,
}

impl Demand<'_> {
    /// Whether the request proves who makes it.
    pub(crate) fn is_met(&mut self, auth: &Auth, received: &Received) -> bool {
        match auth {
            Auth::None => true,
            Auth::ApiKey(key) => self.api_key(key, received),
            Auth::Basic(basic) => basic_of(received).is_some_and(|(user, password)| {
                self.fits(&basic.user, &user) & (self.fits_or_empty(&basic.password, &password))
            }),
            Auth::Bearer(token) => bearer_of(received).is_some_and(|given| self.fits(token, given)),
            Auth::OAuth2(_) => bearer_of(received).is_some_and(|token| self.tokens.accepts(token, self.now)),
            Auth::Digest(digest) => self.answers(digest, received),
            Auth::Jwt(jwt) => bearer_of(received).is_some_and(|token| self.is_of(jwt, token)),
            Auth::Hmac(hmac) => self.is_signed(hmac, received).is_some(),
            Auth::SigV4(sigv4) => self.is_signed_by_sigv4(sigv4, received),
            Auth::OAuth1(oauth1) => self.is_signed_by_oauth1(oauth1, received),
            Auth::MessageSignature(it) => self.is_signed_by_message_signature(it, received),
            Auth::Session(session) => self.is_of_session(session, received),
        }
    }

    fn api_key(&self, key: &ApiKey, received: &Received) -> bool {
        let query = || form_urlencoded::parse(received.query.as_deref().unwrap_or_default().as_bytes());
        let given = match key.place() {
            Some(KeyPlace::Header(name)) => received.header(name).map(str::to_owned),
            Some(KeyPlace::Query(name)) => {
                query().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
            }
            Some(KeyPlace::Cookie(name)) => received.header("cookie").and_then(|cookies| {
                let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
                pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
            }),
            None => None,
        };
        given.is_some_and(|given| {
            given.strip_prefix(&key.prefix).is_some_and(|given| self.fits(&key.value, given))
        })
    }

    pub(crate) fn fits(&self, expected: &Template, given: &str) -> bool {
        !given.is_empty() && self.fits_or_empty(expected, given)
    }

    pub(crate) fn fits_or_empty(&self, expected: &Template, given: &str) -> bool {
        match expected.text(self.scope) {
            Ok(expected) => expected.as_bytes().ct_eq(given.as_bytes()).into(),
            Err(_) => true,
        }
    }
}

/// A request as its signer saw it. The second is that of a client that knows nothing of the service's name before the path.
fn messages(received: &Received) -> [Message<'_>; 2] {
    [&received.full_path, &received.path].map(|path| Message {
        method: received.method.as_str(),
        scheme: "http",
        authority: received.header("host").unwrap_or_default().into(),
        path,
        query: received.query.as_deref(),
        headers: &received.headers,
        body: Some(&received.body),
    })
}

/// The token of an `Authorization: Bearer` header; or of `Authorization: token`, as it was called before RFC 6750 and some clients
/// still write.
pub(crate) fn bearer_of(received: &Received) -> Option<&str> {
    let (scheme, token) = received.header("authorization")?.split_once(' ')?;
    ["bearer", "token"].iter().any(|name| scheme.eq_ignore_ascii_case(name)).then_some(token)
}

/// User and password of an `Authorization: Basic` header.
pub(crate) fn basic_of(received: &Received) -> Option<(String, String)> {
    let (scheme, encoded) = received.header("authorization")?.split_once(' ')?;
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| (user.to_owned(), password.to_owned()))
}
