//! HTTP Message Signatures (RFC 9421), with `Content-Digest` (RFC 9530) for the body.
//!
//! A [`MessageSigner`] signs the [`Component`]s of a request that matter and says in `Signature-Input` which they are. The same signer verifies,
//! which is what a fake service and an explanation need.

mod algorithm;
mod component;
mod content_digest;
#[cfg(test)]
mod tests;
mod verify;

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use futures_util::future::BoxFuture;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE};
use http::{HeaderName, HeaderValue};
use sfv::{BareItem, FieldType as _, InnerList, ListEntry, Parameters};

use super::key::SigningKey;
use super::message::sensitive;
use super::{Authenticate, Exchange, Message, Step};
use crate::redact::BLANK;
use crate::{Clock, Error, Request};

pub use algorithm::Algorithm;
pub use component::Component;
pub use content_digest::ContentDigest;

const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");
const SIGNATURE: HeaderName = HeaderName::from_static("signature");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// What is signed of every request unless told otherwise; of one with a body the digest and the type of that too.
const DEFAULT_COMPONENTS: [&str; 4] = ["@method", "@authority", "@path", "@query"];
const DEFAULT_LABEL: &str = "sig1";

/// Signs each attempt anew.
///
/// `Content-Digest`, `Content-Length`, `Date` and `Host` are added where they are signed and the request has none.
///
/// ```
/// use nuncio_client::auth::{Auth, MessageSigner, hmac::Key, key::SigningKey};
///
/// let key = SigningKey::shared(Key::verbatim(&"made-up-shared-secret".into()));
/// let signer = MessageSigner::new(key).components(["@method".parse()?, "@path".parse()?]).key_id("made-up-id");
/// let mut request = http::Request::new(nuncio_client::Body::Empty);
/// Auth::message_signature(signer).preview(&mut request)?;
/// assert_eq!(request.headers()["signature-input"], r#"sig1=("@method" "@path");keyid="made-up-id""#);
/// assert_eq!(request.headers()["signature"], "sig1=***");
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug)]
pub struct MessageSigner {
    key: SigningKey,
    algorithm: Algorithm,
    components: Option<Vec<Component>>,
    content_digest: ContentDigest,
    label: String,
    key_id: Option<String>,
    tag: Option<String>,
    expires_after: Option<Duration>,
    sends_nonce: bool,
    names_algorithm: bool,
}

impl MessageSigner {
    /// A signer with all defaults.
    #[must_use]
    pub fn new(key: SigningKey) -> Self {
        Self {
            algorithm: Algorithm::usual_for(key.key_type()),
            key,
            components: None,
            content_digest: ContentDigest::default(),
            label: DEFAULT_LABEL.to_owned(),
            key_id: None,
            tag: None,
            expires_after: None,
            sends_nonce: false,
            names_algorithm: false,
        }
    }

    /// How messages are signed. Default: the [usual](Algorithm::usual_for) way for the key.
    #[must_use]
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// What is signed, in this order. Default: method, authority, path and query; of a request with a body its digest and type too.
    #[must_use]
    pub fn components(mut self, components: impl IntoIterator<Item = Component>) -> Self {
        self.components = Some(components.into_iter().collect());
        self
    }

    /// The hash in a `Content-Digest` that the request does not have yet. Default: SHA-256.
    #[must_use]
    pub fn content_digest(mut self, content_digest: ContentDigest) -> Self {
        self.content_digest = content_digest;
        self
    }

    /// What the signature is called in the message, which means nothing. Default: `sig1`.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for what is no key of a structured field: small letters, digits, `_-.*`.
    pub fn label(mut self, label: impl Into<String>) -> Result<Self, Error> {
        self.label = label.into();
        sfv::KeyRef::from_str(&self.label).map_err(|error| {
            Error::configuration(format!("{:?} cannot be the label of a signature", self.label))
                .because(error)
        })?;
        Ok(self)
    }

    /// Which key it is. Default: not said.
    #[must_use]
    pub fn key_id(mut self, key_id: impl Into<String>) -> Self {
        self.key_id = Some(key_id.into());
        self
    }

    /// What the signature is for, in the application's own terms. Default: not said.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// How long the signature is good for. Default: not said, the server decides.
    #[must_use]
    pub fn expires_after(mut self, time: Duration) -> Self {
        self.expires_after = Some(time);
        self
    }

    /// Sends a random text that is never used twice. Default: none.
    #[must_use]
    pub fn sends_nonce(mut self) -> Self {
        self.sends_nonce = true;
        self
    }

    /// Says which algorithm it is, though the key says so too. Default: no.
    #[must_use]
    pub fn names_algorithm(mut self) -> Self {
        self.names_algorithm = true;
        self
    }

    fn components_of(&self, message: &Message<'_>) -> Vec<Component> {
        let default = || {
            let mut names = DEFAULT_COMPONENTS.to_vec();
            if message.body.is_none_or(|body| !body.is_empty()) {
                names.push("content-digest");
                names.extend(message.headers.contains_key(CONTENT_TYPE).then_some("content-type"));
            }
            names.into_iter().filter_map(|name| name.parse().ok()).collect()
        };
        self.components.clone().unwrap_or_else(default)
    }

    /// Adds the headers that are signed and that the request has not got yet.
    fn complete(&self, request: &mut Request, components: &[Component], clock: &Clock) -> Result<(), Error> {
        let plain =
            |text: &str| HeaderValue::from_str(text).expect("digests, lengths and dates are printable");
        for component in components {
            let (headers, body) = (request.headers(), request.body().as_bytes());
            let (name, value) = match (component.name(), body) {
                ("content-digest", Some(body)) => (CONTENT_DIGEST, self.content_digest.value(body)),
                ("content-digest", None) if !headers.contains_key(CONTENT_DIGEST) => {
                    return Err(Error::configuration("a body that is not held in memory cannot be signed")
                        .advise(
                            "send it as bytes, set Content-Digest, or sign components without content-digest",
                        ));
                }
                ("content-length", Some(body)) => (CONTENT_LENGTH, body.len().to_string()),
                ("date", _) => (DATE, httpdate::fmt_http_date(clock.now())),
                _ => continue,
            };
            request.headers_mut().entry(name).or_insert_with(|| plain(&value));
        }
        Ok(())
    }

    fn params(&self, created: Option<Duration>, nonce: Option<String>) -> Result<Parameters, Error> {
        let number = |time: Duration| {
            i64::try_from(time.as_secs()).ok().and_then(|secs| sfv::Integer::try_from(secs).ok())
        };
        let expires = created.zip(self.expires_after).map(|(created, after)| created + after);
        let texts = [
            ("keyid", self.key_id.clone()),
            ("alg", self.names_algorithm.then(|| self.algorithm.name().to_owned())),
            ("nonce", nonce),
            ("tag", self.tag.clone()),
        ];
        let mut params = Parameters::new();
        for (name, time) in [("created", created), ("expires", expires)] {
            if let Some(secs) = time.and_then(number) {
                params.insert(key(name), BareItem::Integer(secs));
            }
        }
        for (name, text) in texts.into_iter().filter_map(|(name, text)| Some((name, text?))) {
            let text = sfv::String::from_string(text.clone()).map_err(|_| {
                Error::configuration(format!(
                    "the signature's {name} {text:?} has a character that is not ASCII"
                ))
            })?;
            params.insert(key(name), BareItem::String(text));
        }
        Ok(params)
    }

    /// Completes `request`; what is signed of it, and the text that is.
    fn prepare(&self, request: &mut Request, exchange: &Exchange) -> Result<(InnerList, String), Error> {
        let components = self.components_of(&Message::of(request)?);
        self.complete(request, &components, &exchange.clock)?;
        let nonce = self.sends_nonce.then(|| exchange.random.uuid());
        let params = self.params(Some(exchange.clock.since_epoch()), nonce)?;
        let input = InnerList::with_params(components.iter().map(Component::item).collect(), params);
        let base = signature_base(&Message::of(request)?, &input)?;
        Ok((input, base))
    }

    fn put(&self, request: &mut Request, input: &InnerList, signature: &str) -> Result<(), Error> {
        let input =
            HeaderValue::from_str(&format!("{}={}", self.label, serialized(input))).map_err(|error| {
                Error::configuration("the signature's input is no header value").because(error)
            })?;
        request.headers_mut().insert(SIGNATURE_INPUT, input);
        request.headers_mut().insert(SIGNATURE, sensitive(&format!("{}={signature}", self.label))?);
        Ok(())
    }
}

impl Authenticate for MessageSigner {
    fn authenticate<'a>(
        &'a self,
        mut request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Request, Error>> {
        Box::pin(async move {
            let (input, base) = self.prepare(&mut request, exchange)?;
            let signature = self.key.sign(self.algorithm.signature(), base.as_bytes())?;
            self.put(&mut request, &input, &format!(":{}:", BASE64_STANDARD.encode(signature)))?;
            Ok(request)
        })
    }

    fn can_renew(&self) -> bool {
        false
    }

    fn preview(&self, request: &mut Request) -> Result<(), Error> {
        // A preview need not have an absolute URL.
        let components = match Message::of(request) {
            Ok(message) => self.components_of(&message),
            Err(_) => self.components.clone().unwrap_or_default(),
        };
        let params = self.params(None, None)?;
        let input = InnerList::with_params(components.iter().map(Component::item).collect(), params);
        self.put(request, &input, BLANK)
    }

    fn explain(&self, mut request: Request, exchange: &Exchange) -> Result<Vec<Step>, Error> {
        let (_, base) = self.prepare(&mut request, exchange)?;
        Ok(vec![Step::new("signature base", base)])
    }
}

/// What is signed (RFC 9421, section 2.5): a line for each component, then what they are.
fn signature_base(message: &Message<'_>, input: &InnerList) -> Result<String, Error> {
    let mut lines = Vec::new();
    for item in &input.items {
        let component = Component::of(item)?;
        let value = component.value(message).ok_or_else(|| {
            Error::configuration(format!("the request has no {component}, or not exactly one, to be signed"))
                .advise("set the header, or leave it out of the signed components")
        })?;
        let line = format!("{component}: {value}");
        if lines.contains(&line) {
            return Err(Error::configuration(format!("{component} is signed twice")));
        }
        lines.push(line);
    }
    lines.push(format!("\"@signature-params\": {}", serialized(input)));
    Ok(lines.join("\n"))
}

fn serialized(input: &InnerList) -> String {
    vec![ListEntry::InnerList(input.clone())].serialize().unwrap_or_default()
}

fn key(name: &str) -> sfv::Key {
    sfv::Key::from_string(name.to_owned()).expect("the names of parameters are keys")
}
