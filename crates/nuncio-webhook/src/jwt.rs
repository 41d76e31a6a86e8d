//! JSON Web Tokens that carry a signature (RFC 7519, in the compact form of RFC 7515).

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::json::{self, Found};
use crate::scheme::{Place, Signature, TimeUnit};
use crate::{Refusal, Request, time};

/// A longer key id is none: Google's have 40 characters, Plaid's 36.
const MAX_KEY_ID_BYTES: usize = 128;

/// A token, taken apart and not yet believed.
pub(crate) struct Token<'t> {
    /// What is signed: the first two parts with the dot between them.
    pub(crate) signed: &'t [u8],
    header: Vec<u8>,
    claims: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl<'t> Token<'t> {
    /// Three parts in base64 for URLs without padding; `None` for anything else.
    pub(crate) fn read(text: &'t [u8]) -> Option<Self> {
        let mut parts = text.split(|byte| *byte == b'.');
        let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let decode = |part: &[u8]| URL_SAFE_NO_PAD.decode(part).ok();
        Some(Self {
            signed: &text[..header.len() + 1 + claims.len()],
            header: decode(header)?,
            claims: decode(claims)?,
            signature: decode(signature)?,
        })
    }

    /// The text or number of a claim, by pointer.
    pub(crate) fn claim(&self, pointer: &str) -> Option<Vec<u8>> {
        Some(json::find(&self.claims, pointer)?.into_text().into_owned())
    }

    /// The key that the sender says it signed with.
    pub(crate) fn key_id(&self) -> Option<String> {
        let id = String::from_utf8(json::find(&self.header, "/kid")?.into_text().into_owned()).ok()?;
        let plain =
            !id.is_empty() && id.len() <= MAX_KEY_ID_BYTES && id.bytes().all(|byte| byte.is_ascii_graphic());
        plain.then_some(id)
    }

    /// What the token says of itself: the algorithm is the scheme's and not the sender's to choose, so that neither `none` nor an HMAC by a public key
    /// passes, and there is no extension that would have to be understood.
    fn header_fits(&self, signature: &Signature) -> bool {
        let algorithm = json::find(&self.header, "/alg").map(json::Scalar::into_text);
        let algorithm = algorithm.as_deref().and_then(|name| std::str::from_utf8(name).ok());
        algorithm.is_some()
            && algorithm == signature.algorithm.token_name()
            && matches!(json::look(&self.header, "/crit"), Found::Nothing)
    }

    /// Whether `now` is within the times of the token, where it has them. A clock that is behind gets `leeway` for the first, as for any timestamp.
    fn is_of_this_time(&self, place: &Place, now: SystemTime, leeway: Duration) -> Result<(), Refusal> {
        if let Some(until) = self.time(place, "/exp")?
            && let Ok(since) = now.duration_since(until)
        {
            return Err(Refusal::Expired { since });
        }
        if let Some(from) = self.time(place, "/nbf")?
            && let Ok(ahead) = from.duration_since(now)
            && ahead > leeway
        {
            return Err(Refusal::TooNew { ahead, limit: leeway });
        }
        Ok(())
    }

    fn time(&self, place: &Place, pointer: &str) -> Result<Option<SystemTime>, Refusal> {
        let malformed =
            || Refusal::MalformedTimestamp { place: format!("{} of the token in {place}", &pointer[1..]) };
        match json::look(&self.claims, pointer) {
            Found::Nothing => Ok(None),
            Found::Scalar(json::Scalar::Number(number)) => {
                time::read(number.as_bytes(), TimeUnit::Seconds).map(Some).ok_or_else(malformed)
            }
            Found::Scalar(_) | Found::Unclear => Err(malformed()),
        }
    }
}

/// The token that `signature` is, if what it says of itself fits the scheme.
pub(crate) fn fits(signature: &Signature, request: &Request<'_>) -> Result<(), Refusal> {
    let text = signature.at.one(request)?;
    match Token::read(&text) {
        Some(token) if token.header_fits(signature) => Ok(()),
        Some(_) => {
            Err(Refusal::OtherAlgorithm { place: signature.at.to_string(), algorithm: signature.algorithm })
        }
        None => Err(malformed(&signature.at)),
    }
}

/// Whether the token is good at `now`. Asked after its signature, so that the refusal tells of a token that the provider signed.
pub(crate) fn is_of_this_time(
    signature: &Signature,
    request: &Request<'_>,
    now: SystemTime,
    leeway: Duration,
) -> Result<(), Refusal> {
    let text = signature.at.one(request)?;
    let token = Token::read(&text).ok_or_else(|| malformed(&signature.at))?;
    token.is_of_this_time(&signature.at, now, leeway)
}

fn malformed(place: &Place) -> Refusal {
    Refusal::MalformedToken { place: place.to_string() }
}
