//! What is signed, as pieces of the request.

use std::borrow::Cow;

use crate::scheme::{Part, Scheme, Signature, UrlSpelling};
use crate::{Refusal, Request, Secrets, json};

/// What is signed, piece by piece: the body is never copied.
pub(crate) type Content<'r> = Vec<Cow<'r, [u8]>>;

/// What `signature` covers of `request`, once for each spelling of the URL.
pub(crate) fn contents<'r>(
    scheme: &Scheme,
    signature: &Signature,
    request: &Request<'r>,
    secrets: &Secrets,
) -> Result<Vec<Content<'r>>, Refusal> {
    let signs_url = signature.signed.parts().contains(&Part::Url);
    let urls = match signature.url {
        UrlSpelling::PortOptional if signs_url => request.spellings(),
        _ => vec![Cow::Borrowed(request.url)],
    };
    urls.into_iter()
        .map(|url| {
            let piece = |part| piece(scheme, part, request, secrets, &url);
            signature.signed.parts().iter().map(piece).collect()
        })
        .collect()
}

fn piece<'r>(
    scheme: &Scheme,
    part: &Part,
    request: &Request<'r>,
    secrets: &Secrets,
    url: &Cow<'r, str>,
) -> Result<Cow<'r, [u8]>, Refusal> {
    let missing = |what: &str| Refusal::Missing { place: what.to_owned() };
    Ok(match part {
        Part::Text(text) => Cow::Owned(text.clone().into_bytes()),
        Part::Body => Cow::Borrowed(request.body),
        Part::Timestamp => match &scheme.timestamp {
            Some(timestamp) => timestamp.at.one(request)?,
            None => return Err(missing("the timestamp of the scheme")),
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
        Part::Header(name) => match request.headers.values(name)[..] {
            [value] => Cow::Borrowed(value),
            [] => return Err(missing(&format!("the header {name}"))),
            _ => return Err(Refusal::Ambiguous { place: format!("the header {name}") }),
        },
        Part::Json(pointer) => json::find(request.body, pointer)
            .map(json::Scalar::into_text)
            .ok_or_else(|| missing(&format!("{pointer} of the body")))?,
        Part::Query(name) => request.query(name).ok_or_else(|| missing(&format!("{name} of the query")))?,
        Part::Setting(name) => {
            let value = secrets.get_setting(name).ok_or_else(|| Refusal::NoSetting { name: name.clone() })?;
            Cow::Owned(value.as_bytes().to_vec())
        }
    })
}
