//! Whether a webhook is what it says.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use smallvec::SmallVec;

use crate::content::contents;
use crate::scheme::{
    Accept, Encoding, Expected, Place, Requirement, Scheme, Signature, SignatureBytes, Timestamp,
};
use crate::{Refusal, Request, Secrets, crypto, json, jwt, keys, time};

/// How many signatures of one header are tried. Providers send two while a secret rotates; DocuSign sends up to 100.
pub(crate) const MAX_SIGNATURES: usize = 100;

/// A webhook that its provider signed.
#[derive(Clone)]
pub struct Verified<'a> {
    scheme: &'a Scheme,
    request: Request<'a>,
    signed_at: Option<SystemTime>,
    secret: Cow<'a, str>,
}

impl<'a> Verified<'a> {
    /// What names the event in every attempt to deliver it, where the scheme says where that stands.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        self.read(self.scheme.id.as_ref())
    }

    /// The kind of event, where the scheme says where that stands.
    #[must_use]
    pub fn event_type(&self) -> Option<String> {
        self.read(self.scheme.event_type.as_ref())
    }

    /// When it was signed, where the provider signs that.
    #[must_use]
    pub fn signed_at(&self) -> Option<SystemTime> {
        self.signed_at
    }

    /// The label of the secret that matched, or where the published key stands that did; of several signatures that must all hold, of the last.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The body, byte for byte.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.request.body
    }

    fn read(&self, place: Option<&Place>) -> Option<String> {
        read(place, &self.request)
    }
}

fn read(place: Option<&Place>, request: &Request<'_>) -> Option<String> {
    let value = place?.one(request).ok()?;
    Some(String::from_utf8_lossy(&value).into_owned())
}

impl Scheme {
    /// The kind of event that a request says it is, where the scheme says where that stands. Nobody has verified it: it is for showing.
    #[must_use]
    pub fn type_of(&self, request: &Request<'_>) -> Option<String> {
        read(self.event_type.as_ref(), request)
    }
}

impl std::fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verified")
            .field("id", &self.id())
            .field("type", &self.event_type())
            .field("signed_at", &self.signed_at)
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}

/// Whether `request` was signed as `scheme` says by somebody who knows one of `secrets`, and not too far from `now`.
///
/// The body is taken as it is: it may be of any bytes and any size, and is not copied for an HMAC. A signature by a shared secret is compared in
/// constant time. What happened before, a replay within the tolerance, is for the caller to notice by the id.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use nuncio_webhook::{Refusal, Request, Secrets, provider, verify};
///
/// let github = provider("github").unwrap();
/// // The example of https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
/// let headers = vec![(
///     "X-Hub-Signature-256",
///     "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
/// )];
/// let request = Request { method: "POST", url: "", headers: &headers, body: b"Hello, World!" };
/// let secrets = Secrets::new().with("current", "It's a Secret to Everybody");
/// let now = UNIX_EPOCH + Duration::from_secs(1_760_000_000);
///
/// assert_eq!(verify(&github.scheme, &request, &secrets, now)?.secret(), "current");
/// let tampered = Request { body: b"Hello, World?", ..request };
/// assert_eq!(verify(&github.scheme, &tampered, &secrets, now).unwrap_err(), Refusal::NoMatch);
/// # Ok::<(), Refusal>(())
/// ```
///
/// # Errors
/// The [`Refusal`] says why. The time is looked at after the signature, so that [`Refusal::TooOld`] and [`Refusal::TooNew`] tell of a request that
/// was signed by the provider.
pub fn verify<'a>(
    scheme: &'a Scheme,
    request: &Request<'a>,
    secrets: &'a Secrets,
    now: SystemTime,
) -> Result<Verified<'a>, Refusal> {
    let all_published = scheme.signatures.iter().all(|signature| signature.published.is_some());
    if secrets.all().is_empty() && !all_published {
        return Err(Refusal::NoSecret);
    }
    scheme.require.iter().try_for_each(|required| meets(required, request, secrets))?;
    let text = scheme.timestamp.as_ref().map(|timestamp| timestamp.at.one(request)).transpose()?;
    let time = scheme.timestamp.as_ref().zip(text.as_deref());
    let signed_at = time.map(|(timestamp, text)| parse_time(timestamp, text)).transpose()?;
    let secret = Question { scheme, request, secrets, now, timestamp: text.as_ref() }.answer()?;
    if let (Some(timestamp), Some(signed_at)) = (&scheme.timestamp, signed_at) {
        is_near(timestamp, signed_at, now)?;
    }
    Ok(Verified { scheme, request: *request, signed_at, secret })
}

/// Whether something that must hold beside the signature does.
pub(crate) fn meets(required: &Requirement, request: &Request<'_>, secrets: &Secrets) -> Result<(), Refusal> {
    let wanted = match &required.equals {
        Expected::Anything => return required.at.one(request).map(|_| ()),
        Expected::Text(text) => text,
        Expected::Setting(name) => {
            secrets.get_setting(name).ok_or_else(|| Refusal::NoSetting { name: name.clone() })?
        }
    };
    let found = required.at.one(request)?;
    // A setting may be as secret as a token.
    if crypto::same_text(&found, wanted.as_bytes()) {
        Ok(())
    } else {
        Err(Refusal::Unexpected { place: required.at.to_string() })
    }
}

/// Whether the signatures of a request hold.
struct Question<'q, 's> {
    scheme: &'q Scheme,
    request: &'q Request<'q>,
    secrets: &'s Secrets,
    now: SystemTime,
    /// The timestamp of the scheme, which was read already. It is not that of an item.
    timestamp: Option<&'q Cow<'q, [u8]>>,
}

impl<'s> Question<'_, 's> {
    /// The label of the secret by which they hold.
    fn answer(&self) -> Result<Cow<'s, str>, Refusal> {
        let mut refused = None;
        let mut label = None;
        for signature in &self.scheme.signatures {
            match (self.matching(signature), self.scheme.accept) {
                (Ok(found), Accept::Any) => return Ok(found),
                (Ok(found), Accept::All) => label = Some(found),
                (Err(refusal), Accept::All) => return Err(refusal),
                (Err(refusal), Accept::Any) => refused = Some(worse(refused, refusal)),
            }
        }
        label.ok_or(refused.unwrap_or(Refusal::NoMatch))
    }

    fn matching(&self, signature: &Signature) -> Result<Cow<'s, str>, Refusal> {
        signature.when.iter().try_for_each(|when| meets(when, self.request, self.secrets))?;
        if signature.each.is_none() {
            return self.matching_one(signature);
        }
        let mut label = None;
        for body in bodies(signature, self.request)? {
            let item = Request { body: &body, ..*self.request };
            label = Some(Question { request: &item, timestamp: None, ..*self }.matching_one(signature)?);
        }
        label.ok_or(Refusal::NoMatch)
    }

    fn matching_one(&self, signature: &Signature) -> Result<Cow<'s, str>, Refusal> {
        let Self { scheme, request, secrets, now, timestamp } = *self;
        let candidates = signature.at.all(request)?;
        if candidates.len() > MAX_SIGNATURES {
            let (place, count) = (signature.at.to_string(), candidates.len());
            return Err(Refusal::TooManySignatures { place, count, max: MAX_SIGNATURES });
        }
        if signature.encoding == Encoding::Jwt {
            jwt::fits(signature, request)?;
        }
        covers_body(signature, request)?;
        let contents = contents(scheme, signature, request, secrets, timestamp)?;
        let candidates: SmallVec<[SignatureBytes; 1]> =
            candidates.iter().filter_map(|text| signature.encoding.bytes(text)).collect();
        let good = |key: &[u8]| {
            contents.iter().any(|content| crypto::verifies(signature.algorithm, key, content, &candidates))
        };
        let keys = keys::of(scheme, signature, request, secrets, now)?;
        let (label, _) = keys.into_iter().find(|(_, key)| good(key)).ok_or(Refusal::NoMatch)?;
        if signature.encoding == Encoding::Jwt {
            let future = scheme.timestamp.as_ref().map_or(0, |timestamp| timestamp.future);
            jwt::is_of_this_time(signature, request, now, Duration::from_secs(future.into()))?;
        }
        Ok(label)
    }
}

/// Of two signatures that do not hold, the one that came further tells more.
fn worse(before: Option<Refusal>, refusal: Refusal) -> Refusal {
    let missing = |refusal: &Refusal| {
        matches!(
            refusal,
            Refusal::Missing { .. } | Refusal::UnusableSecret { .. } | Refusal::Unexpected { .. }
        )
    };
    match before {
        Some(before) if !missing(&before) || missing(&refusal) => before,
        _ => refusal,
    }
}

/// What carries a signature: the body, or each item of it.
pub(crate) fn bodies<'r>(
    signature: &Signature,
    request: &Request<'r>,
) -> Result<Vec<Cow<'r, [u8]>>, Refusal> {
    let Some(pointer) = &signature.each else { return Ok(vec![Cow::Borrowed(request.body)]) };
    let place = || format!("{pointer} of the body");
    let items = json::items(request.body, pointer).filter(|items| !items.is_empty());
    let items = items.ok_or_else(|| Refusal::Missing { place: place() })?;
    if items.len() > MAX_SIGNATURES {
        return Err(Refusal::TooManySignatures { place: place(), count: items.len(), max: MAX_SIGNATURES });
    }
    Ok(items.iter().map(|item| Cow::Owned(item.get().as_bytes().to_vec())).collect())
}

/// Whether the body is the one whose digest is signed, if that is how the signature covers it.
pub(crate) fn covers_body(signature: &Signature, request: &Request<'_>) -> Result<(), Refusal> {
    let Some(place) = &signature.body_sha256 else { return Ok(()) };
    let told = place.one(request)?;
    let digest = crypto::sha256(&[request.body]);
    match Encoding::Hex.decode(&told) {
        Some(told) if crypto::same(&told, &digest) => Ok(()),
        _ => Err(Refusal::WrongBodyDigest { place: place.to_string() }),
    }
}

pub(crate) fn read_time(timestamp: &Timestamp, request: &Request<'_>) -> Result<SystemTime, Refusal> {
    parse_time(timestamp, &timestamp.at.one(request)?)
}

fn parse_time(timestamp: &Timestamp, text: &[u8]) -> Result<SystemTime, Refusal> {
    time::read(text, timestamp.unit)
        .ok_or_else(|| Refusal::MalformedTimestamp { place: timestamp.at.to_string() })
}

pub(crate) fn is_near(timestamp: &Timestamp, signed_at: SystemTime, now: SystemTime) -> Result<(), Refusal> {
    let past = Duration::from_secs(timestamp.past.into());
    let future = Duration::from_secs(timestamp.future.into());
    match now.duration_since(signed_at) {
        Ok(age) if age > past => Err(Refusal::TooOld { age, limit: past }),
        Err(error) if error.duration() > future => {
            Err(Refusal::TooNew { ahead: error.duration(), limit: future })
        }
        _ => Ok(()),
    }
}
