//! The tower layer.

use std::sync::Arc;
use std::task::{self, Poll};

use futures_util::future::BoxFuture;
use tower::{Layer, Service};

use super::Checks;
use super::notice::Notices;
use crate::auth::{ClockSkew, Renewed};
use crate::{Answer, Body, Context, Error, Event, Request, Response};

/// Turns failed answers into errors: see [the module](super).
#[derive(Debug, Clone, Default)]
pub struct CheckLayer {
    checks: Arc<Checks>,
    notices: Notices,
}

impl CheckLayer {
    /// A layer that applies `checks` to requests that bring none of their own.
    #[must_use]
    pub fn new(checks: Checks) -> Self {
        Self { checks: Arc::new(checks), notices: Notices::default() }
    }
}

impl<S> Layer<S> for CheckLayer {
    type Service = Check<S>;

    fn layer(&self, inner: S) -> Check<S> {
        Check { inner, layer: Arc::new(self.clone()) }
    }
}

/// The service of [`CheckLayer`].
#[derive(Debug, Clone)]
pub struct Check<S> {
    inner: S,
    layer: Arc<CheckLayer>,
}

impl<S> Service<Request> for Check<S>
where
    S: Service<Request, Response = Response>,
    S::Error: Into<Error>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response, Error>>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let context = Context::of(&request);
        let checks = request.extensions().get().unwrap_or(&self.layer.checks).clone();
        let notices = self.layer.notices.clone();
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let response = self.inner.call(request);
        Box::pin(async move {
            let (mut parts, body) = response.await.map_err(Into::into)?.into_parts();
            let operation = || {
                context.operation.as_deref().map_or_else(|| format!("{method} {}", uri.path()), str::to_owned)
            };
            if let Some(notice) = notices.of(operation, &parts.headers) {
                context.observer.notify(&Event::Warning { message: &notice });
            }
            // A success that is being streamed: only its head can be judged, and it is good.
            if body.as_bytes().is_none() && parts.status.is_success() {
                return Ok(Response::from_parts(parts, body));
            }
            let bytes = body.collect(usize::MAX).await?;
            let mut answer = Answer::new(parts.status, std::mem::take(&mut parts.headers), bytes);
            answer.credentials_renewed = parts.extensions.get::<Renewed>().is_some();
            let answer = checks
                .inspect_with(answer, |message| context.observer.notify(&Event::Warning { message }))
                .map_err(|error| match parts.extensions.get::<ClockSkew>() {
                    Some(skew) => error.noting(skew),
                    None => error,
                })
                .map_err(|error| error.on(&method, &uri))?;
            parts.headers = answer.headers;
            Ok(Response::from_parts(parts, Body::from(answer.body)))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;
    use tower::{ServiceExt as _, service_fn};

    use super::*;
    use crate::auth::{Auth, AuthLayer, Exchange};
    use crate::{Clock, Random};

    #[tokio::test]
    async fn a_refusal_tells_that_the_clocks_differ() {
        let wire = service_fn(|_: Request| async {
            let mut response = Response::new(Body::Empty);
            *response.status_mut() = StatusCode::FORBIDDEN;
            let date = http::HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT");
            response.headers_mut().insert(http::header::DATE, date);
            Ok::<_, Error>(response)
        });
        let clock = Clock::fixed(std::time::UNIX_EPOCH + Duration::from_secs(900));
        let auth = AuthLayer::new(
            Auth::bearer("made-up-bearer".into()),
            Exchange::new(wire, clock, Random::seeded(7)),
        );
        let service = CheckLayer::new(Checks::new()).layer(auth.layer(wire));
        let request = http::Request::get("https://api.example.com/").body(Body::Empty).expect("a request");
        let error = service.oneshot(request).await.expect_err("it is refused");
        let told = error.to_string();
        assert!(
            told.ends_with("; this machine's clock is 900 s ahead of the server's, by its Date header"),
            "{told}"
        );
    }
}
