//! What probably went wrong: found by trying what usually does.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::scheme::{KeyFormat, Part, Scheme, TimeUnit};
use crate::{Refusal, Request, Secrets, verify};

/// Variations of a larger body are not tried.
const MAX_VARIED_BYTES: usize = 1024 * 1024;

/// What probably went wrong. Those about body, secret and URL are no guesses: with that one change the signature is good.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// What was signed is the body in another form, this one.
    Body(&'static str),
    /// The secret has white space around it that does not belong to it.
    SecretWhitespace,
    /// The secret is decoded otherwise.
    SecretDecoding(KeyFormat),
    /// What was signed is another spelling of the URL, this one.
    Url(String),
    /// The timestamp is in another unit.
    TimestampUnit(TimeUnit),
    /// Clocks differ, or the request is a replay; it is off by so much.
    Clock(Duration),
    /// None of these, and the key is the provider's: another body, or another value of a setting that is signed.
    OtherContent,
    /// None of these: another secret, or a body that was changed otherwise.
    OtherSecret,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(form) => {
                write!(f, "the body {form} was signed: hand over the bytes that arrived, before anything parses or trims them")
            }
            Self::SecretWhitespace => {
                f.write_str("the secret has a space or a line end around it: take it away")
            }
            Self::SecretDecoding(format) => {
                write!(f, "the secret is used as {format:?}: the scheme decodes it otherwise")
            }
            Self::Url(url) => {
                write!(f, "the URL {url} was signed: give the one that the provider was told, not what a proxy made of it")
            }
            Self::TimestampUnit(unit) => write!(f, "the timestamp is in {unit:?}"),
            Self::Clock(off) => write!(
                f,
                "the signature is good, the time is {} seconds off: set the clock, or it is a replay",
                off.as_secs()
            ),
            Self::OtherContent => f.write_str(
                "no usual mistake explains it: the body was changed, or a setting that is signed is that of another endpoint",
            ),
            Self::OtherSecret => f.write_str(
                "no usual mistake explains it: the secret is that of another endpoint or of the test mode, or the body was changed",
            ),
        }
    }
}

pub(super) fn causes(
    scheme: &Scheme,
    request: &Request<'_>,
    secrets: &Secrets,
    now: SystemTime,
    refusal: &Refusal,
) -> Vec<Cause> {
    match refusal {
        Refusal::TooOld { age: off, .. } | Refusal::TooNew { ahead: off, .. } => {
            vec![unit(scheme, request, now).unwrap_or(Cause::Clock(*off))]
        }
        Refusal::NoMatch | Refusal::UnusableSecret { .. } | Refusal::WrongBodyDigest { .. } => {
            let mut causes = bodies(scheme, request, secrets);
            causes.extend(secret(scheme, request, secrets));
            causes.extend(urls(scheme, request, secrets));
            if causes.is_empty() {
                let published = scheme.signatures.iter().all(|signature| signature.published.is_some());
                causes.push(if published { Cause::OtherContent } else { Cause::OtherSecret });
            }
            causes
        }
        _ => Vec::new(),
    }
}

/// Whether the signature is good, whenever it was made.
fn holds(scheme: &Scheme, request: &Request<'_>, secrets: &Secrets) -> bool {
    let signed_at = match &scheme.timestamp {
        Some(timestamp) => verify::read_time(timestamp, request).unwrap_or(UNIX_EPOCH),
        None => UNIX_EPOCH,
    };
    verify(scheme, request, secrets, signed_at).is_ok()
}

fn bodies(scheme: &Scheme, request: &Request<'_>, secrets: &Secrets) -> Vec<Cause> {
    if request.body.len() > MAX_VARIED_BYTES {
        return Vec::new();
    }
    let good = |body: &[u8]| holds(scheme, &Request { body, ..*request }, secrets);
    let forms = forms(request.body).into_iter();
    forms
        .filter(|(_, body)| *body != request.body && good(body))
        .map(|(form, _)| Cause::Body(form))
        .take(1)
        .collect()
}

/// The body as it may have been before somebody handled it.
fn forms(body: &[u8]) -> Vec<(&'static str, Cow<'_, [u8]>)> {
    let trimmed = body.strip_suffix(b"\n").map_or(body, |body| body.strip_suffix(b"\r").unwrap_or(body));
    let mut forms: Vec<(&'static str, Cow<'_, [u8]>)> = vec![
        ("without the line end after it", Cow::Borrowed(trimmed)),
        (
            "without the byte order mark before it",
            Cow::Borrowed(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)),
        ),
        ("with a line end after it", Cow::Owned([body, b"\n"].concat())),
        ("with CR LF at the ends of its lines", Cow::Owned(with_line_ends(body, b"\r\n"))),
        ("with LF at the ends of its lines", Cow::Owned(with_line_ends(body, b"\n"))),
    ];
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        let compact = value.to_string();
        forms.push(("as JSON without spaces", Cow::Owned(compact.clone().into_bytes())));
        forms.push((
            "as JSON with a space after each comma and colon",
            Cow::Owned(spaced(&value).into_bytes()),
        ));
        let pretty = serde_json::to_vec_pretty(&value).unwrap_or_default();
        forms.push(("as JSON over several lines", Cow::Owned(pretty)));
        forms.push((
            "as JSON with escapes for all that is not ASCII",
            Cow::Owned(ascii(&compact).into_bytes()),
        ));
    }
    forms
}

fn with_line_ends(body: &[u8], end: &[u8]) -> Vec<u8> {
    let lines = body.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.collect::<Vec<_>>().join(end)
}

/// As Python's `json.dumps` writes it.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields =
                fields.iter().map(|(key, value)| format!("{}: {}", Value::from(key.as_str()), spaced(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        scalar => scalar.to_string(),
    }
}

fn ascii(json: &str) -> String {
    let mut text = String::new();
    let mut units = [0; 2];
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            character
                .encode_utf16(&mut units)
                .iter()
                .for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
        }
    }
    text
}

fn secret(scheme: &Scheme, request: &Request<'_>, secrets: &Secrets) -> Option<Cause> {
    if holds(scheme, request, &secrets.trimmed()) {
        return Some(Cause::SecretWhitespace);
    }
    let formats = [KeyFormat::Verbatim, KeyFormat::Base64, KeyFormat::Hex];
    let format = formats.into_iter().find(|format| {
        let mut other = scheme.clone();
        for signature in &mut other.signatures {
            signature.key = *format;
            signature.key_prefix = match format {
                KeyFormat::Verbatim => None,
                _ => Some("whsec_".to_owned()),
            };
            signature.key_prefix_optional = true;
        }
        other != *scheme && holds(&other, request, secrets)
    });
    format.map(Cause::SecretDecoding)
}

fn urls(scheme: &Scheme, request: &Request<'_>, secrets: &Secrets) -> Option<Cause> {
    if !scheme.signatures.iter().any(|signature| signature.signed.parts().contains(&Part::Url)) {
        return None;
    }
    let other_scheme = match request.url.split_once("://") {
        Some(("http", rest)) => format!("https://{rest}"),
        Some(("https", rest)) => format!("http://{rest}"),
        _ => request.url.to_owned(),
    };
    let (path, query) = match request.url.find('?') {
        Some(at) => request.url.split_at(at),
        None => (request.url, ""),
    };
    let other_slash = match path.strip_suffix('/') {
        Some(path) => format!("{path}{query}"),
        None => format!("{path}/{query}"),
    };
    let others = [Cow::Owned(other_scheme), Cow::Owned(other_slash), Cow::Borrowed(path)];
    let mut others = others.into_iter().chain(request.spellings().into_iter().skip(1));
    let good =
        |url: &Cow<'_, str>| **url != *request.url && holds(scheme, &Request { url, ..*request }, secrets);
    others.find(good).map(|url| Cause::Url(url.into_owned()))
}

/// Whether the time would be right in the other unit.
fn unit(scheme: &Scheme, request: &Request<'_>, now: SystemTime) -> Option<Cause> {
    let mut timestamp = scheme.timestamp.clone()?;
    timestamp.unit = match timestamp.unit {
        TimeUnit::Seconds => TimeUnit::Milliseconds,
        TimeUnit::Milliseconds => TimeUnit::Seconds,
        TimeUnit::Rfc3339 => return None,
    };
    let signed_at = verify::read_time(&timestamp, request).ok()?;
    verify::is_near(&timestamp, signed_at, now).ok().map(|()| Cause::TimestampUnit(timestamp.unit))
}
