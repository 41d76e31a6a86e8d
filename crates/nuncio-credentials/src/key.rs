//! The key of a store, and what is sealed with it.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use nuncio_client::{Error, Secret};
use zeroize::Zeroizing;

use crate::Account;

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;

/// 256 bits, the cipher that they make, and the name by which the key is known.
pub(crate) struct Key {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    cipher: RandomizedNonceKey,
    id: String,
}

impl Key {
    /// A key that nobody has had before.
    pub(crate) fn generate() -> Self {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        aws_lc_rs::rand::fill(&mut *bytes).expect("the system has randomness");
        Self::new(bytes)
    }

    /// The key that `text` writes as base64, with or without padding, or as hex.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let engines = [
            BASE64_STANDARD.decode(text),
            BASE64_STANDARD_NO_PAD.decode(text),
            BASE64_URL_SAFE_NO_PAD.decode(text),
        ];
        let readings =
            [hex::decode(text).ok()].into_iter().chain(engines.map(Result::ok)).flatten().map(Zeroizing::new);
        let bytes =
            readings.into_iter().find_map(|read| <[u8; KEY_BYTES]>::try_from(read.as_slice()).ok())?;
        Some(Self::new(Zeroizing::new(bytes)))
    }

    fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        // One key, two uses: each has a key of its own.
        let derive = |label: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &*bytes), label);
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, derive(b"nuncio credentials: seal").as_ref())
            .expect("the cipher takes 32 bytes");
        let id = hex::encode(&derive(b"nuncio credentials: key id").as_ref()[..8]);
        Self { bytes, cipher, id }
    }

    /// 16 hex digits that only this key leads to and that tell nothing about it: its check value.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The key as text, for its file.
    pub(crate) fn to_base64(&self) -> Secret {
        Secret::new(BASE64_STANDARD.encode(*self.bytes))
    }

    /// Encrypts `value`, which opens only under this key and only as `field` of `account`.
    pub(crate) fn seal(&self, account: &Account, field: &str, value: &str) -> Vec<u8> {
        let mut sealed = value.as_bytes().to_vec();
        let place = self.place(account, field);
        let nonce = self
            .cipher
            .seal_in_place_append_tag(Aad::from(place), &mut sealed)
            .expect("bounded values can be sealed");
        [nonce.as_ref().as_slice(), &sealed].concat()
    }

    /// Decrypts what [`seal`](Self::seal) made; nothing when one bit of it, its place or the key is another.
    pub(crate) fn open(&self, account: &Account, field: &str, sealed: &[u8]) -> Option<Zeroizing<String>> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN)?;
        let mut rest = Zeroizing::new(rest.to_vec());
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened =
            self.cipher.open_in_place(nonce, Aad::from(self.place(account, field)), &mut rest).ok()?;
        std::str::from_utf8(opened).ok().map(|text| Zeroizing::new(text.to_owned()))
    }

    /// With their lengths, so that no two places are written alike.
    fn place(&self, account: &Account, field: &str) -> Vec<u8> {
        let mut place = Vec::new();
        for part in [account.service(), account.name(), field, &self.id] {
            place.extend_from_slice(&(part.len() as u64).to_be_bytes());
            place.extend_from_slice(part.as_bytes());
        }
        place
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

/// The key that was given by hand.
pub(crate) fn given(text: &Secret) -> Result<Key, Error> {
    Key::parse(text.expose()).ok_or_else(|| {
        Error::configuration(
            "the key of the credential store that was given is not 32 bytes in base64 or hex",
        )
        .advise("make one with `openssl rand -base64 32`; a passphrase is no key")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str) -> Account {
        Account::new("shop", name).unwrap()
    }

    #[test]
    fn a_key_is_read_in_every_spelling_and_is_the_same() {
        let key = Key::generate();
        let base64 = key.to_base64().expose().to_owned();
        let url_safe = base64.replace('+', "-").replace('/', "_");
        let spellings = [
            base64.clone(),
            format!(" {base64}\n"),
            base64.trim_end_matches('=').to_owned(),
            url_safe.trim_end_matches('=').to_owned(),
            hex::encode(*key.bytes),
            hex::encode_upper(*key.bytes),
        ];
        for spelling in spellings {
            assert_eq!(Key::parse(&spelling).unwrap().id(), key.id(), "{spelling}");
        }
    }

    #[test]
    fn what_is_not_32_bytes_is_no_key() {
        let short = BASE64_STANDARD.encode([7; 31]);
        let long = hex::encode([7; 33]);
        for text in ["", "made-up passphrase", &short, &long] {
            let error = given(&text.into()).unwrap_err().report();
            assert!(error.contains("32 bytes") && error.contains("openssl rand -base64 32"), "{error}");
        }
    }

    #[test]
    fn a_value_opens_only_in_its_place_and_under_its_key() {
        let key = Key::generate();
        let sealed = key.seal(&account("a"), "variable TOKEN", "made-up-value");
        assert_eq!(*key.open(&account("a"), "variable TOKEN", &sealed).unwrap(), "made-up-value");
        assert!(key.open(&account("b"), "variable TOKEN", &sealed).is_none());
        assert!(key.open(&account("a"), "variable OTHER", &sealed).is_none());
        assert!(Key::generate().open(&account("a"), "variable TOKEN", &sealed).is_none());
    }

    #[test]
    fn one_bit_that_changed_is_noticed() {
        let key = Key::generate();
        let sealed = key.seal(&account("a"), "f", "made-up-value");
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(key.open(&account("a"), "f", &damaged).is_none(), "byte {at}");
        }
        assert!(key.open(&account("a"), "f", &sealed[..5]).is_none());
    }

    #[test]
    fn the_same_value_is_never_sealed_alike() {
        let key = Key::generate();
        assert_ne!(key.seal(&account("a"), "f", "x"), key.seal(&account("a"), "f", "x"));
    }

    #[test]
    fn places_that_read_alike_when_joined_are_told_apart() {
        let key = Key::generate();
        let one = Account::new("ab", "c").unwrap();
        let other = Account::new("a", "bc").unwrap();
        assert!(key.open(&other, "f", &key.seal(&one, "f", "x")).is_none());
    }
}
