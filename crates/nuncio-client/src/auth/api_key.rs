//! One secret in one place of the request.

use std::sync::OnceLock;

use futures_util::future::BoxFuture;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{Authenticate, Exchange, empty_credential};
use crate::redact::BLANK;
use crate::{BoxError, Error, Request, Secret};

/// A key in a header, in the query or in a cookie.
///
/// ```
/// use http::HeaderName;
/// use nuncio_client::auth::{ApiKey, Auth};
///
/// let key = ApiKey::header(HeaderName::from_static("authorization"), "made-up-key".into()).prefix("Token ");
/// let mut request = http::Request::new(nuncio_client::Body::Empty);
/// Auth::api_key(key).preview(&mut request)?;
/// assert_eq!(request.headers()["authorization"], "Token ***");
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ApiKey {
    place: Place,
    prefix: String,
    key: Secret,
    /// The value of the header, once it was sent.
    sent: OnceLock<HeaderValue>,
}

#[derive(Debug, Clone)]
enum Place {
    Header(HeaderName),
    Query(String),
    Cookie(String),
}

impl ApiKey {
    /// Sent as the header `name`, which replaces one of that name, with the value marked sensitive.
    #[must_use]
    pub fn header(name: HeaderName, key: Secret) -> Self {
        Self::new(Place::Header(name), key)
    }

    /// Sent as the query parameter `name`, which replaces those of that name: a next link often brings the key of the last page.
    ///
    /// Prefer a header where the service allows it: URLs end up in the logs of servers and proxies.
    #[must_use]
    pub fn query(name: impl Into<String>, key: Secret) -> Self {
        Self::new(Place::Query(name.into()), key)
    }

    /// Sent as the cookie `name`, after the cookies that the request has.
    #[must_use]
    pub fn cookie(name: impl Into<String>, key: Secret) -> Self {
        Self::new(Place::Cookie(name.into()), key)
    }

    /// Puts `prefix` before the key, its trailing space included. Default: nothing.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self.sent = OnceLock::new();
        self
    }

    fn new(place: Place, key: Secret) -> Self {
        Self { place, prefix: String::new(), key, sent: OnceLock::new() }
    }

    fn value(&self) -> Result<HeaderValue, Error> {
        if let Some(value) = self.sent.get() {
            return Ok(value.clone());
        }
        if self.key.expose().is_empty() {
            return Err(empty_credential());
        }
        let value = self.key.header(&self.prefix)?;
        Ok(self.sent.get_or_init(|| value).clone())
    }

    fn put(&self, key: &Secret, request: &mut Request) -> Result<(), Error> {
        if key.expose().is_empty() {
            return Err(empty_credential());
        }
        match &self.place {
            Place::Header(name) => {
                request.headers_mut().insert(name, key.header(&self.prefix)?);
            }
            Place::Query(name) => {
                let value = format!("{}{}", self.prefix, key.expose());
                *request.uri_mut() = with_parameter(request.uri(), name, &value)?;
            }
            Place::Cookie(name) => {
                let cookie = key.header(&format!("{name}={}", self.prefix))?;
                let cookies = with_cookie(request.headers(), &cookie)?;
                request.headers_mut().insert(header::COOKIE, cookies);
            }
        }
        Ok(())
    }
}

impl Authenticate for ApiKey {
    fn authenticate<'a>(
        &'a self,
        mut request: Request,
        _: &'a Exchange,
    ) -> BoxFuture<'a, Result<Request, Error>> {
        Box::pin(async move {
            match &self.place {
                Place::Header(name) => {
                    request.headers_mut().insert(name, self.value()?);
                }
                Place::Query(_) | Place::Cookie(_) => self.put(&self.key, &mut request)?,
            }
            Ok(request)
        })
    }

    fn can_renew(&self) -> bool {
        false
    }

    fn preview(&self, request: &mut Request) -> Result<(), Error> {
        self.put(&BLANK.into(), request)
    }
}

/// `uri` with the parameter `name` once, at the end. The others stay as they are written: something may have signed them.
fn with_parameter(uri: &Uri, name: &str, value: &str) -> Result<Uri, Error> {
    let is_named = |pair: &str| form_urlencoded::parse(pair.as_bytes()).any(|(key, _)| key == name);
    let own = form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
    let mut query: Vec<&str> = uri.query().unwrap_or_default().split('&').collect();
    query.retain(|pair| !pair.is_empty() && !is_named(pair));
    query.push(&own);

    let mut parts = uri.clone().into_parts();
    let target = format!("{}?{}", uri.path(), query.join("&"));
    parts.path_and_query = Some(PathAndQuery::try_from(target).map_err(too_long)?);
    Uri::from_parts(parts).map_err(too_long)
}

fn too_long(error: impl Into<BoxError>) -> Error {
    Error::configuration("the URL is too long with the API key in its query").because(error)
}

fn with_cookie(headers: &HeaderMap, own: &HeaderValue) -> Result<HeaderValue, Error> {
    if own.as_bytes().contains(&b';') {
        return Err(Error::configuration("a cookie cannot carry a key with a semicolon"));
    }
    let all: Vec<&[u8]> =
        headers.get_all(header::COOKIE).iter().chain([own]).map(HeaderValue::as_bytes).collect();
    let mut value = HeaderValue::from_bytes(&all.join(&b"; "[..])).expect("each part was a header value");
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use crate::auth::Auth;
    use crate::auth::testing::{get, no_exchange, signed};

    const URL: &str = "https://api.example.com/v1/items";

    async fn uri(key: ApiKey, url: &str) -> String {
        signed(Auth::api_key(key), get(url)).await.unwrap().uri().to_string()
    }

    async fn refusal(key: ApiKey) -> Error {
        signed(Auth::api_key(key), get(URL)).await.unwrap_err()
    }

    fn in_header(key: &str) -> ApiKey {
        ApiKey::header(HeaderName::from_static("x-api-key"), key.into())
    }

    #[tokio::test]
    async fn a_copy_with_another_prefix_sends_that_one() {
        let plain = in_header("made-up-key");
        let sent = async |key: &ApiKey| {
            key.authenticate(get(URL), &no_exchange()).await.unwrap().headers()["x-api-key"].clone()
        };
        assert_eq!(sent(&plain).await, "made-up-key");
        assert_eq!(sent(&plain).await, "made-up-key");
        assert_eq!(sent(&plain.clone().prefix("Token ")).await, "Token made-up-key");
    }

    #[tokio::test]
    async fn a_key_in_a_header_is_sensitive_and_replaces_what_was_there() {
        let mut request = get(URL);
        request.headers_mut().insert("x-api-key", HeaderValue::from_static("made-up-old"));
        let request =
            signed(Auth::api_key(in_header("made-up-api-key").prefix("Key ")), request).await.unwrap();
        let values: Vec<_> = request.headers().get_all("x-api-key").iter().collect();
        assert_eq!(values, ["Key made-up-api-key"]);
        assert!(values[0].is_sensitive());
    }

    #[tokio::test]
    async fn a_key_in_the_query_is_encoded_and_leaves_the_rest_as_written() {
        let key = || ApiKey::query("api key", "made-up-api-key&=ü".into());
        assert_eq!(uri(key(), URL).await, format!("{URL}?api+key=made-up-api-key%26%3D%C3%BC"));
        assert_eq!(
            uri(key(), &format!("{URL}?a=b%2fc&a=+d&")).await,
            format!("{URL}?a=b%2fc&a=+d&api+key=made-up-api-key%26%3D%C3%BC"),
        );
    }

    #[tokio::test]
    async fn a_key_that_a_next_link_brings_is_not_sent_twice() {
        let key = ApiKey::query("api_key", "made-up-new".into());
        let next = format!("{URL}?api%5Fkey=made-up-old&page=2");
        assert_eq!(uri(key, &next).await, format!("{URL}?page=2&api_key=made-up-new"));
    }

    #[tokio::test]
    async fn a_key_in_a_cookie_joins_the_cookies_that_are_there() {
        let mut request = get(URL);
        request.headers_mut().append(header::COOKIE, HeaderValue::from_static("a=1"));
        request.headers_mut().append(header::COOKIE, HeaderValue::from_static("b=2; c=3"));
        let key = ApiKey::cookie("session", "made-up-api-key".into());
        let request = signed(Auth::api_key(key), request).await.unwrap();
        let values: Vec<_> = request.headers().get_all(header::COOKIE).iter().collect();
        assert_eq!(values, ["a=1; b=2; c=3; session=made-up-api-key"]);
        assert!(values[0].is_sensitive());
    }

    #[tokio::test]
    async fn an_empty_key_is_refused_before_anything_is_sent() {
        for key in [in_header(""), ApiKey::query("key", "".into()), ApiKey::cookie("key", "".into())] {
            let error = refusal(key).await;
            assert_eq!(
                (error.kind(), error.to_string().as_str()),
                (Kind::Configuration, "the credential is empty")
            );
        }
    }

    #[tokio::test]
    async fn a_key_that_its_place_cannot_carry_is_refused_without_showing_it() {
        for key in [in_header("made-up-api-key\n"), ApiKey::cookie("key", "made-up-api-key; admin=1".into())]
        {
            let error = refusal(key).await;
            assert_eq!(error.kind(), Kind::Configuration);
            assert!(!error.report().contains("made-up"), "{}", error.report());
        }
    }

    #[test]
    fn a_preview_shows_the_place_and_not_the_key() {
        let preview = |key: ApiKey| {
            let mut request = get(URL);
            Auth::api_key(key).preview(&mut request).unwrap();
            request
        };
        assert_eq!(preview(in_header("made-up-api-key").prefix("Key ")).headers()["x-api-key"], "Key ***");
        assert_eq!(preview(ApiKey::query("key", "made-up-api-key".into())).uri(), &*format!("{URL}?key=***"));
        assert_eq!(preview(ApiKey::cookie("key", "made-up-api-key".into())).headers()["cookie"], "key=***");
    }
}
