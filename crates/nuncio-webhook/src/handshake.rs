//! Answers to the requests by which a provider asks whether the receiver is one.

use std::borrow::Cow;
use std::time::SystemTime;

use serde_json::{Map, Value};
use smallvec::smallvec;

use crate::scheme::{AnswerField, Handshake, HandshakeAnswer, Place, Scheme};
use crate::verify::meets;
use crate::{Refusal, Request, Secrets, crypto, keys, verify};

/// What to answer, with the status 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The headers, names and values: `Content-Type`, what the provider wants, and that browsers do not take what the requester made for a page.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
    /// A URL that confirms the subscription when it is asked for by GET, beside the answer. It is on a host of the provider: do not follow redirects.
    pub visit: Option<String>,
}

/// What to answer if `request` is a handshake; `None` if it is none and goes to [`verify`](crate::verify).
///
/// ```
/// use std::time::UNIX_EPOCH;
/// use nuncio_webhook::{Request, Secrets, handshake, provider};
///
/// let none: Vec<(&str, &str)> = Vec::new();
/// let url = "https://hooks.example.test/in?hub.mode=subscribe&hub.verify_token=made-up&hub.challenge=1158201444";
/// let request = Request { method: "GET", url, headers: &none, body: b"" };
/// let secrets = Secrets::new().with("current", "made-up-secret").setting("verify_token", "made-up");
///
/// let answer = handshake(&provider("meta").unwrap().scheme, &request, &secrets, UNIX_EPOCH)?.unwrap();
/// assert_eq!(answer.body, b"1158201444");
/// # Ok::<(), nuncio_webhook::Refusal>(())
/// ```
///
/// # Errors
/// [`Refusal`] when it is a handshake that is not genuine. Answer it as [`Reply::refused`](crate::scheme::Reply::refused) says: Discord and Xero send
/// bad signatures on purpose, to see whether they are refused.
pub fn handshake(
    scheme: &Scheme,
    request: &Request<'_>,
    secrets: &Secrets,
    now: SystemTime,
) -> Result<Option<Answer>, Refusal> {
    let is_meant =
        |handshake: &&Handshake| handshake.when.iter().all(|when| meets(when, request, secrets).is_ok());
    let Some(handshake) = scheme.handshakes.iter().find(is_meant) else { return Ok(None) };
    handshake.require.iter().try_for_each(|required| meets(required, request, secrets))?;
    if handshake.signed || signs(&handshake.answer) {
        verify(scheme, request, secrets, now)?;
    }
    answer(handshake, scheme, request, secrets).map(Some)
}

fn signs(answer: &HandshakeAnswer) -> bool {
    match answer {
        HandshakeAnswer::Empty | HandshakeAnswer::Echo(_) => false,
        // Whoever may have a URL visited may subscribe the receiver to anything.
        HandshakeAnswer::Visit(_) => true,
        HandshakeAnswer::Json(fields) => fields.values().any(|field| matches!(field, AnswerField::Sign(_))),
    }
}

fn answer(
    handshake: &Handshake,
    scheme: &Scheme,
    request: &Request<'_>,
    secrets: &Secrets,
) -> Result<Answer, Refusal> {
    let mut visit = None;
    let (content_type, body) = match &handshake.answer {
        HandshakeAnswer::Empty => (None, Vec::new()),
        HandshakeAnswer::Echo(place) => {
            let text = place.one(request)?;
            let text = if handshake.signed { text.into_owned() } else { escape(&text) };
            (Some("text/plain; charset=utf-8"), text)
        }
        HandshakeAnswer::Visit(there) => {
            let url = String::from_utf8_lossy(&there.url.one(request)?).into_owned();
            if !there.from.iter().any(|pattern| pattern.fits(&url)) {
                return Err(Refusal::ForeignUrl { url: keys::shortened(&url) });
            }
            visit = Some(url);
            (None, Vec::new())
        }
        HandshakeAnswer::Json(fields) => {
            let field = |(name, field): (&String, &AnswerField)| {
                Ok((name.clone(), value(field, scheme, request, secrets)?))
            };
            let object: Map<String, Value> = fields.iter().map(field).collect::<Result<_, Refusal>>()?;
            (Some("application/json"), Value::from(object).to_string().into_bytes())
        }
    };
    let fixed =
        [("Content-Type", content_type), ("X-Content-Type-Options", content_type.and(Some("nosniff")))];
    let fixed = fixed.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
    let copied =
        handshake.headers.iter().map(|(name, place)| Ok((name.clone(), place.one(request)?.into_owned())));
    let headers = fixed.map(Ok).chain(copied).collect::<Result<_, Refusal>>()?;
    Ok(Answer { headers, body, visit })
}

/// Without what HTML takes for more than text: no provider's challenge has that, and whoever asks without a signature may be anybody.
fn escape(text: &[u8]) -> Vec<u8> {
    let escaped = text.iter().map(|byte| match byte {
        b'&' => &b"&amp;"[..],
        b'<' => b"&lt;",
        b'>' => b"&gt;",
        b'"' => b"&quot;",
        b'\'' => b"&#39;",
        byte => std::slice::from_ref(byte),
    });
    escaped.flatten().copied().collect()
}

fn value(
    field: &AnswerField,
    scheme: &Scheme,
    request: &Request<'_>,
    secrets: &Secrets,
) -> Result<Value, Refusal> {
    let text = |place: &Place| place.one(request).map(|value| String::from_utf8_lossy(&value).into_owned());
    match field {
        AnswerField::Copy(place) => text(place).map(Value::from),
        AnswerField::Number(number) => Ok(Value::from(*number)),
        AnswerField::Sign(place) => {
            let challenge = text(place)?;
            // During a rotation the provider knows the secret by which it signed this request.
            let signed = scheme.signatures.iter().find_map(|signature| {
                let key = secrets.all().iter().find_map(|secret| secret.key(signature))?;
                let content = smallvec![Cow::Borrowed(challenge.as_bytes())];
                Some(signature.encoding.encode(&crypto::mac(signature.algorithm, &key, &content)))
            });
            signed.map(Value::from).ok_or_else(|| secrets.unusable())
        }
    }
}
