//! Signatures, verified as a service does.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use subtle::ConstantTimeEq as _;

use super::canonical::{self, ALGORITHM, UNSIGNED_PAYLOAD};
use super::{CONTENT_HASH, DATE, SigV4Signer, TOKEN};
use crate::auth::Message;
use crate::hints::timestamp;
use crate::{Error, Kind};

/// How far a signature's time may be from the verifier's clock, as Amazon has it.
const TOLERANCE: Duration = Duration::from_secs(15 * 60);

/// What a request says of its signature.
struct Claim {
    credential: String,
    signed_headers: String,
    signature: String,
    time: String,
    token: Option<String>,
    /// Of a presigned URL.
    good_for: Option<Duration>,
}

impl SigV4Signer {
    /// Whether `message`, as it was received at `now` (since 1970), carries a signature by these credentials, in its headers or its query.
    ///
    /// # Errors
    /// [`Kind::Auth`] with the reason when it does not.
    pub fn verify(&self, message: &Message<'_>, now: Duration) -> Result<(), Error> {
        let claim = Claim::of(message).ok_or_else(|| refused("is missing or unreadable"))?;
        let signed_at = time(&claim.time).ok_or_else(|| refused("has no readable time"))?;
        let expected = format!("{}/{}", self.credentials.access_key_id, self.scope(&claim.time));
        if claim.credential != expected {
            return Err(refused(format!("is for {:?}, and not for {expected:?}", claim.credential)));
        }
        if now.abs_diff(signed_at) > claim.good_for.unwrap_or(TOLERANCE).max(TOLERANCE)
            || claim.good_for.is_some_and(|good_for| now > signed_at + good_for)
        {
            return Err(refused("is from another time")
                .advise(format!("the clocks differ by {} s", now.abs_diff(signed_at).as_secs())));
        }
        let token = self.credentials.session_token.as_ref().map_or("", |token| token.expose());
        if !bool::from(token.as_bytes().ct_eq(claim.token.unwrap_or_default().as_bytes())) {
            return Err(refused("comes with another session token"));
        }
        let signed: Vec<String> = claim.signed_headers.split(';').map(str::to_owned).collect();
        let must_be_signed = |name: &str| name == "host" || name.starts_with("x-amz-");
        let names = message.headers.keys().map(http::HeaderName::as_str).chain(["host"]);
        if let Some(name) =
            names.into_iter().find(|name| must_be_signed(name) && !signed.iter().any(|it| it == name))
        {
            return Err(refused(format!("leaves out the header {name}")));
        }
        let payload = self.received_payload(message, claim.good_for.is_some())?;
        let canonical_request = canonical::canonical_request(message, self.is_s3(), &signed, &payload);
        let string_to_sign =
            canonical::string_to_sign(&claim.time, self.scope(&claim.time), &canonical_request);
        let secret = self.credentials.secret_access_key.expose();
        let signature = canonical::signature(secret, self.scope(&claim.time), &string_to_sign);
        if bool::from(signature.as_bytes().ct_eq(claim.signature.as_bytes())) {
            return Ok(());
        }
        Err(refused("is wrong").advise(format!("the string to sign is {string_to_sign:?}")))
    }

    /// What the signer should have put in the body's place.
    fn received_payload(&self, message: &Message<'_>, is_presigned: bool) -> Result<String, Error> {
        let hash = canonical::sha256(message.body.unwrap_or_default());
        match message.header(&CONTENT_HASH) {
            Some(said) if said == hash || said == UNSIGNED_PAYLOAD => Ok(said),
            Some(_) => Err(refused("is for another body")),
            None if is_presigned && self.is_s3() => Ok(UNSIGNED_PAYLOAD.to_owned()),
            None => Ok(hash),
        }
    }
}

impl Claim {
    fn of(message: &Message<'_>) -> Option<Self> {
        match message.header(&http::header::AUTHORIZATION) {
            Some(authorization) => Self::of_header(message, &authorization),
            None => Self::of_query(message.query?),
        }
    }

    fn of_header(message: &Message<'_>, authorization: &str) -> Option<Self> {
        let fields = authorization.strip_prefix(ALGORITHM)?;
        let field = |name: &str| {
            let mut fields = fields.split(',').filter_map(|field| field.trim().split_once('='));
            fields.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        };
        Some(Self {
            credential: field("Credential")?,
            signed_headers: field("SignedHeaders")?,
            signature: field("Signature")?,
            time: message.header(&DATE)?,
            token: message.header(&TOKEN),
            good_for: None,
        })
    }

    fn of_query(query: &str) -> Option<Self> {
        let param = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let (_, value) = pairs.find(|(key, _)| *key == name)?;
            percent_decode_str(value).decode_utf8().ok().map(std::borrow::Cow::into_owned)
        };
        (param("X-Amz-Algorithm")? == ALGORITHM).then_some(())?;
        Some(Self {
            credential: param("X-Amz-Credential")?,
            signed_headers: param("X-Amz-SignedHeaders")?,
            signature: param(canonical::SIGNATURE_PARAM)?,
            time: param("X-Amz-Date")?,
            token: param("X-Amz-Security-Token"),
            good_for: Some(Duration::from_secs(param("X-Amz-Expires")?.parse().ok()?).min(super::MAX_EXPIRY)),
        })
    }
}

/// Time since 1970 of `20150830T123600Z`.
fn time(text: &str) -> Option<Duration> {
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    ((day.len(), time.len()) == (8, 6) && is_digits(day) && is_digits(time)).then_some(())?;
    let date = [&day[..4], &day[4..6], &day[6..]].join("-");
    let time = [&time[..2], &time[2..4], &time[4..]].join(":");
    timestamp::since_epoch(&format!("{date}T{time}Z"))
}

fn refused(what: impl std::fmt::Display) -> Error {
    Error::new(Kind::Auth, format!("the signature {what}"))
}
