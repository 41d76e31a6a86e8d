//! A webhook as it arrived.

use std::borrow::Cow;

use crate::Refusal;

/// A webhook as it arrived.
///
/// ```
/// use nuncio_webhook::Request;
///
/// let mut headers = http::HeaderMap::new();
/// headers.insert("X-Hub-Signature-256", "sha256=…".parse()?);
/// let request = Request { method: "POST", url: "https://hooks.example.test/in", headers: &headers, body: b"{}" };
/// assert_eq!(request.headers.values("x-hub-signature-256").len(), 1);
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[derive(Clone, Copy)]
pub struct Request<'r> {
    /// The method, in capitals.
    pub method: &'r str,
    /// The whole URL as the provider sees it: as it was configured there, with the query that it added, and not as a proxy rewrote it. Only some
    /// schemes read it.
    pub url: &'r str,
    /// The headers.
    pub headers: &'r dyn Headers,
    /// The body as it came over the wire, before anything parsed, decoded or trimmed it.
    pub body: &'r [u8],
}

/// Headers: names that do not distinguish case, and values as bytes. They can be read from several threads, so that a server may keep them while it waits.
pub trait Headers: Sync {
    /// The values of all headers of the name, in their order.
    fn values(&self, name: &str) -> Vec<&[u8]>;

    /// The first two of them: enough to read a header that may stand there once.
    fn first_two(&self, name: &str) -> [Option<&[u8]>; 2] {
        let values = self.values(name);
        [values.first().copied(), values.get(1).copied()]
    }
}

impl Headers for http::HeaderMap {
    fn values(&self, name: &str) -> Vec<&[u8]> {
        self.get_all(name).iter().map(http::HeaderValue::as_bytes).collect()
    }

    fn first_two(&self, name: &str) -> [Option<&[u8]>; 2] {
        let mut values = self.get_all(name).iter().map(http::HeaderValue::as_bytes);
        [values.next(), values.next()]
    }
}

impl<N: AsRef<str> + Sync, V: AsRef<[u8]> + Sync> Headers for Vec<(N, V)> {
    fn values(&self, name: &str) -> Vec<&[u8]> {
        let named = |(other, _): &&(N, V)| other.as_ref().eq_ignore_ascii_case(name);
        self.iter().filter(named).map(|(_, value)| value.as_ref()).collect()
    }
}

impl<'r> Request<'r> {
    /// The value of a header that stands there once.
    pub(crate) fn header(&self, name: &str) -> Result<&'r [u8], Refusal> {
        match self.headers.first_two(name) {
            [Some(value), None] => Ok(value),
            [None, _] => Err(Refusal::Missing { place: format!("the header {name}") }),
            _ => Err(Refusal::Ambiguous { place: format!("the header {name}") }),
        }
    }

    /// What follows the authority of the URL: path and query.
    pub(crate) fn path(&self) -> Option<&'r str> {
        let (_, rest) = self.url.split_once("://")?;
        let path = &rest[rest.find(['/', '?', '#'])?..];
        path.starts_with('/').then_some(path)
    }

    /// The first value of `name` in the query.
    pub(crate) fn query(&self, name: &str) -> Option<Cow<'r, [u8]>> {
        let (_, query) = self.url.split_once('?')?;
        let query = query.split_once('#').map_or(query, |(query, _)| query);
        form_urlencoded::parse(query.as_bytes()).find(|(other, _)| other == name).map(
            |(_, value)| match value {
                Cow::Borrowed(value) => Cow::Borrowed(value.as_bytes()),
                Cow::Owned(value) => Cow::Owned(value.into_bytes()),
            },
        )
    }

    /// The pairs of the form, as [`Part::Form`](crate::scheme::Part::Form) says. `None` when the body is no form.
    pub(crate) fn form(&self) -> Option<String> {
        if self.body.is_empty() {
            return Some(String::new());
        }
        let types = self.headers.values("content-type");
        let media = types.first()?.split(|byte| *byte == b';').next()?.trim_ascii();
        if !media.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
            return None;
        }
        let mut pairs: Vec<_> = form_urlencoded::parse(self.body).collect();
        pairs.sort_unstable();
        pairs.dedup();
        Some(pairs.iter().flat_map(|(name, value)| [name.as_ref(), value.as_ref()]).collect())
    }

    /// The URL with and without its port, the given spelling first.
    pub(crate) fn spellings(&self) -> Vec<Cow<'r, str>> {
        let mut all = vec![Cow::Borrowed(self.url)];
        let Some((scheme, rest)) = self.url.split_once("://") else { return all };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let host = authority.rfind('@').map_or(0, |at| at + 1);
        let colon = authority[host..].rfind(':').map(|at| host + at);
        // The colons of an IPv6 address stand within brackets.
        let colon = colon.filter(|at| !authority[*at..].contains(']'));
        match (colon, scheme) {
            (Some(at), _) => all.push(Cow::Owned(format!("{scheme}://{}{tail}", &authority[..at]))),
            (None, "https") => all.push(Cow::Owned(format!("{scheme}://{authority}:443{tail}"))),
            (None, "http") => all.push(Cow::Owned(format!("{scheme}://{authority}:80{tail}"))),
            (None, _) => {}
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'r>(url: &'r str, headers: &'r dyn Headers, body: &'r [u8]) -> Request<'r> {
        Request { method: "POST", url, headers, body }
    }

    #[test]
    fn a_url_is_also_spelled_with_or_without_its_port() {
        let none: Vec<(&str, &str)> = Vec::new();
        for (url, other) in [
            ("https://a.test/x?y", Some("https://a.test:443/x?y")),
            ("http://u:p@a.test", Some("http://u:p@a.test:80")),
            ("https://a.test:8443/x", Some("https://a.test/x")),
            ("https://[2001:db8::1]/x", Some("https://[2001:db8::1]:443/x")),
            ("https://[2001:db8::1]:443/x", Some("https://[2001:db8::1]/x")),
            ("wss://a.test/", None),
            ("no url", None),
        ] {
            assert_eq!(request(url, &none, b"").spellings().get(1).map(AsRef::as_ref), other, "{url}");
        }
    }

    #[test]
    fn a_form_is_sorted_and_each_pair_counts_once() {
        let headers = vec![("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")];
        let form = |body: &[u8]| request("", &headers, body).form();
        assert_eq!(form(b"b=2&a=%2B+&B=1&b=1&b=2").as_deref(), Some("B1a+ b1b2"));
        let json = vec![("Content-Type", "application/json")];
        assert_eq!(request("", &json, b"a=1").form(), None);
        assert_eq!(request("", &json, b"").form().as_deref(), Some(""));
    }
}
