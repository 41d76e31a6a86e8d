//! Why a webhook was taken or refused, for people.

mod cause;
mod visible;

use std::fmt;
use std::time::SystemTime;

use crate::content::{Content, contents};
use crate::scheme::{Algorithm, Place, Scheme, Signature};
use crate::secret::Key;
use crate::{Refusal, Request, Secrets, crypto, keys, verify};

pub use cause::Cause;
use visible::Visible;

/// Why a webhook was taken or refused. Its `Display` is a text of some lines.
///
/// It shows which published key is needed and from where, what was read and what was signed with invisible characters made visible, and digests under the labels of the secrets that they were
/// computed with. It never shows a secret: wherever the text of one occurs, `***` stands. A digest that was computed is a good signature of this very
/// request, so an explanation is for the receiver and not for whoever sent the request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The label of the secret that matched, or where the published key stands that did; or why it was refused.
    pub verdict: Result<String, Refusal>,
    /// What was read, in the order of the scheme.
    pub read: Vec<Reading>,
    /// What was computed: once for each signature of the scheme, spelling of the URL and secret.
    pub attempts: Vec<Attempt>,
    /// What probably went wrong, when it was refused.
    pub causes: Vec<Cause>,
}

/// A value that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading {
    /// Where it was read.
    pub place: String,
    /// What stands there, or why nothing was read.
    pub value: Result<String, Refusal>,
}

/// One signature, computed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The label of the secret, or where the published key stands.
    pub secret: String,
    /// How the signature is made.
    pub algorithm: Algorithm,
    /// What was signed; of a long text the start.
    pub signed: String,
    /// The signature that this secret makes. `None` for public keys, which make none, for tokens, and for a secret that is not written as the
    /// provider's are.
    pub expected: Option<String>,
    /// Whether one of the signatures that were sent is good by this secret.
    pub matches: bool,
}

/// Explains what [`verify`](crate::verify) says to the same request.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use nuncio_webhook::{Cause, Request, Secrets, explain, provider};
///
/// let headers = vec![(
///     "X-Hub-Signature-256",
///     "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
/// )];
/// let request = Request { method: "POST", url: "", headers: &headers, body: b"Hello, World!\n" };
/// let secrets = Secrets::new().with("current", "It's a Secret to Everybody");
/// let explanation = explain(&provider("github").unwrap().scheme, &request, &secrets, UNIX_EPOCH);
///
/// assert_eq!(explanation.attempts[0].signed, r"Hello, World!\n");
/// assert_eq!(explanation.causes, [Cause::Body("without the line end after it")]);
/// assert!(explanation.to_string().contains("line end"));
/// ```
#[must_use]
pub fn explain(scheme: &Scheme, request: &Request<'_>, secrets: &Secrets, now: SystemTime) -> Explanation {
    let visible = Visible::without(secrets);
    let verdict = verify(scheme, request, secrets, now).map(|verified| verified.secret().to_owned());
    let causes = match &verdict {
        Ok(_) => Vec::new(),
        Err(refusal) => cause::causes(scheme, request, secrets, now, refusal),
    };
    let blanked = |cause| match cause {
        Cause::Url(url) => Cause::Url(visible.text(url.as_bytes())),
        cause => cause,
    };
    let causes = causes.into_iter().map(blanked).collect();
    let explainer = Explainer { scheme, request, secrets, now, visible: &visible };
    let meant = scheme.signatures.iter().filter(|signature| explainer.is_meant(signature));
    let meant: Vec<_> = meant.collect();
    let read = places(scheme, &meant).into_iter().map(|place| reading(place, request, &visible));
    let keys = meant.iter().filter_map(|signature| explainer.key(signature));
    let read = read.chain(keys).collect();
    let attempts = meant.iter().flat_map(|signature| explainer.attempts(signature)).collect();
    Explanation { read, attempts, causes, verdict }
}

fn places<'s>(scheme: &'s Scheme, signatures: &[&'s Signature]) -> Vec<&'s Place> {
    let mut places: Vec<&Place> = Vec::new();
    // Of a body in items there may be many of each place; what was signed of each item is shown.
    let signatures = signatures
        .iter()
        .filter(|signature| signature.each.is_none())
        .flat_map(|signature| std::iter::once(&signature.at).chain(signature.body_sha256.as_ref()));
    let timestamp = scheme.timestamp.as_ref().map(|timestamp| &timestamp.at);
    for place in signatures.chain(timestamp).chain(scheme.id.as_ref()) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

fn reading(place: &Place, request: &Request<'_>, visible: &Visible) -> Reading {
    let value = place
        .all(request)
        .map(|values| values.iter().map(|value| visible.text(value)).collect::<Vec<_>>().join(" and "));
    Reading { place: place.to_string(), value }
}

struct Explainer<'e> {
    scheme: &'e Scheme,
    request: &'e Request<'e>,
    secrets: &'e Secrets,
    now: SystemTime,
    visible: &'e Visible,
}

impl Explainer<'_> {
    /// Whether the signature is for a request such as this.
    fn is_meant(&self, signature: &Signature) -> bool {
        signature.when.iter().all(|when| verify::meets(when, self.request, self.secrets).is_ok())
    }

    /// The key that the provider publishes: which one and where, or why there is none.
    fn key(&self, signature: &Signature) -> Option<Reading> {
        signature.published.as_ref()?;
        let keys = keys::of(self.scheme, signature, self.request, self.secrets, self.now);
        let name = |keys: keys::NamedKeys<'_>| {
            keys.iter().map(|(name, _)| self.visible.text(name.as_bytes())).collect()
        };
        Some(Reading { place: "the provider's key".to_owned(), value: keys.map(name) })
    }

    /// All secrets, also those that are of no use, or the key that the provider publishes.
    fn keys(&self, signature: &Signature, request: &Request<'_>) -> Vec<(String, Option<Key<'_>>)> {
        if signature.published.is_some() {
            let keys = keys::of(self.scheme, signature, request, self.secrets, self.now).unwrap_or_default();
            return keys.into_iter().map(|(name, key)| (name.into_owned(), Some(key))).collect();
        }
        self.secrets.all().iter().map(|secret| (secret.label.clone(), secret.key(signature))).collect()
    }

    fn attempts(&self, signature: &Signature) -> Vec<Attempt> {
        let bodies = verify::bodies(signature, self.request).unwrap_or_default();
        let attempts = bodies.iter().flat_map(|body| {
            let part = Request { body, ..*self.request };
            self.attempts_of(signature, &part)
        });
        attempts.collect()
    }

    fn attempts_of(&self, signature: &Signature, request: &Request<'_>) -> Vec<Attempt> {
        let algorithm = signature.algorithm;
        let Ok(contents) = contents(self.scheme, signature, request, self.secrets, None) else {
            return Vec::new();
        };
        let received = signature.at.all(request).unwrap_or_default();
        let received: Vec<_> = received.iter().filter_map(|text| signature.encoding.bytes(text)).collect();
        let keys = self.keys(signature, request);
        let shows = !algorithm.is_asymmetric() && algorithm != Algorithm::Token;
        let attempt = |content: &Content<'_>, (name, key): &(String, Option<Key<'_>>)| Attempt {
            secret: name.clone(),
            algorithm,
            signed: self.visible.text(&content.concat()),
            expected: key
                .as_ref()
                .filter(|_| shows)
                .map(|key| signature.encoding.encode(&crypto::mac(algorithm, key, content))),
            matches: key.as_ref().is_some_and(|key| crypto::verifies(algorithm, key, content, &received)),
        };
        contents.iter().flat_map(|content| keys.iter().map(|key| attempt(content, key))).collect()
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Ok(secret) => writeln!(f, "accepted by the secret {secret}")?,
            Err(refusal) => writeln!(f, "rejected: {refusal}")?,
        }
        for Reading { place, value } in &self.read {
            match value {
                Ok(value) => writeln!(f, "read     {place}: {value}")?,
                Err(refusal) => writeln!(f, "read     {refusal}")?,
            }
        }
        for attempt in &self.attempts {
            writeln!(f, "signed   {}", attempt.signed)?;
            let verdict = if attempt.matches { "matches" } else { "does not match" };
            let (algorithm, secret) = (attempt.algorithm, &attempt.secret);
            match &attempt.expected {
                Some(expected) => {
                    writeln!(f, "expected {expected} ({algorithm:?} by the secret {secret}) {verdict}")?;
                }
                None => writeln!(f, "checked  {algorithm:?} by {secret}: {verdict}")?,
            }
        }
        self.causes.iter().try_for_each(|cause| writeln!(f, "likely   {cause}"))
    }
}
