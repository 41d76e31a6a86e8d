//! What a server asks for.

use std::fmt;
use std::str::FromStr;

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use md5::Md5;
use sha2::digest::Digest as Hasher;
use sha2::{Sha256, Sha512, Sha512_256};

use super::params::{self, Params, quoted};

/// The hash, and whether the password is hashed with the nonce once more (`-sess`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Algorithm {
    /// The hash function.
    pub hash: Hash,
    /// Whether the nonce goes into the hash of the password.
    pub session: bool,
}

/// A hash function of Digest, from the weakest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Hash {
    /// MD5, which what stands below was made to replace; most servers know nothing else.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512/256.
    Sha512_256,
    /// SHA-512, which is not registered but spoken by some.
    Sha512,
}

impl Hash {
    const ALL: [Self; 4] = [Self::Md5, Self::Sha256, Self::Sha512_256, Self::Sha512];

    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
            Self::Sha512_256 => "SHA-512-256",
            Self::Sha512 => "SHA-512",
        }
    }

    /// In hex.
    pub(super) fn digest(self, text: &[u8]) -> String {
        match self {
            Self::Md5 => hex::encode(Md5::digest(text)),
            Self::Sha256 => hex::encode(Sha256::digest(text)),
            Self::Sha512_256 => hex::encode(Sha512_256::digest(text)),
            Self::Sha512 => hex::encode(Sha512::digest(text)),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.hash.name(), if self.session { "-sess" } else { "" })
    }
}

impl FromStr for Algorithm {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        let upper = name.to_ascii_uppercase();
        let (hash, session) =
            upper.strip_suffix("-SESS").map_or((upper.as_str(), false), |hash| (hash, true));
        let hash = Hash::ALL.into_iter().find(|it| it.name() == hash).ok_or(())?;
        Ok(Self { hash, session })
    }
}

/// What is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protection {
    /// Method and target, without a count: RFC 2069, for servers that say nothing of `qop`.
    Old,
    /// Method and target, each request counted: `auth`.
    Auth,
    /// The body too: `auth-int`.
    AuthInt,
}

/// A challenge (RFC 7616, section 3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Challenge {
    /// Which user and password are asked for.
    pub realm: String,
    /// What the server made up for this challenge.
    pub nonce: String,
    /// Sent back as it is.
    pub opaque: Option<String>,
    /// Nothing: MD5, and the answer does not name it either.
    pub algorithm: Option<Algorithm>,
    /// `auth` where it is offered, since a body may be a stream.
    pub protection: Protection,
    /// Only the nonce was too old; the password was right.
    pub stale: bool,
    /// The user's name may be sent as a hash.
    pub userhash: bool,
    /// The server said that it reads UTF-8.
    pub is_utf8: bool,
}

impl Challenge {
    /// A challenge for `realm` that asks for `auth`.
    #[must_use]
    pub fn new(realm: impl Into<String>, nonce: impl Into<String>, algorithm: Algorithm) -> Self {
        Self {
            realm: realm.into(),
            nonce: nonce.into(),
            opaque: None,
            algorithm: Some(algorithm),
            protection: Protection::Auth,
            stale: false,
            userhash: false,
            is_utf8: true,
        }
    }

    pub(super) fn hash(&self) -> Hash {
        self.algorithm.map_or(Hash::Md5, |algorithm| algorithm.hash)
    }

    /// The strongest challenge among those of an answer that can be met, the first of equals.
    pub(super) fn strongest(headers: &HeaderMap) -> Option<Self> {
        let mut best: Option<Self> = None;
        for found in all(headers).filter_map(|params| Self::read(&params)) {
            if best.as_ref().is_none_or(|best| best.hash() < found.hash()) {
                best = Some(found);
            }
        }
        best
    }

    fn read(params: &Params) -> Option<Self> {
        let says =
            |name: &str, value: &str| params.get(name).is_some_and(|it| it.eq_ignore_ascii_case(value));
        let protection = match params.get("qop") {
            None => Protection::Old,
            Some(offered) => {
                let offers = |name: &str| offered.split(',').any(|it| it.trim().eq_ignore_ascii_case(name));
                if offers("auth") {
                    Protection::Auth
                } else if offers("auth-int") {
                    Protection::AuthInt
                } else {
                    return None;
                }
            }
        };
        Some(Self {
            realm: params.get("realm")?.to_owned(),
            nonce: params.get("nonce")?.to_owned(),
            opaque: params.get("opaque").map(str::to_owned),
            algorithm: params.get("algorithm").map(str::parse).transpose().ok()?,
            protection,
            stale: says("stale", "true"),
            userhash: says("userhash", "true"),
            is_utf8: says("charset", "utf-8"),
        })
    }
}

/// What an answer asks for by Digest, in the words of its header, whether it can be met or not.
pub(super) fn asked(headers: &HeaderMap) -> Vec<String> {
    all(headers).filter_map(|params| Some(params.get("algorithm")?.to_owned())).collect()
}

fn all(headers: &HeaderMap) -> impl Iterator<Item = Params> {
    let fields = headers.get_all(WWW_AUTHENTICATE).iter();
    let schemes = fields.flat_map(|field| params::schemes(&String::from_utf8_lossy(field.as_bytes())));
    schemes.filter(Params::is_digest)
}

impl fmt::Display for Challenge {
    /// The value of `WWW-Authenticate`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest realm={}, nonce={}", quoted(&self.realm), quoted(&self.nonce))?;
        match self.protection {
            Protection::Old => {}
            Protection::Auth => write!(f, ", qop=\"auth\"")?,
            Protection::AuthInt => write!(f, ", qop=\"auth-int\"")?,
        }
        if let Some(algorithm) = self.algorithm {
            write!(f, ", algorithm={algorithm}")?;
        }
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque={}", quoted(opaque))?;
        }
        for (name, is) in
            [("charset=UTF-8", self.is_utf8), ("stale=true", self.stale), ("userhash=true", self.userhash)]
        {
            if is {
                write!(f, ", {name}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strongest(fields: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(WWW_AUTHENTICATE, field.parse().unwrap());
        }
        Challenge::strongest(&headers)
    }

    #[test]
    fn the_strongest_of_several_challenges_is_taken() {
        let md5 = r#"Digest realm="r", nonce="1", qop="auth", algorithm=MD5"#;
        let sha256 = r#"Digest realm="r", nonce="2", qop="auth", algorithm=SHA-256"#;
        let unknown = r#"Digest realm="r", nonce="3", qop="auth", algorithm=SHA-999"#;
        let basic = r#"Basic realm="r""#;
        assert_eq!(strongest(&[md5, sha256, unknown, basic]).unwrap().nonce, "2");
        assert_eq!(strongest(&[&format!("{basic}, {sha256}, {md5}")]).unwrap().nonce, "2");
        assert_eq!(strongest(&[md5]).unwrap().nonce, "1");
        assert_eq!(strongest(&[unknown, basic]), None);
    }

    #[test]
    fn a_challenge_without_realm_nonce_or_a_known_qop_cannot_be_met() {
        for field in [
            r#"Digest nonce="1""#,
            r#"Digest realm="r""#,
            r#"Digest realm="r", nonce="1", qop="other""#,
            "Digest",
        ] {
            assert_eq!(strongest(&[field]), None, "{field}");
        }
    }

    #[test]
    fn a_challenge_is_read_as_it_was_written() {
        let mut challenge =
            Challenge::new("a \"realm\"", "n=", Algorithm { hash: Hash::Sha512_256, session: true });
        challenge.opaque = Some("o".to_owned());
        challenge.stale = true;
        challenge.userhash = true;
        challenge.protection = Protection::AuthInt;
        assert_eq!(strongest(&[&challenge.to_string()]), Some(challenge));
    }
}
