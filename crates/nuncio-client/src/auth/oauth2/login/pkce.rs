//! Proof that whoever shows a code is the one who asked for it (RFC 7636).

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use sha2::{Digest as _, Sha256};

use crate::{Error, Secret};

/// A code verifier: 43 to 128 letters, digits and `-._~` that nobody can guess (RFC 7636, section 4.1).
#[derive(Debug, Clone)]
pub struct Verifier(Secret);

impl Verifier {
    /// 256 random bits of the operating system, as the RFC recommends.
    ///
    /// # Errors
    /// When the operating system gives none.
    pub fn random() -> Result<Self, Error> {
        unguessable().map(Self)
    }

    /// The verifier that `text` is.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) when it is none.
    pub fn new(text: Secret) -> Result<Self, Error> {
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !(43..=128).contains(&text.expose().len()) || !text.expose().bytes().all(is_unreserved) {
            return Err(Error::configuration("a code verifier has 43 to 128 letters, digits and `-._~`"));
        }
        Ok(Self(text))
    }

    /// Its SHA-256 in base64url: the challenge of the method `S256` (section 4.2).
    ///
    /// ```
    /// use nuncio_client::auth::oauth2::login::Verifier;
    ///
    /// // RFC 7636, appendix B.
    /// let verifier = Verifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into())?;
    /// assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    /// # Ok::<(), nuncio_client::Error>(())
    /// ```
    #[must_use]
    pub fn challenge(&self) -> String {
        challenge(self.0.expose())
    }

    pub(super) fn secret(&self) -> &Secret {
        &self.0
    }
}

fn challenge(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// 256 random bits of the operating system, in base64url. What [`Random`](crate::Random) makes up may be guessed.
pub(super) fn unguessable() -> Result<Secret, Error> {
    let mut bits = [0; 32];
    aws_lc_rs::rand::fill(&mut bits)
        .map_err(|_| Error::configuration("the operating system gave no random numbers"))?;
    Ok(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(bits)))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn challenges_are_those_of_other_libraries() {
        let file: Value = serde_json::from_str(include_str!("../../../../tests/vectors/pkce.json")).unwrap();
        let cases = file["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 11);
        for case in cases {
            let (name, verifier) = (&case["name"], case["code_verifier"].as_str().unwrap());
            if let Some(expected) = case["expect"]["code_challenge"].as_str() {
                assert_eq!(challenge(verifier), expected, "{name}");
            }
            // The library that was recorded lets a line end through, the RFC does not.
            let is_valid = case["expect"]["verifier_valid"] == true && name != "trailing-newline";
            assert_eq!(Verifier::new(verifier.into()).is_ok(), is_valid, "{name}");
        }
    }

    #[test]
    fn what_is_made_up_is_a_verifier_and_never_the_same() {
        let [one, other] = [(); 2].map(|()| Verifier::random().unwrap());
        assert!(Verifier::new(one.secret().clone()).is_ok());
        assert_ne!(one.secret().expose(), other.secret().expose());
    }
}
