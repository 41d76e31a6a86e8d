//! What is signed, as pieces of the request.

use std::borrow::Cow;

use smallvec::{SmallVec, smallvec};

use crate::json::{self, Found};
use crate::jwt::Token;
use crate::scheme::{Encoding, Part, Scheme, Signature, Signed, UrlSpelling};
use crate::{Refusal, Request, Secrets};

/// What is signed, piece by piece: the body is never copied. Small lists, here and in what follows, since a verification of few bytes costs little more
/// than its allocations.
pub(crate) type Content<'r> = SmallVec<[Cow<'r, [u8]>; 4]>;

/// What `signature` covers of `request`, once for each spelling of the URL. The `timestamp` is that of the scheme, where it was read already.
pub(crate) fn contents<'r>(
    scheme: &'r Scheme,
    signature: &'r Signature,
    request: &Request<'r>,
    secrets: &'r Secrets,
    timestamp: Option<&Cow<'r, [u8]>>,
) -> Result<SmallVec<[Content<'r>; 1]>, Refusal> {
    if signature.encoding == Encoding::Jwt {
        let text = signature.at.one(request)?;
        let signed = Token::read(&text).map(|token| Cow::Owned(token.signed.to_vec()));
        return Ok(signed.map(|signed| smallvec![signed]).into_iter().collect());
    }
    let parts = signature.signed.parts();
    let content = |url: Cow<'r, str>| -> Result<Content<'r>, Refusal> {
        parts.iter().map(|part| piece(scheme, part, request, secrets, &url, timestamp)).collect()
    };
    match signature.url {
        UrlSpelling::PortOptional if parts.contains(&Part::Url) => {
            request.spellings().into_iter().map(content).collect()
        }
        _ => Ok(smallvec![content(Cow::Borrowed(request.url))?]),
    }
}

/// What `template` makes of `request`.
pub(crate) fn text(
    scheme: &Scheme,
    template: &Signed,
    request: &Request<'_>,
    secrets: &Secrets,
) -> Result<Vec<u8>, Refusal> {
    let url = Cow::Borrowed(request.url);
    let pieces = template.parts().iter().map(|part| piece(scheme, part, request, secrets, &url, None));
    Ok(pieces.collect::<Result<Content<'_>, _>>()?.concat())
}

fn piece<'r>(
    scheme: &'r Scheme,
    part: &'r Part,
    request: &Request<'r>,
    secrets: &'r Secrets,
    url: &Cow<'r, str>,
    timestamp: Option<&Cow<'r, [u8]>>,
) -> Result<Cow<'r, [u8]>, Refusal> {
    let missing = |what: &str| Refusal::Missing { place: what.to_owned() };
    Ok(match part {
        Part::Text(text) => Cow::Borrowed(text.as_bytes()),
        Part::Body => Cow::Borrowed(request.body),
        Part::BodyCrc32 => Cow::Owned(crc32fast::hash(request.body).to_string().into_bytes()),
        Part::Timestamp => match (timestamp, &scheme.timestamp) {
            (Some(text), _) => text.clone(),
            (None, Some(timestamp)) => timestamp.at.one(request)?,
            (None, None) => return Err(missing("the timestamp of the scheme")),
        },
        Part::Id => match &scheme.id {
            Some(id) => id.one(request)?,
            None => return Err(missing("the id of the scheme")),
        },
        Part::Method => Cow::Borrowed(request.method.as_bytes()),
        Part::Url => match url {
            Cow::Borrowed(url) => Cow::Borrowed(url.as_bytes()),
            Cow::Owned(url) => Cow::Owned(url.clone().into_bytes()),
        },
        Part::Form => Cow::Owned(request.form().ok_or(Refusal::BodyNotCovered)?.into_bytes()),
        Part::Path => Cow::Borrowed(request.path().ok_or_else(|| missing("the path of the URL"))?.as_bytes()),
        Part::HeaderNames | Part::NamedHeaders => match (&scheme.headers, part) {
            (Some(headers), Part::HeaderNames) => headers.at.one(request)?,
            (Some(headers), _) => Cow::Owned(headers.text(request)?),
            (None, _) => return Err(missing("the headers of the scheme")),
        },
        Part::Header(name) => Cow::Borrowed(request.header(name)?),
        Part::Json(pointer) => field(request, pointer)?,
        Part::JsonEscaped(pointer) => Cow::Owned(escaped(&field(request, pointer)?)),
        Part::Query(name) => request.query(name).ok_or_else(|| missing(&format!("{name} of the query")))?,
        Part::Setting(name) => {
            let value = secrets.get_setting(name).ok_or_else(|| Refusal::NoSetting { name: name.clone() })?;
            Cow::Borrowed(value.as_bytes())
        }
        Part::Optional(parts) => {
            let pieces = parts.iter().map(|part| piece(scheme, part, request, secrets, url, timestamp));
            match pieces.collect::<Result<Content<'_>, _>>() {
                Ok(pieces) => Cow::Owned(pieces.concat()),
                Err(Refusal::Missing { .. }) if !parts.iter().any(|part| is_unclear(part, request)) => {
                    Cow::default()
                }
                Err(refusal) => return Err(refusal),
            }
        }
    })
}

fn field<'r>(request: &Request<'r>, pointer: &str) -> Result<Cow<'r, [u8]>, Refusal> {
    let found = json::find(request.body, pointer).map(json::Scalar::into_text);
    found.ok_or_else(|| Refusal::Missing { place: format!("{pointer} of the body") })
}

/// With a backslash before each backslash and colon, so that joined fields can be told apart.
fn escaped(text: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        if matches!(byte, b'\\' | b':') {
            escaped.push(b'\\');
        }
        escaped.push(*byte);
    }
    escaped
}

/// Whether something stands there that one reader would take for a value and another not: leaving it out would take a request whose sender added it.
fn is_unclear(part: &Part, request: &Request<'_>) -> bool {
    matches!(part, Part::Json(pointer) | Part::JsonEscaped(pointer) if matches!(json::look(request.body, pointer), Found::Unclear))
}
