//! Tokens, verified.

use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::{Map, Value};

use super::{Algorithm, KeySet};
use crate::{Clock, Error, Kind};

/// Headers that carry a token are smaller.
const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// Says whether a token holds: its signature, its time, whom it is from and for.
///
/// The algorithm must be one of those named, never one that the token chooses; keys in the token's own header count for nothing.
#[derive(Debug, Clone)]
pub struct Verifier {
    algorithms: Vec<Algorithm>,
    audience: Option<String>,
    issuer: Option<String>,
    leeway: Duration,
    required: Vec<String>,
}

/// A token that holds.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Verified {
    /// The header's members.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
}

impl Verifier {
    /// A verifier of tokens that are signed by one of `algorithms`.
    #[must_use]
    pub fn new(algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        Self {
            algorithms: algorithms.into_iter().collect(),
            audience: None,
            issuer: None,
            leeway: Duration::ZERO,
            required: Vec::new(),
        }
    }

    /// For whom tokens must be. Default: for no one in particular; a token that names an audience is then refused, since it is for
    /// someone else (RFC 7519, section 4.1.3).
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// From whom tokens must be. Default: from anyone who has the key.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// How far the clocks may differ. Default: not at all.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// A claim that must be there, such as `exp`. Default: those that are checked may be missing, but for issuer and audience.
    #[must_use]
    pub fn require(mut self, claim: impl Into<String>) -> Self {
        self.required.push(claim.into());
        self
    }

    /// What `token` says, when it holds now.
    ///
    /// # Errors
    /// [`Kind::Auth`] with the reason when it does not.
    pub fn verify(&self, token: &str, keys: &KeySet, clock: &Clock) -> Result<Verified, Error> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(refused(format!("is larger than {MAX_TOKEN_BYTES} bytes")));
        }
        let (input, signature) = token.rsplit_once('.').ok_or_else(|| refused("has no signature"))?;
        let (header, claims) = input.split_once('.').ok_or_else(|| refused("has fewer than three parts"))?;
        let header = object(header, "header")?;
        self.signature(input, signature, &header, keys)?;
        // Read only now: nothing of it counts before.
        let claims = object(claims, "payload")?;
        self.claims(&claims, clock)?;
        Ok(Verified { header, claims })
    }

    fn signature(
        &self,
        input: &str,
        signature: &str,
        header: &Map<String, Value>,
        keys: &KeySet,
    ) -> Result<(), Error> {
        // RFC 7515, section 4.1.11, and RFC 7797: extensions that change the meaning, of which none is known here.
        if header.contains_key("crit") || header.contains_key("b64") {
            return Err(refused("needs an extension that is not known here"));
        }
        let name = header.get("alg").and_then(Value::as_str).unwrap_or_default();
        let algorithm = self
            .algorithms
            .iter()
            .find(|algorithm| algorithm.name() == name)
            .ok_or_else(|| refused(format!("is signed by {name:?}, which is not allowed")))?;
        let signature = decode(signature).ok_or_else(|| refused("has a signature that is no base64url"))?;
        let key_id = header.get("kid").and_then(Value::as_str);
        let mut candidates = keys.candidates(*algorithm, key_id).peekable();
        if candidates.peek().is_none() {
            let named = key_id.map(|key_id| format!(", called {key_id:?}")).unwrap_or_default();
            return Err(refused(format!("is signed by {name} with a key that is not here{named}")));
        }
        candidates
            .any(|key| key.verify(algorithm.signature(), input.as_bytes(), &signature))
            .then_some(())
            .ok_or_else(|| refused("has a wrong signature"))
    }

    fn claims(&self, claims: &Map<String, Value>, clock: &Clock) -> Result<(), Error> {
        for name in &self.required {
            if !claims.contains_key(name) {
                return Err(refused(format!("has no {name}")));
            }
        }
        let (now, leeway) = (clock.since_epoch().as_secs_f64(), self.leeway.as_secs_f64());
        if let Some(expires) = time(claims, "exp")?
            && expires <= now - leeway
        {
            return Err(refused(format!("has expired {} s ago", now - expires)));
        }
        for name in ["nbf", "iat"] {
            if let Some(begins) = time(claims, name)?
                && begins > now + leeway
            {
                return Err(refused(format!("is not valid before {} s from now ({name})", begins - now))
                    .advise("compare the clocks of both sides"));
            }
        }
        if claims.get("jti").is_some_and(|id| !id.is_string()) {
            return Err(refused("has a jti that is no text"));
        }
        self.issuer_is_right(claims)?;
        self.audience_is_right(claims)
    }

    fn issuer_is_right(&self, claims: &Map<String, Value>) -> Result<(), Error> {
        let Some(expected) = &self.issuer else { return Ok(()) };
        match claims.get("iss").and_then(Value::as_str) {
            Some(issuer) if issuer == expected => Ok(()),
            Some(issuer) => Err(refused(format!("is from {issuer:?} and not from {expected:?}"))),
            None => Err(refused("does not say whom it is from")),
        }
    }

    fn audience_is_right(&self, claims: &Map<String, Value>) -> Result<(), Error> {
        let named: Vec<&str> = match claims.get("aud") {
            None => Vec::new(),
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several
                .iter()
                .map(Value::as_str)
                .collect::<Option<_>>()
                .ok_or_else(|| refused("has an aud that is no text"))?,
            Some(_) => return Err(refused("has an aud that is no text")),
        };
        match &self.audience {
            Some(expected) if named.contains(&expected.as_str()) => Ok(()),
            None if named.is_empty() => Ok(()),
            Some(expected) => Err(refused(format!("is for {named:?} and not for {expected:?}"))),
            None => Err(refused(format!("is for {named:?}"))),
        }
    }
}

/// Seconds since 1970 (RFC 7519, section 2): a number, and nothing that only looks like one.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<f64>, Error> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    value.as_f64().map(Some).ok_or_else(|| refused(format!("has an {name} that is no number")))
}

fn object(part: &str, what: &str) -> Result<Map<String, Value>, Error> {
    decode(part)
        .and_then(|json| serde_json::from_slice(&json).ok())
        .ok_or_else(|| refused(format!("has a {what} that is no JSON object in base64url")))
}

fn decode(part: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(part).ok()
}

fn refused(what: impl std::fmt::Display) -> Error {
    Error::new(Kind::Auth, format!("the token {what}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Header, sign};
    use super::*;
    use crate::auth::hmac;
    use crate::auth::key::{VerifyingKey, testing};

    fn at(secs: u64) -> Clock {
        Clock::fixed(std::time::UNIX_EPOCH + Duration::from_secs(secs))
    }

    fn recorded() -> Vec<Value> {
        let file: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/jwt-verify.json")).unwrap();
        file["cases"].as_array().unwrap().clone()
    }

    fn verdict(case: &Value) -> Result<Verified, Error> {
        let keys = match (&case["secret"], &case["jwks"]) {
            (Value::String(secret), _) => {
                VerifyingKey::shared(hmac::Key::verbatim(&secret.as_str().into())).into()
            }
            (_, Value::Null) => VerifyingKey::from_jwk(&case["public_jwk"]).unwrap().into(),
            (_, jwks) => KeySet::from_jwks(jwks).unwrap(),
        };
        let texts = |name: &str| -> Vec<String> { serde_json::from_value(case[name].clone()).unwrap() };
        let mut verifier = Verifier::new(texts("algorithms").iter().map(|name| name.parse().unwrap()))
            .leeway(Duration::from_secs(case["leeway"].as_u64().unwrap()));
        if let Some(audience) = case["audience"].as_str() {
            verifier = verifier.audience(audience);
        }
        if let Some(issuer) = case["issuer"].as_str() {
            verifier = verifier.issuer(issuer);
        }
        let verifier = texts("require").into_iter().fold(verifier, Verifier::require);
        verifier.verify(case["token"].as_str().unwrap(), &keys, &at(case["now"].as_u64().unwrap()))
    }

    #[test]
    fn recorded_verdicts_are_ours() {
        let cases = recorded();
        assert_eq!(cases.len(), 76);
        for case in &cases {
            let verdict = verdict(case);
            assert_eq!(verdict.is_ok(), case["expect"] == "accept", "{}: {verdict:?}", case["name"]);
        }
    }

    #[test]
    fn a_refusal_says_why() {
        let why = |name: &str| {
            let case = recorded().into_iter().find(|case| case["name"] == name).unwrap();
            verdict(&case).unwrap_err().to_string()
        };
        for (name, message) in [
            ("claim-expired-beyond-leeway", "the token has expired 31 s ago"),
            ("claim-nbf-in-future", "the token is not valid before 1 s from now (nbf)"),
            ("claim-aud-wrong", r#"the token is for ["other"] and not for "nuncio""#),
            ("claim-iss-missing", "the token does not say whom it is from"),
            ("claim-exp-word", "the token has an exp that is no number"),
            ("alg-none", r#"the token is signed by "none", which is not allowed"#),
            ("alg-hs256-confusion-both-allowed", "the token is signed by HS256 with a key that is not here"),
            ("tampered-payload", "the token has a wrong signature"),
            ("crit-unknown", "the token needs an extension that is not known here"),
            ("malformed-payload-array", "the token has a payload that is no JSON object in base64url"),
        ] {
            assert_eq!(why(name), message, "{name}");
        }
    }

    #[test]
    fn a_key_for_encryption_or_of_an_unknown_type_is_no_candidate() {
        let mut encryption = testing::jwk("ed1");
        encryption["use"] = "enc".into();
        let keys = KeySet::from_jwks(&json!({ "keys": [encryption, { "kty": "made up" }] })).unwrap();
        let token = sign(&Header::new(Algorithm::EdDsa), &json!({}), &testing::key("ed1")).unwrap();
        let error = Verifier::new([Algorithm::EdDsa]).verify(token.expose(), &keys, &at(0)).unwrap_err();
        assert_eq!(error.to_string(), "the token is signed by EdDSA with a key that is not here");
        assert_eq!(error.kind(), Kind::Auth);
    }

    #[test]
    fn an_oversized_token_is_not_even_read() {
        let keys = testing::key("ed1").verifying_key().into();
        let error = Verifier::new(Algorithm::ALL).verify(&"a.".repeat(40_000), &keys, &at(0)).unwrap_err();
        assert_eq!(error.to_string(), "the token is larger than 65536 bytes");
    }
}
