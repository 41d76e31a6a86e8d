//! Keys that providers publish: which one a request needs, and that it is taken from nowhere but where the provider says.
//!
//! Nothing here fetches. A key that is needed is a value, [`PublishedKey`], so that a program with threads and one with tasks fetch it each in its way.

mod cache;
mod certificate;
mod jwk;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use smallvec::{SmallVec, smallvec};
use zeroize::Zeroizing;

use crate::content;
use crate::jwt::Token;
use crate::scheme::{Document, Encoding, Published, Scheme, Signature};
use crate::secret::Key;
use crate::{Refusal, Request, Secrets};

pub use cache::KeyCache;

/// A longer document is not read. Google's has 2 KiB, a certificate with its chain 6.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// Where a key is that a provider publishes. Only [`verify`](crate::verify) makes one, after it has held the URL against the hosts that the provider
/// names, so whoever holds one may fetch it: with GET unless the provider says otherwise, without following redirects and without reading more
/// than 64 KiB.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublishedKey {
    url: String,
    id: Option<String>,
}

impl PublishedKey {
    /// Where it is: `https`, on a host of the provider, without user, port or fragment.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What to ask for there, where one URL serves each key by itself, as Plaid's does.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl fmt::Display for PublishedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "{id} at {}", self.url),
            None => write!(f, "at {}", self.url),
        }
    }
}

/// What providers published, as far as the receiver knows. [`KeyCache`] is one; a program without tasks may fetch in [`find`](Self::find) itself.
pub trait Keys: Send + Sync {
    /// The body that the provider serves for `key`, byte for byte. `None` when it is not known, and [`verify`](crate::verify) then refuses with
    /// [`Refusal::KeyNeeded`].
    fn find(&self, key: &PublishedKey, now: SystemTime) -> Option<Arc<[u8]>>;
}

/// A key, and what it is called: the label of a secret, or where a published key stands.
pub(crate) type NamedKey<'s> = (Cow<'s, str>, Key<'s>);

pub(crate) type NamedKeys<'s> = SmallVec<[NamedKey<'s>; 2]>;

/// The keys by which `signature` may be good.
pub(crate) fn of<'s>(
    scheme: &Scheme,
    signature: &Signature,
    request: &Request<'_>,
    secrets: &'s Secrets,
    now: SystemTime,
) -> Result<NamedKeys<'s>, Refusal> {
    if let Some(published) = &signature.published {
        return Ok(smallvec![find(scheme, signature, published, request, secrets, now)?]);
    }
    let usable = secrets
        .all()
        .iter()
        .filter_map(|secret| Some((Cow::Borrowed(secret.label.as_str()), secret.key(signature)?)));
    let usable: NamedKeys<'_> = usable.collect();
    if usable.is_empty() { Err(secrets.unusable()) } else { Ok(usable) }
}

fn find(
    scheme: &Scheme,
    signature: &Signature,
    published: &Published,
    request: &Request<'_>,
    secrets: &Secrets,
    now: SystemTime,
) -> Result<NamedKey<'static>, Refusal> {
    let kid = match published.document {
        Document::Certificate => None,
        Document::Jwks | Document::Jwk => Some(key_id(signature, request)?),
    };
    let url = pinned(scheme, published, request, secrets)?;
    let id = kid.clone().filter(|_| published.document == Document::Jwk);
    let key = PublishedKey { url, id };
    let Some(document) = secrets.published(&key, now) else { return Err(Refusal::KeyNeeded { key }) };
    let name = match &kid {
        Some(kid) => format!("{kid} at {}", key.url),
        None => key.url.clone(),
    };
    let found = if document.len() > MAX_DOCUMENT_BYTES {
        Err("it is longer than 64 KiB")
    } else {
        match &kid {
            None => certificate::public_key(&document, now).map(Some),
            Some(kid) => jwk::public_key(&document, kid, signature.algorithm, now),
        }
    };
    match found {
        Ok(Some(bytes)) => Ok((name.into(), Key::Decoded(Zeroizing::new(bytes)))),
        Ok(None) => Err(Refusal::UnknownKey { id: kid.unwrap_or_default(), key }),
        Err(reason) => Err(Refusal::UnusableKey { key, reason }),
    }
}

fn key_id(signature: &Signature, request: &Request<'_>) -> Result<String, Refusal> {
    let text = signature.at.one(request)?;
    let token = (signature.encoding == Encoding::Jwt).then(|| Token::read(&text)).flatten();
    let missing = || Refusal::Missing { place: format!("kid of the token in {}", signature.at) };
    token.and_then(|token| token.key_id()).ok_or_else(missing)
}

/// The URL of the key, if it is one that the provider names.
fn pinned(
    scheme: &Scheme,
    published: &Published,
    request: &Request<'_>,
    secrets: &Secrets,
) -> Result<String, Refusal> {
    let url = content::text(scheme, &published.url, request, secrets)?;
    let url = String::from_utf8(url).map_err(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    match url {
        Ok(url) if published.from.iter().any(|pattern| pattern.fits(&url)) => Ok(url),
        Ok(url) | Err(url) => Err(Refusal::ForeignUrl { url: shortened(&url) }),
    }
}

/// Enough of somebody else's URL to see whose it is.
pub(crate) fn shortened(url: &str) -> String {
    url.chars().take(200).flat_map(char::escape_debug).collect()
}
