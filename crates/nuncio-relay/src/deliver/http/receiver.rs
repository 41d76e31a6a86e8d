//! One HTTP endpoint, ready to be delivered to.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ::http::{HeaderMap, HeaderName, HeaderValue, header};
use bytes::Bytes;
use futures_util::StreamExt as _;
use jiff::Timestamp;
use nuncio_client::retry::Policy;
use nuncio_client::{Body, Client, Clock, Error, redact, wire};
use nuncio_service::Env;
use nuncio_webhook::{Outgoing, Secrets, sign};
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::outcome::Outcome;
use crate::settings::Http;

use super::super::{Parcel, READ_BYTES, event, excerpt, failure};
use super::setup::{address, headers, origin, reach, secrets, standard};

/// How long the body of an answer that took the event is waited for: 1 s. The status has said all.
const BODY_PATIENCE: Duration = Duration::from_secs(1);

const EVENT_TYPE: HeaderName = HeaderName::from_static("nuncio-event-type");
const EVENT_ID: HeaderName = HeaderName::from_static("nuncio-event-id");
const ATTEMPT: HeaderName = HeaderName::from_static("nuncio-attempt");

/// One HTTP endpoint. Copies share connections and tokens.
#[derive(Clone)]
pub(super) struct Receiver(Arc<Inner>);

struct Inner {
    client: Client,
    url: Url,
    headers: HeaderMap,
    signing: Option<Signing>,
    clock: Clock,
}

/// What it is signed with.
struct Signing {
    all: Secrets,
    newest: Secrets,
    /// Until when all sign.
    until: Option<Timestamp>,
}

impl Signing {
    /// `None` where nothing is signed.
    fn new(http: &Http) -> Result<Option<Self>, Error> {
        let Some(newest) = http.secrets.get(..1) else { return Ok(None) };
        let (all, newest) = (secrets(http, &http.secrets)?, secrets(http, newest)?);
        Ok(Some(Self { all, newest, until: http.old_secrets_until }))
    }

    fn secrets(&self, now: SystemTime) -> &Secrets {
        let is_over = self.until.is_some_and(|until| now >= SystemTime::from(until));
        if is_over { &self.newest } else { &self.all }
    }
}

impl Receiver {
    pub(super) fn new(http: &Http, env: &Env, wire: wire::Settings, clock: Clock) -> Result<Self, Error> {
        let url = address(http)?;
        let mut client = Client::builder()
            .base_url(origin(&url))
            .retry(Policy { attempts: NonZeroU32::MIN, ..Policy::default() })
            .clock(clock.clone())
            .wire(reach(http, wire)?);
        if let Some(auth) = &http.auth {
            client = client.auth(auth.credentials(env, &origin(&url))?);
        }
        Ok(Self(Arc::new(Inner {
            client: client.build()?,
            url,
            headers: headers(http)?,
            signing: Signing::new(http)?,
            clock,
        })))
    }

    /// Posts the event once. Only where the endpoint refuses a token as expired it is sent again, with a new one.
    pub(super) async fn post(&self, parcel: &Parcel<'_>, http: &Http) -> Outcome {
        let Inner { client, url, clock, .. } = &*self.0;
        let until = Instant::now() + parcel.timeout();
        let made = match http.as_received {
            true => Ok(self.0.headers_as_received(parcel)),
            false => self.0.headers(parcel, http.forward_headers),
        };
        let headers = match made {
            Ok(headers) => headers,
            Err(error) => return failure::outcome(&error, false, clock),
        };
        let mut call = client
            .post(url.as_str())
            .body(parcel.event.body.clone(), HeaderValue::from_static("application/octet-stream"))
            .timeout(parcel.timeout())
            .deadline(parcel.timeout());
        for (name, value) in &headers {
            call = call.header(name.clone(), value.clone());
        }
        match call.stream().await {
            Ok(response) => {
                let status = response.status().as_u16();
                let patience = BODY_PATIENCE.min(until.saturating_duration_since(Instant::now()) / 2);
                let body = beginning(response.into_body(), Instant::now() + patience).await;
                Outcome { excerpt: excerpt(&body), ..Outcome::taken(status) }
            }
            Err(error) => {
                let is_answer = error.url() == Some(redact::url(url).as_str());
                failure::outcome(&error, is_answer, clock)
            }
        }
    }
}

impl Inner {
    /// What is sent with the event: its own headers as far as they are forwarded, then those of the settings, then ours, the later in place of the
    /// earlier.
    fn headers(&self, parcel: &Parcel<'_>, forwards: bool) -> Result<HeaderMap, Error> {
        let event = parcel.event;
        let arrived = event::headers(&event.headers);
        // What the body is, is sent along always: its bytes are as they arrived.
        let is_passed = |name: &HeaderName| {
            forwards || *name == header::CONTENT_TYPE || *name == header::CONTENT_ENCODING
        };
        let mut headers: HeaderMap = arrived
            .iter()
            .filter(|(name, _)| is_passed(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        headers.extend(self.headers.clone());
        headers.insert(ATTEMPT, HeaderValue::from(parcel.attempt));
        // A type that no header can carry is in the body only.
        match HeaderValue::from_bytes(event.event_type.as_bytes()) {
            Ok(value) if !value.is_empty() => drop(headers.insert(EVENT_TYPE, value)),
            _ => {}
        }
        for (name, value) in self.signed(parcel)? {
            let name: HeaderName =
                name.parse().map_err(|_| Error::configuration(format!("header {name:?}")))?;
            headers.insert(
                name,
                HeaderValue::from_str(&value).map_err(|_| Error::configuration("a signature"))?,
            );
        }
        Ok(headers)
    }

    /// What it arrived with, and our id of it where that takes the place of nothing. What the settings say goes before that.
    fn headers_as_received(&self, parcel: &Parcel<'_>) -> HeaderMap {
        let mut headers = event::headers_as_received(&parcel.event.headers);
        let id = HeaderValue::try_from(parcel.event.id.to_string()).expect("an id is letters and digits");
        headers.entry(EVENT_ID).or_insert(id);
        headers.extend(self.headers.clone());
        headers
    }

    /// `webhook-id` and `webhook-timestamp`, and with secrets `webhook-signature`.
    fn signed(&self, parcel: &Parcel<'_>) -> Result<Vec<(String, String)>, Error> {
        let id = parcel.event.id.to_string();
        let signed_at = self.clock.now();
        let outgoing = Outgoing {
            id: &id,
            signed_at,
            method: "POST",
            url: self.url.as_str(),
            body: &parcel.event.body,
            content_type: None,
        };
        match &self.signing {
            Some(signing) => sign(standard(), &outgoing, signing.secrets(signed_at))
                .map_err(|error| Error::configuration("the event cannot be signed").because(error)),
            None => Ok(vec![
                ("webhook-id".to_owned(), id),
                ("webhook-timestamp".to_owned(), self.clock.since_epoch().as_secs().to_string()),
            ]),
        }
    }
}

/// The beginning of a body, as far as it comes in time. A body that is longer is left, and its connection with it.
async fn beginning(body: Body, until: Instant) -> Bytes {
    let mut stream = body.into_stream();
    let mut read = Vec::new();
    while read.len() < READ_BYTES
        && let Ok(Some(Ok(piece))) = timeout_at(until, stream.next()).await
    {
        read.extend_from_slice(&piece[..piece.len().min(READ_BYTES - read.len())]);
    }
    read.into()
}
