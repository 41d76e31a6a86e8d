//! Why a request was taken or refused, for people.

use bytes::Bytes;
use jiff::Timestamp;
use nuncio_client::Redactor;
use nuncio_relay::Headers;

use super::events::base;
use crate::app::App;

/// As much of a signature as is shown: enough to compare, too little to sign with. Whoever may read shall not be able to send as the provider.
const SHOWN_DIGITS: usize = 8;

/// Why a request was taken or refused.
pub(super) struct Explained {
    /// How the source is signed.
    pub(super) scheme: String,
    /// By which secret it is genuine, or why it is not.
    pub(super) verdict: Result<String, String>,
    /// Where something was read, and what.
    pub(super) read: Vec<(String, String)>,
    pub(super) checks: Vec<Check>,
    /// What probably went wrong.
    pub(super) causes: Vec<String>,
}

/// One signature that was computed.
pub(super) struct Check {
    pub(super) algorithm: String,
    pub(super) secret: String,
    pub(super) signed: String,
    /// How the signature that was computed begins.
    pub(super) computed: Option<String>,
    pub(super) matches: bool,
}

/// What is to be said of a request to this source that came in at `at`; `None` if there is no such source any more.
pub(super) fn explain(
    app: &App,
    source: &str,
    headers: &Headers,
    body: &Bytes,
    at: Timestamp,
) -> Option<Explained> {
    let source_of = app.inbox.source(source)?;
    let host = headers.get("host").map(|host| String::from_utf8_lossy(host).into_owned());
    let scheme = if app.options.tls.is_some() { "https" } else { "http" };
    let base = match (&app.options.public_url, host) {
        (None, Some(host)) => format!("{scheme}://{host}"),
        _ => base(app),
    };
    let explanation = source_of.explain(&format!("{base}/in/{source}"), headers, body, at);
    let redact = |text: &str| Redactor::global().redact(text).into_owned();
    let read = explanation.read.into_iter().map(|reading| match reading.value {
        Ok(value) => (reading.place, redact(&value)),
        Err(refusal) => (reading.place, redact(&refusal.to_string())),
    });
    let check = |attempt: nuncio_webhook::Attempt| Check {
        algorithm: format!("{:?}", attempt.algorithm),
        secret: attempt.secret,
        signed: redact(&attempt.signed),
        computed: attempt.expected.map(|expected| expected.chars().take(SHOWN_DIGITS).collect()),
        matches: attempt.matches,
    };
    Some(Explained {
        scheme: source_of.provider().unwrap_or("a scheme of its own").to_owned(),
        verdict: explanation.verdict.map_err(|refusal| redact(&refusal.to_string())),
        read: read.collect(),
        checks: explanation.attempts.into_iter().map(check).collect(),
        causes: explanation.causes.iter().map(|cause| redact(&cause.to_string())).collect(),
    })
}
