//! Tokens, made.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::{Map, Value, json};

use super::Algorithm;
use crate::auth::key::SigningKey;
use crate::{Error, Secret};

/// What stands in front of the claims (RFC 7515, section 4).
#[derive(Debug, Clone)]
pub struct Header {
    /// How the token is signed.
    pub algorithm: Algorithm,
    /// Which key it is, for verifiers that have several. Default: not said.
    pub key_id: Option<String>,
    /// The media type of the token, of which some services want their own, such as `at+jwt`. Default: `JWT`.
    pub token_type: String,
    /// Further members, such as `x5t#S256`. Default: none.
    pub more: Map<String, Value>,
}

impl Header {
    /// A header that names the algorithm and says `JWT`.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self { algorithm, key_id: None, token_type: "JWT".to_owned(), more: Map::new() }
    }

    /// Says which key it is.
    #[must_use]
    pub fn key_id(mut self, key_id: impl Into<String>) -> Self {
        self.key_id = Some(key_id.into());
        self
    }

    pub(super) fn json(&self) -> Value {
        let mut header = json!({ "alg": self.algorithm.name() });
        if let Some(key_id) = &self.key_id {
            header["kid"] = key_id.as_str().into();
        }
        header["typ"] = self.token_type.as_str().into();
        for (name, value) in &self.more {
            header[name] = value.clone();
        }
        header
    }
}

/// A token with `claims`, an object, as they are: times are the caller's to add.
///
/// # Errors
/// [`Kind::Configuration`](crate::Kind::Configuration) when the key does not go with the header's algorithm, or is empty.
pub fn sign(header: &Header, claims: &Value, key: &SigningKey) -> Result<Secret, Error> {
    let input = format!("{}.{}", encode(header.json().to_string()), encode(claims.to_string()));
    let signature = key.sign(header.algorithm.signature(), input.as_bytes())?;
    Ok(Secret::new(format!("{input}.{}", encode(signature))))
}

fn encode(part: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(part)
}

#[cfg(test)]
mod tests {
    use super::super::{KeySet, Verifier};
    use super::*;
    use crate::Clock;
    use crate::auth::hmac;
    use crate::auth::key::testing;

    struct Case(Value);

    impl Case {
        fn all() -> Vec<Self> {
            let file: Value =
                serde_json::from_str(include_str!("../../../tests/vectors/jwt-sign.json")).unwrap();
            file["cases"].as_array().unwrap().iter().cloned().map(Self).collect()
        }

        fn key(&self) -> SigningKey {
            match self.0["secret"].as_str() {
                Some(secret) => SigningKey::shared(hmac::Key::verbatim(&secret.into())),
                None => testing::key(self.0["key"].as_str().unwrap()),
            }
        }

        fn header(&self) -> Header {
            let expected = &self.0["expect"]["header"];
            let mut header = Header::new(self.0["algorithm"].as_str().unwrap().parse().unwrap());
            header.key_id = expected["kid"].as_str().map(str::to_owned);
            header
        }

        fn sign(&self) -> Secret {
            sign(&self.header(), &self.0["expect"]["claims"], &self.key()).unwrap()
        }
    }

    fn decode(part: &str) -> Value {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn recorded_tokens_are_reproduced() {
        let cases = Case::all();
        assert_eq!(cases.len(), 12);
        let mut same_bytes = 0;
        for case in cases {
            let (name, expected) = (&case.0["name"], &case.0["expect"]);
            let token = case.sign();
            let (input, _) = token.expose().rsplit_once('.').unwrap();
            let (header, claims) = input.split_once('.').unwrap();
            assert_eq!(decode(header), expected["header"], "{name}");
            assert_eq!(decode(claims), expected["claims"], "{name}");
            if expected["deterministic_signature"] == true && expected["signing_input"] == input {
                assert_eq!(token.expose(), expected["token"], "{name}");
                same_bytes += 1;
            }
        }
        // The others have random signatures, or write their JSON in another order.
        assert_eq!(same_bytes, 5);
    }

    #[test]
    fn recorded_tokens_and_ours_verify_with_the_public_key() {
        for case in Case::all() {
            let keys: KeySet = case.key().verifying_key().into();
            let now = case.0["now"].as_u64().unwrap();
            let clock = Clock::fixed(std::time::UNIX_EPOCH + std::time::Duration::from_secs(now));
            let mut verifier = Verifier::new([case.header().algorithm]);
            if let Some(audience) = case.0["expect"]["claims"]["aud"].as_str() {
                verifier = verifier.audience(audience);
            }
            for token in [case.sign().expose(), case.0["expect"]["token"].as_str().unwrap()] {
                let verified = verifier.verify(token, &keys, &clock).unwrap();
                assert_eq!(Value::Object(verified.claims), case.0["expect"]["claims"]);
            }
        }
    }

    #[test]
    fn a_token_is_known_to_the_redactor() {
        let token = sign(&Header::new(Algorithm::EdDsa), &json!({}), &testing::key("ed1")).unwrap();
        let told = format!("refused {}", token.expose());
        assert_eq!(crate::Redactor::global().redact(&told), "refused ***");
    }

    #[test]
    fn a_header_has_what_a_service_wants() {
        let mut header = Header::new(Algorithm::EdDsa).key_id("made-up-id");
        header.token_type = "at+jwt".to_owned();
        header.more.insert("x5t#S256".to_owned(), "made-up".into());
        let token = sign(&header, &json!({}), &testing::key("ed1")).unwrap();
        let written = decode(token.expose().split('.').next().unwrap());
        assert_eq!(
            written.to_string(),
            r#"{"alg":"EdDSA","kid":"made-up-id","typ":"at+jwt","x5t#S256":"made-up"}"#
        );
    }
}
