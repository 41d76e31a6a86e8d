//! `Content-Digest` (RFC 9530): what ties a body to a signature over headers.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use sfv::{BareItem, Dictionary, Item, ListEntry, Parser};
use sha2::{Digest as _, Sha256, Sha512};

/// The hash of the body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContentDigest {
    /// `sha-256`, the default.
    #[default]
    Sha256,
    /// `sha-512`
    Sha512,
}

impl ContentDigest {
    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha512 => "sha-512",
        }
    }

    fn digest(self, body: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(body).to_vec(),
            Self::Sha512 => Sha512::digest(body).to_vec(),
        }
    }

    /// The value of the header for `body`: `sha-256=:…:`.
    #[must_use]
    pub fn value(self, body: &[u8]) -> String {
        format!("{}=:{}:", self.name(), BASE64_STANDARD.encode(self.digest(body)))
    }

    /// Whether the header value `field` is that of `body`: every digest that is known here is right, and there is one.
    #[must_use]
    pub fn is_of(field: &str, body: &[u8]) -> bool {
        let Ok(digests) = Parser::new(field).parse::<Dictionary>() else { return false };
        let verdicts: Vec<bool> = [Self::Sha256, Self::Sha512]
            .into_iter()
            .filter_map(|by| match digests.get(by.name())? {
                ListEntry::Item(Item { bare_item: BareItem::ByteSequence(said), .. }) => {
                    Some(*said == by.digest(body))
                }
                _ => Some(false),
            })
            .collect();
        !verdicts.is_empty() && verdicts.into_iter().all(|is_right| is_right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9421, appendix B.2.
    const BODY: &[u8] = br#"{"hello": "world"}"#;
    const SHA_512: &str =
        "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";

    #[test]
    fn a_digest_is_the_published_one() {
        assert_eq!(ContentDigest::Sha512.value(BODY), SHA_512);
        // RFC 9530, appendix D, of the same content.
        let sha_256 = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
        assert_eq!(ContentDigest::Sha256.value(BODY), sha_256);
    }

    #[test]
    fn every_known_digest_must_be_right_and_one_must_be_there() {
        let right = ContentDigest::Sha256.value(BODY);
        assert!(ContentDigest::is_of(&right, BODY));
        assert!(ContentDigest::is_of(&format!("{SHA_512}, {right}, md5=:AAAA:"), BODY));
        assert!(!ContentDigest::is_of(&right, b"{}"));
        for wrong in ["", "md5=:AAAA:", "sha-256=AAAA", "sha-256=:AAAA:", "???"] {
            assert!(!ContentDigest::is_of(wrong, BODY), "{wrong}");
        }
        assert!(!ContentDigest::is_of(&format!("{SHA_512}, sha-256=:AAAA:"), BODY));
    }
}
