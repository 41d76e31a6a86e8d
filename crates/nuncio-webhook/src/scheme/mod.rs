//! How a provider signs, as data.
//!
//! A scheme is written in JSON or YAML: what is here with serde is the whole language. Unknown keys are refused.

mod algorithm;
mod handshake;
mod named_headers;
mod place;
mod published;
mod reference;
mod signed;
mod text_or;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub(crate) use algorithm::SignatureBytes;
pub use algorithm::{Algorithm, Encoding, KeyFormat};
pub use handshake::{AnswerField, Handshake, HandshakeAnswer, Visit};
pub use named_headers::NamedHeaders;
pub use place::{Claim, HeaderPlace, Place, Separator};
pub use published::{Document, OpenPattern, Published, UrlPattern};
pub use reference::SchemeRef;
pub use signed::{Part, Signed, UnknownPart};

/// How one provider signs its webhooks.
///
/// ```
/// use nuncio_webhook::Scheme;
///
/// let scheme: Scheme = serde_json::from_str(r#"{
///     "signatures": [{
///         "at": {"header": {"name": "X-Signature", "list": ",", "prefix": "v1="}},
///         "signed": "{timestamp}.{body}",
///         "algorithm": "hmac-sha256",
///         "encoding": "hex"
///     }],
///     "timestamp": {"at": {"header": {"name": "X-Signature", "list": ",", "prefix": "t="}}, "past": 300, "future": 300},
///     "id": {"json": "/id"}
/// }"#)?;
/// assert_eq!(scheme.signatures[0].signed.to_string(), "{timestamp}.{body}");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(description = "How one provider signs its webhooks.")
)]
pub struct Scheme {
    /// The signatures that a request may carry. Where a provider signs nothing there is none, and no event is taken.
    pub signatures: Vec<Signature>,
    /// How many of the `signatures` must hold. Default: any one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub accept: Accept,
    /// When the request was signed. Default: the provider does not say, and replays have to be noticed by the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// What is the same for every attempt to deliver one event. Default: the provider sends no such thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Place>,
    /// The kind of event. Default: the provider does not name it.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<Place>,
    /// Headers that the request names to be signed. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<NamedHeaders>,
    /// What else must hold of a request. Default: nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub require: Vec<Requirement>,
    /// Requests by which the provider asks whether the receiver is one. Default: there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handshakes: Vec<Handshake>,
    /// The answer that the provider wants. Default: any status of 200 to 299.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
}

impl Scheme {
    /// The names of the settings that it asks the receiver for, in [`Secrets::setting`](crate::Secrets::setting).
    ///
    /// ```
    /// let pusher = nuncio_webhook::provider("pusher").unwrap();
    /// assert_eq!(pusher.scheme.settings().into_iter().collect::<Vec<_>>(), ["app_key"]);
    /// ```
    #[must_use]
    pub fn settings(&self) -> BTreeSet<&str> {
        let handshakes = self.handshakes.iter().flat_map(|it| it.when.iter().chain(&it.require));
        let meant = self.signatures.iter().flat_map(|signature| &signature.when);
        let required = self.require.iter().chain(handshakes).chain(meant).filter_map(|it| match &it.equals {
            Expected::Setting(name) => Some(name),
            Expected::Text(_) | Expected::Anything => None,
        });
        let urls = self.signatures.iter().filter_map(|signature| Some(&signature.published.as_ref()?.url));
        let signed =
            self.signatures.iter().map(|signature| &signature.signed).chain(urls).flat_map(Signed::settings);
        required.chain(signed).map(String::as_str).collect()
    }
}

/// One signature: where it stands, what it covers and how it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Signature {
    /// Which requests it is for: those of which all of these hold. Default: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<Requirement>,
    /// An array of the body, by pointer (RFC 6901), of which each item carries its own signature: all must hold, and there must be one. Pointers are
    /// then those of the item. Default: the body is signed as one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// Where it stands. A header with a list may carry several; one that matches is enough.
    pub at: Place,
    /// What is signed: a text with parts of the request in braces, such as `{timestamp}.{body}`. A token signs nothing else. Default: nothing.
    #[serde(default)]
    pub signed: Signed,
    /// How it is made.
    pub algorithm: Algorithm,
    /// How it is written.
    pub encoding: Encoding,
    /// How the secret or public key is written where the provider shows it. Default: as text that is used as it is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub key: KeyFormat,
    /// What stands before the key, such as `whsec_`. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_prefix: Option<String>,
    /// Whether the `key_prefix` may be missing. Default: no.
    #[serde(default, skip_serializing_if = "is_default")]
    pub key_prefix_optional: bool,
    /// What stands before the private key of an asymmetric signature, such as `whsk_`. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_key_prefix: Option<String>,
    /// Where the provider publishes the key. Default: it does not, and the receiver knows a secret or a public key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
    /// Where the lower-case hex SHA-256 of the body stands, for signatures that cover the body by that alone. Default: they
    /// cover it themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_sha256: Option<Place>,
    /// Which spellings of the URL may have been signed. Default: the one that was given.
    #[serde(default, skip_serializing_if = "is_default")]
    pub url: UrlSpelling,
}

/// How many of a scheme's signatures must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Accept {
    /// One of them.
    #[default]
    Any,
    /// Every one.
    All,
}

/// Which spellings of the URL may have been signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum UrlSpelling {
    /// The one that was given, byte for byte.
    #[default]
    Exact,
    /// Also without its port, or with the default port of its scheme if it has none.
    PortOptional,
}

/// Where the time of signing stands, and how far from now it may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Timestamp {
    /// Where it stands.
    pub at: Place,
    /// How it is written. Default: seconds since 1970.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unit: TimeUnit,
    /// How old a request may be, in seconds, this age included.
    pub past: u32,
    /// How far in the future a request may be signed, in seconds, this distance included: clocks differ.
    pub future: u32,
}

/// The unit of a timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum TimeUnit {
    /// Seconds since 1970, digits alone.
    #[default]
    Seconds,
    /// Milliseconds since 1970, digits alone.
    Milliseconds,
    /// A date and time (RFC 3339).
    Rfc3339,
}

/// A value that must stand somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Requirement {
    /// Where it stands.
    pub at: Place,
    /// What it is.
    pub equals: Expected,
}

/// What a required value is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Expected {
    /// This text.
    Text(String),
    /// A setting of the receiver, by name.
    Setting(String),
    /// Anything but nothing.
    Anything,
}

/// The answer that a provider wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WantedReply"))]
pub struct Reply {
    /// The status. Default: any of 200 to 299.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long the provider waits for it, in seconds. Default: it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<u32>,
    /// The status for a request that is refused: the provider sends some of which it expects that. Default: any of 400 to 499.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<u16>,
}

/// Whether a key says what holds without it, and need not be written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
