//! Webhooks as text, so that a fuzzer can write them.

use nuncio_webhook::scheme::{Place, Scheme};
use nuncio_webhook::{Outgoing, Provider, Request, Secrets, provider, sign};

use crate::{SECRET, now};

/// Base64 that is text as well, so that it is a key of every scheme with a shared secret.
pub const KEY: &str = "bWFkZS11cC1zZWNyZXQtb2YtMzItYnl0ZXMtLS0tLS0=";

/// A secret that every scheme can use, and one that only some can.
pub fn secrets() -> Secrets {
    Secrets::new()
        .setting("app_key", "made-up-key")
        .setting("verify_token", "made-up-token")
        .with("current", KEY)
        .with("other", SECRET)
}

/// A request as text: `PROVIDER METHOD URL`, lines of headers, an empty line, the body.
///
/// An `@` in a header stands for what [`sign`] puts into the header of that name, so that a fuzzer that knows no HMAC gets past one.
pub struct Input<'i> {
    pub provider: &'static Provider,
    pub method: &'i str,
    pub url: &'i str,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: &'i [u8],
    /// What was signed for `@`.
    pub made: Vec<(String, String)>,
}

impl<'i> Input<'i> {
    pub fn read(data: &'i [u8]) -> Option<Self> {
        let (line, rest) = crate::first_line(data);
        let mut words = std::str::from_utf8(line).ok()?.splitn(3, ' ');
        let (provider, method, url) = (provider(words.next()?)?, words.next()?, words.next()?);
        let (lines, body) = match rest.windows(2).position(|pair| pair == b"\n\n") {
            Some(end) => (&rest[..end], &rest[end + 2..]),
            None => (rest, &rest[..0]),
        };
        let outgoing = Outgoing { id: "msg_1", signed_at: now(), method, url, body, content_type: None };
        let made = sign(&provider.scheme, &outgoing, &secrets()).unwrap_or_default();
        let headers = headers(lines, &made);
        Some(Self { provider, method, url, headers, body, made })
    }

    pub fn scheme(&self) -> &'static Scheme {
        &self.provider.scheme
    }

    pub fn request(&self) -> Request<'_> {
        Request { method: self.method, url: self.url, headers: &self.headers, body: self.body }
    }

    /// The signatures that were made for `@`, without what stands around them.
    pub fn signatures(&self) -> Vec<&str> {
        let of = |place: &Place| {
            let Place::Header(place) = place else { return Vec::new() };
            let is_of = |name: &String| {
                place.names.iter().any(|other| other == name || format!("{other}-1") == *name)
            };
            let named = self.made.iter().filter(|(name, _)| is_of(name));
            let items = named.flat_map(|(_, value)| match place.list {
                Some(separator) => value.split(char::from(separator)).collect(),
                None => vec![value.as_str()],
            });
            items.filter_map(|item| item.strip_prefix(&*place.prefix)).collect()
        };
        self.scheme().signatures.iter().flat_map(|signature| of(&signature.at)).collect()
    }
}

/// Lines of the form `name: value`, of any bytes.
pub fn headers(lines: &[u8], made: &[(String, String)]) -> Vec<(String, Vec<u8>)> {
    let read = |line: &[u8]| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = std::str::from_utf8(&line[..colon]).ok()?.to_owned();
        let value = line[colon + 1..].strip_prefix(b" ").unwrap_or(&line[colon + 1..]);
        let made = made.iter().find(|(other, _)| other.eq_ignore_ascii_case(&name));
        let made = made.map_or(&b""[..], |(_, value)| value.as_bytes());
        Some((name, value.split(|byte| *byte == b'@').collect::<Vec<_>>().join(made)))
    };
    lines.split(|byte| *byte == b'\n').filter_map(read).collect()
}
