//! Time for a whole call.

use std::task::{self, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout_at};
use tower::{Layer, Service};

use crate::{Context, Error, Kind, Request, Response};

/// An extension of a request: the time for this call, in place of the layer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallDeadline(pub Duration);

/// Bounds everything inside of it, attempts and waits alike: see [the module](super).
#[derive(Debug, Clone, Copy)]
pub struct DeadlineLayer {
    allowed: Duration,
}

impl DeadlineLayer {
    /// A layer that gives each call `allowed` from the moment it is made, unless a layer around it allows less or the request brings a
    /// [`CallDeadline`].
    #[must_use]
    pub fn new(allowed: Duration) -> Self {
        Self { allowed }
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = Deadline<S>;

    fn layer(&self, inner: S) -> Deadline<S> {
        Deadline { inner, allowed: self.allowed }
    }
}

/// The service of [`DeadlineLayer`].
#[derive(Debug, Clone)]
pub struct Deadline<S> {
    inner: S,
    allowed: Duration,
}

impl<S> Service<Request> for Deadline<S>
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

    fn call(&mut self, mut request: Request) -> Self::Future {
        let mut context = Context::of(&request);
        let allowed = request.extensions().get().map_or(self.allowed, |CallDeadline(allowed)| *allowed);
        let start = Instant::now();
        let own = start.checked_add(allowed);
        let deadline = own.into_iter().chain(context.deadline).min();
        context.deadline = deadline;
        request.extensions_mut().insert(context.clone());
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let response = self.inner.call(request);
        Box::pin(async move {
            let Some(deadline) = deadline else {
                return response.await.map_err(Into::into);
            };
            match timeout_at(deadline, response).await {
                Ok(result) => result.map_err(Into::into),
                Err(_) => {
                    let error = passed(deadline.saturating_duration_since(start));
                    Err(error.on(&method, &uri).after(context.history))
                }
            }
        })
    }
}

fn passed(allowed: Duration) -> Error {
    Error::new(Kind::Timeout, format!("the call was not over by its deadline, {allowed:?} after it began"))
        .advise("allow more time for the whole call")
}

#[cfg(test)]
mod tests {
    use tower::{ServiceBuilder, ServiceExt as _, service_fn};

    use super::*;
    use crate::{Attempt, Body, Evidence};

    const SECOND: Duration = Duration::from_secs(1);

    async fn wait_for(time: Duration, request: Request) -> Result<Response, Error> {
        Context::of(&request).history.push(Attempt::new(
            None,
            Some(Kind::Connect),
            Evidence::Unknown,
            SECOND,
        ));
        tokio::time::sleep(time).await;
        Ok(Response::new(Body::Empty))
    }

    async fn call(allowed: Duration, takes: Duration, request: Request) -> Result<Response, Error> {
        ServiceBuilder::new()
            .layer(DeadlineLayer::new(allowed))
            .service(service_fn(move |request| wait_for(takes, request)))
            .oneshot(request)
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_over_in_time_is_left_alone() {
        assert!(call(2 * SECOND, SECOND, Request::default()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_passes_names_itself_and_what_was_tried() {
        let start = Instant::now();
        let error = call(2 * SECOND, 3 * SECOND, Request::default()).await.unwrap_err();
        assert_eq!(start.elapsed(), 2 * SECOND);
        assert_eq!((error.kind(), error.method()), (Kind::Timeout, Some(&http::Method::GET)));
        assert_eq!(error.to_string(), "the call was not over by its deadline, 2s after it began");
        assert_eq!(error.history().summary().as_deref(), Some("1 attempt (connect)"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_request_may_bring_its_own() {
        let mut request = Request::default();
        request.extensions_mut().insert(CallDeadline(4 * SECOND));
        assert!(call(2 * SECOND, 3 * SECOND, request).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_earlier_deadline_of_a_layer_around_it_is_kept() {
        let stack = ServiceBuilder::new()
            .layer(DeadlineLayer::new(SECOND))
            .layer(DeadlineLayer::new(5 * SECOND))
            .service(service_fn(|request: Request| async move {
                assert_eq!(Context::of(&request).time_left(), Some(SECOND));
                wait_for(3 * SECOND, request).await
            }));
        assert_eq!(stack.oneshot(Request::default()).await.unwrap_err().kind(), Kind::Timeout);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_beyond_all_time_is_none() {
        let stack = ServiceBuilder::new().layer(DeadlineLayer::new(Duration::MAX)).service(service_fn(
            |request: Request| async move {
                assert_eq!(Context::of(&request).deadline, None);
                wait_for(SECOND, request).await
            },
        ));
        assert!(stack.oneshot(Request::default()).await.is_ok());
    }
}
