//! Follows redirects where that is safe: GET and HEAD, on the same origin.
//!
//! The layer stands outside limits and auth, so that each hop waits its turn and is signed for what it asks. Anything else that redirects,
//! to another origin or an answer to a POST, comes back as it is; [`check`](crate::check) makes an error of it that names the target.

use std::task::{self, Poll};

use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use tower::{Layer, Service, ServiceExt as _};
use url::Url;

use crate::{Body, Context, Error, Kind, Request, Response};

/// Redirects followed in one attempt before it fails.
pub const MAX_REDIRECTS: usize = 10;

/// Follows redirects: see [the module](self).
#[derive(Debug, Clone, Copy, Default)]
pub struct RedirectLayer;

impl<S> Layer<S> for RedirectLayer {
    type Service = Redirect<S>;

    fn layer(&self, inner: S) -> Redirect<S> {
        Redirect { inner }
    }
}

/// The service of [`RedirectLayer`].
#[derive(Debug, Clone)]
pub struct Redirect<S> {
    inner: S,
}

impl<S> Service<Request> for Redirect<S>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Error: Into<Error>,
    S::Future: Send,
{
    type Response = Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response, Error>>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let mut next_inner = self.inner.clone();
        std::mem::swap(&mut self.inner, &mut next_inner);
        Box::pin(follow(next_inner, request))
    }
}

async fn follow<S>(mut inner: S, request: Request) -> Result<Response, Error>
where
    S: Service<Request, Response = Response>,
    S::Error: Into<Error>,
{
    if !matches!(*request.method(), Method::GET | Method::HEAD)
        || request.body().as_bytes().is_none_or(|b| !b.is_empty())
    {
        return inner.call(request).await.map_err(Into::into);
    }
    let context = Context::of(&request);
    let (mut parts, _) = request.into_parts();
    for _ in 0..=MAX_REDIRECTS {
        let response =
            inner.call(Request::from_parts(parts.clone(), Body::Empty)).await.map_err(Into::into)?;
        match target(&parts.uri, response.status(), response.headers()) {
            Some(next) => parts.uri = next,
            None => return Ok(response),
        }
        inner.ready().await.map_err(Into::into)?;
    }
    let error = Error::new(Kind::Status, format!("more than {MAX_REDIRECTS} redirects"))
        .advise("the server sends the request in circles: check the URL");
    Err(match context.operation {
        Some(operation) => error.during(&*operation),
        None => error,
    }
    .on(&parts.method, &parts.uri))
}

/// Where to go next, if the answer is a redirect that may be followed.
fn target(from: &Uri, status: StatusCode, headers: &HeaderMap) -> Option<Uri> {
    let redirects = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    if !redirects.contains(&status) {
        return None;
    }
    let from: Url = from.to_string().parse().ok()?;
    let next = from.join(headers.get(header::LOCATION)?.to_str().ok()?).ok()?;
    (next.origin() == from.origin()).then(|| next.as_str().parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn go(from: &str, status: u16, location: &'static str) -> Option<String> {
        let headers = HeaderMap::from_iter([(header::LOCATION, http::HeaderValue::from_static(location))]);
        let status = StatusCode::from_u16(status).expect("valid");
        target(&from.parse().expect("valid"), status, &headers).map(|uri| uri.to_string())
    }

    #[test]
    fn a_redirect_is_followed_on_the_same_origin_only() {
        let from = "https://api.example.com/a/b";
        assert_eq!(go(from, 302, "../c?x=1").as_deref(), Some("https://api.example.com/c?x=1"));
        assert_eq!(
            go(from, 308, "https://api.example.com:443/d").as_deref(),
            Some("https://api.example.com/d")
        );
        for other in [
            "https://evil.example/",
            "http://api.example.com/",
            "//evil.example/x",
            "https://api.example.com:8443/",
        ] {
            assert_eq!(go(from, 302, other), None, "{other}");
        }
        assert_eq!(go(from, 304, "/c"), None);
    }

    #[tokio::test]
    async fn a_circle_of_redirects_is_an_error() {
        let circle = tower::service_fn(|_: Request| async {
            let mut response = Response::new(Body::Empty);
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert(header::LOCATION, http::HeaderValue::from_static("/again"));
            Ok::<_, Error>(response)
        });
        let request = http::Request::get("https://api.example.com/again").body(Body::Empty).expect("valid");
        let error = RedirectLayer.layer(circle).oneshot(request).await.expect_err("no way out");
        assert_eq!(error.to_string(), "more than 10 redirects");
    }
}
