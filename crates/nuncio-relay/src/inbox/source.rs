//! A source, ready to receive.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use nuncio_client::{Error, Redactor};
use nuncio_webhook::{Explanation, KeyCache, Keys, Request, Scheme, Secrets, explain};

use crate::route::jq::Jq;
use crate::route::subject::Subject;
use crate::{Event, Headers, settings};

/// How long a key that a provider publishes is good without being fetched again: a day.
const KEY_AGE: Duration = Duration::from_secs(86_400);

/// A longer key is remembered by its digest.
const MAX_KEY_BYTES: usize = 256;

/// A source, ready to receive.
pub struct Source {
    pub(super) name: String,
    pub(super) settings: settings::Source,
    pub(super) scheme: Scheme,
    pub(super) secrets: Secrets,
    pub(super) keys: Arc<KeyCache>,
    dedupe_by: Option<Jq>,
}

impl Source {
    /// The source of these settings.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when they cannot be used.
    pub fn new(name: String, settings: settings::Source) -> Result<Self, Error> {
        let scheme = settings.scheme.scheme().cloned().ok_or_else(|| {
            Error::configuration("there is no provider of that name").advise(
                "`nuncio webhook providers` lists those that come along; another scheme can be written out",
            )
        })?;
        let keys = Arc::new(KeyCache::new(KEY_AGE));
        let as_keys: Arc<dyn Keys> = Arc::<KeyCache>::clone(&keys);
        let mut secrets = Secrets::new().keys(as_keys);
        for (label, secret) in &settings.secrets {
            Redactor::global().register(secret.expose());
            secrets = secrets.with(label, secret.expose());
        }
        for (name, value) in &settings.settings {
            secrets = secrets.setting(name, value);
        }
        let dedupe_by = settings.dedupe.key.as_deref().map(Jq::new).transpose()?;
        let mut source = Self { name, settings, scheme, secrets, keys, dedupe_by };
        if let (Some(tolerance), Some(timestamp)) = (source.settings.tolerance, &mut source.scheme.timestamp)
        {
            let seconds = u32::try_from(tolerance.0.as_secs()).unwrap_or(u32::MAX);
            (timestamp.past, timestamp.future) = (seconds, seconds);
        }
        Ok(source)
    }

    /// The source of these settings, which knows these secrets instead of those that stand there.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_secrets(name: String, settings: settings::Source, secrets: Secrets) -> Result<Self, Error> {
        let source = Self::new(name, settings)?;
        let as_keys: Arc<dyn Keys> = Arc::<KeyCache>::clone(&source.keys);
        Ok(Self { secrets: secrets.keys(as_keys), ..source })
    }

    /// The longest body that it takes, in bytes.
    #[must_use]
    pub fn max_body_bytes(&self) -> u64 {
        self.settings.max_body_bytes
    }

    /// Why a request that came in at `at` is genuine or not, by the secrets as they are now. Method and query are not stored with it: it is taken for a
    /// POST to the URL that is set up, or else to `url`.
    #[must_use]
    pub fn explain(&self, url: &str, headers: &Headers, body: &[u8], at: Timestamp) -> Explanation {
        let url = self.settings.url.as_deref().unwrap_or(url);
        let request = Request { method: "POST", url, headers, body };
        explain(&self.scheme, &request, &self.secrets, at.into())
    }

    /// The provider whose scheme it is, if it is one that nuncio knows.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.settings.scheme.provider()
    }

    /// How long the provider waits for the answer, if it says so.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let within = self.scheme.reply.as_ref()?.within?;
        Some(Duration::from_secs(within.into()))
    }

    /// Whether it takes requests from this address. Where only some are allowed, one that is not known is not.
    pub(super) fn allows(&self, peer: Option<IpAddr>) -> bool {
        let allowed = &self.settings.allow_from;
        allowed.is_empty() || peer.is_some_and(|peer| allowed.iter().any(|network| network.contains(peer)))
    }

    /// What the event is known by when it comes again.
    pub(super) fn dedupe_key(&self, event: &Event, id: Option<String>) -> Option<String> {
        let key = match &self.dedupe_by {
            Some(jq) => jq.text(Subject::new(event).jq()),
            None => id,
        };
        key.map(short)
    }

    /// What whoever is refused hears: 401, which Discord and Xero insist on, unless the provider wants something else.
    pub(super) fn refusal_status(&self) -> StatusCode {
        let wanted = self.scheme.reply.as_ref().and_then(|reply| reply.refused);
        wanted.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::UNAUTHORIZED)
    }

    /// What the provider wants to hear.
    pub(super) fn acknowledge(&self, received: super::Received) -> super::Reply {
        let status = self.scheme.reply.as_ref().and_then(|reply| reply.status);
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        super::plain(status.unwrap_or(StatusCode::OK), received)
    }
}

/// A key that is no longer than an index likes.
fn short(key: String) -> String {
    if key.len() <= MAX_KEY_BYTES {
        return key;
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, key.as_bytes());
    digest.as_ref().iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("name", &self.name).finish_non_exhaustive()
    }
}
