//! Secrets and public keys, and what else the receiver knows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::Refusal;
use crate::keys::{Keys, PublishedKey};
use crate::scheme::{KeyFormat, Signature};

/// More lenient than for signatures: what the receiver itself holds cannot be varied by a sender, and the libraries of senders read it so.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What the receiver knows: secrets or public keys, as the provider shows them, each under a label; during a rotation several. And settings
/// that are no secrets.
///
/// Values are cleared from memory when they are dropped, and never shown; labels are.
///
/// ```
/// use nuncio_webhook::Secrets;
///
/// let secrets = Secrets::new().with("current", "made-up-secret").with("old", "made-up-older").setting("app_key", "made-up-key");
/// assert_eq!(format!("{secrets:?}"), "Secrets(current, old)");
/// ```
#[derive(Clone, Default)]
pub struct Secrets {
    secrets: Vec<Secret>,
    settings: BTreeMap<String, String>,
    keys: Option<Arc<dyn Keys>>,
}

#[derive(Clone)]
pub(crate) struct Secret {
    pub(crate) label: String,
    pub(crate) text: Zeroizing<String>,
}

/// The bytes of a secret or public key.
pub(crate) enum Key<'s> {
    /// As the secret is written.
    Verbatim(&'s [u8]),
    Decoded(Zeroizing<Vec<u8>>),
}

impl Deref for Key<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Verbatim(bytes) => bytes,
            Self::Decoded(bytes) => bytes,
        }
    }
}

impl Secrets {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more secret or public key. The label is shown in explanations.
    #[must_use]
    pub fn with(mut self, label: impl Into<String>, secret: impl Into<String>) -> Self {
        self.secrets.push(Secret { label: label.into(), text: Zeroizing::new(secret.into()) });
        self
    }

    /// With a setting that the scheme asks for by name, such as the `app_key` of Pusher.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// With what providers publish, for schemes that need it. Default: nothing is known, and [`Refusal::KeyNeeded`] says what is needed.
    #[must_use]
    pub fn keys(mut self, keys: Arc<dyn Keys>) -> Self {
        self.keys = Some(keys);
        self
    }

    pub(crate) fn published(&self, key: &PublishedKey, now: SystemTime) -> Option<Arc<[u8]>> {
        self.keys.as_ref()?.find(key, now)
    }

    pub(crate) fn all(&self) -> &[Secret] {
        &self.secrets
    }

    /// The same without white space around them.
    pub(crate) fn trimmed(&self) -> Self {
        let mut trimmed = self.clone();
        for secret in &mut trimmed.secrets {
            secret.text = Zeroizing::new(secret.text.trim().to_owned());
        }
        trimmed
    }

    fn labels(&self) -> String {
        self.secrets.iter().map(|secret| secret.label.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// That none of them is written as it must be, or that there is none.
    pub(crate) fn unusable(&self) -> Refusal {
        match self.secrets.is_empty() {
            true => Refusal::NoSecret,
            false => Refusal::UnusableSecret { labels: self.labels() },
        }
    }

    pub(crate) fn get_setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.labels())
    }
}

impl Secret {
    /// The key that `signature` is verified with. `None` when this is not written as such a key is.
    pub(crate) fn key(&self, signature: &Signature) -> Option<Key<'_>> {
        let prefix = signature.key_prefix.as_deref().unwrap_or_default();
        let text = match self.text.strip_prefix(prefix) {
            Some(text) => text,
            None if signature.key_prefix_optional => &self.text,
            None => return None,
        };
        decode(text, signature.key)
    }

    /// The key that `signature` is made with.
    pub(crate) fn signing_key(&self, signature: &Signature) -> Option<Key<'_>> {
        if !signature.algorithm.is_asymmetric() {
            return self.key(signature);
        }
        if let Some(inner) = within(&self.text, "PRIVATE KEY") {
            let der = BASE64.decode(inner.as_bytes()).ok()?;
            return Some(Key::Decoded(Zeroizing::new(der)));
        }
        let text = self.text.strip_prefix(signature.signing_key_prefix.as_deref()?)?;
        decode(text, KeyFormat::Base64)
    }
}

/// The bytes that `text` stands for; never none at all, since anybody can sign with an empty key.
pub(crate) fn decode(text: &str, format: KeyFormat) -> Option<Key<'_>> {
    let bytes = match format {
        KeyFormat::Verbatim => return (!text.is_empty()).then_some(Key::Verbatim(text.as_bytes())),
        KeyFormat::Base64 => BASE64.decode(text).ok()?,
        KeyFormat::Hex => hex::decode(text).ok()?,
        KeyFormat::Spki => BASE64.decode(without_armour(text).as_bytes()).ok()?,
    };
    (!bytes.is_empty()).then(|| Key::Decoded(Zeroizing::new(bytes)))
}

/// What stands between the lines of a PEM; text that is no PEM as it is.
fn without_armour(text: &str) -> Cow<'_, str> {
    within(text, "PUBLIC KEY").map_or(text.into(), Cow::Owned)
}

/// What stands between the lines of a PEM of this label.
fn within(text: &str, label: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (inner, _) = rest.split_once(&format!("-----END {label}-----"))?;
    Some(inner.replace("\\n", "").split_ascii_whitespace().collect())
}
