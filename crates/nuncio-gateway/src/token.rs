//! Tokens for the API: shown once, kept as SHA-256, compared in constant time.

use std::collections::BTreeSet;
use std::fmt;

use aws_lc_rs::{constant_time, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use nuncio_client::{Error, Secret};
use nuncio_relay::store::{Document, DocumentKind, Documents};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The shortest token that somebody may choose, in bytes.
const SHORTEST: usize = 16;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// To read all but tokens.
    Read,
    /// To tell of events.
    Publish,
    /// To change settings, and to send again.
    Write,
    /// For everything, tokens included.
    Admin,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Publish => "publish",
            Self::Write => "write",
            Self::Admin => "admin",
        })
    }
}

/// A token as it is stored. A token is 256 random bits, or chosen by the operator: a fast hash gives nothing away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredToken {
    pub(crate) sha256: String,
    pub(crate) scopes: BTreeSet<Scope>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<Timestamp>,
}

impl StoredToken {
    /// A token of this text.
    pub(crate) fn new(
        text: &str,
        scopes: BTreeSet<Scope>,
        created_at: Option<Timestamp>,
    ) -> Result<Self, Error> {
        if text.len() < SHORTEST {
            return Err(Error::configuration(format!("a token has at least {SHORTEST} characters")));
        }
        Ok(Self { sha256: hex::encode(sha256(text.as_bytes())), scopes, created_at })
    }

    /// A token of which only this is known.
    pub(crate) fn hashed(sha256: &str, scopes: BTreeSet<Scope>) -> Result<Self, Error> {
        let sha256 = sha256.to_ascii_lowercase();
        if hex::decode(&sha256).is_ok_and(|hash| hash.len() == 32) {
            return Ok(Self { sha256, scopes, created_at: None });
        }
        Err(Error::configuration("a SHA-256 has 64 hexadecimal digits"))
    }

    pub(crate) fn read(document: &Document) -> Result<Self, Error> {
        serde_json::from_value(document.value.clone())
            .map_err(|error| Error::configuration(format!("token {}: {error}", document.name)))
    }
}

/// A new token: `nuncio_` and 256 random bits.
pub(crate) fn generate() -> Result<String, Error> {
    Ok(format!("nuncio_{}", unguessable()?))
}

/// 256 random bits, as text.
pub(crate) fn unguessable() -> Result<String, Error> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| Error::configuration("the system gives no random numbers"))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

pub(crate) fn sha256(text: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, text).as_ref());
    hash
}

/// Who may do what.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tokens(Vec<([u8; 32], BTreeSet<Scope>)>);

impl Tokens {
    /// Those of these documents, and the one that comes along.
    pub(crate) fn new(documents: &Documents, bootstrap: Option<&Secret>) -> Result<Self, Error> {
        let mut tokens = Vec::new();
        for document in documents.all.iter().filter(|document| document.kind == DocumentKind::Token) {
            let token = StoredToken::read(document)?;
            let hash = hex::decode(&token.sha256).ok().and_then(|hash| hash.try_into().ok());
            let hash = hash.ok_or_else(|| {
                Error::configuration(format!(
                    "token {}: its sha256 is not 64 hexadecimal digits",
                    document.name
                ))
            })?;
            tokens.push((hash, token.scopes));
        }
        tokens.extend(
            bootstrap.map(|token| (sha256(token.expose().as_bytes()), BTreeSet::from([Scope::Admin]))),
        );
        Ok(Self(tokens))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the bearer of this text may do; `None` if it is no token.
    pub(crate) fn scopes(&self, text: &str) -> Option<&BTreeSet<Scope>> {
        self.scopes_of(&sha256(text.as_bytes()))
    }

    /// What the bearer of the token with this SHA-256 may do; `None` if it is no token. All are compared, whichever it is.
    pub(crate) fn scopes_of(&self, presented: &[u8; 32]) -> Option<&BTreeSet<Scope>> {
        let mut found = None;
        for (hash, scopes) in &self.0 {
            if constant_time::verify_slices_are_equal(hash, presented).is_ok() {
                found = Some(scopes);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_one() {
        let tokens = Tokens::new(
            &Documents { revision: 0, all: Vec::new() },
            Some(&Secret::new("made-up-token-of-ours")),
        )
        .unwrap();
        assert_eq!(tokens.scopes("made-up-token-of-ours"), Some(&BTreeSet::from([Scope::Admin])));
        assert_eq!(tokens.scopes("made-up-token-of-our"), None);
        assert_eq!(tokens.scopes(""), None);
    }

    #[test]
    fn a_token_that_can_be_guessed_is_refused() {
        assert!(StoredToken::new("letmein", BTreeSet::new(), None).is_err());
    }

    #[test]
    fn no_two_new_tokens_are_the_same() {
        assert_ne!(generate().unwrap(), generate().unwrap());
    }
}
