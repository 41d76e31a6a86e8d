//! Time for one attempt.

use std::task::{self, Poll};

use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout_at};
use tower::{Layer, Service};

use crate::{Context, Error, Kind, Request, Response};

/// Bounds one attempt by [`Context::attempt_timeout`], or by the deadline of the call if that comes first: see [the module](super).
#[derive(Debug, Clone, Copy, Default)]
pub struct AttemptTimeoutLayer;

impl<S> Layer<S> for AttemptTimeoutLayer {
    type Service = AttemptTimeout<S>;

    fn layer(&self, inner: S) -> AttemptTimeout<S> {
        AttemptTimeout { inner }
    }
}

/// The service of [`AttemptTimeoutLayer`].
#[derive(Debug, Clone)]
pub struct AttemptTimeout<S> {
    inner: S,
}

impl<S> Service<Request> for AttemptTimeout<S>
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
        let own = Instant::now().checked_add(context.attempt_timeout);
        let end = own.into_iter().chain(context.deadline).min();
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let response = self.inner.call(request);
        Box::pin(async move {
            let Some(end) = end else {
                return response.await.map_err(Into::into);
            };
            let message = match timeout_at(end, response).await {
                Ok(result) => return result.map_err(Into::into),
                Err(_) if Some(end) == own => {
                    format!("no answer within the {:?} that an attempt may take", context.attempt_timeout)
                }
                Err(_) => "no answer by the deadline of the call".to_owned(),
            };
            Err(Error::new(Kind::Timeout, message).on(&method, &uri))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tower::{ServiceBuilder, ServiceExt as _, service_fn};

    use super::*;
    use crate::{Body, Evidence};

    const SECOND: Duration = Duration::from_secs(1);

    async fn attempt(takes: Duration, context: Context) -> Result<Response, Error> {
        let mut request = Request::default();
        request.extensions_mut().insert(context);
        ServiceBuilder::new()
            .layer(AttemptTimeoutLayer)
            .service(service_fn(move |_| async move {
                tokio::time::sleep(takes).await;
                Ok::<_, Error>(Response::new(Body::Empty))
            }))
            .oneshot(request)
            .await
    }

    fn within(timeout: Duration) -> Context {
        Context { attempt_timeout: timeout, ..Context::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_is_answered_in_time_is_left_alone() {
        assert!(attempt(SECOND, within(2 * SECOND)).await.is_ok());
        assert!(attempt(SECOND, within(Duration::MAX)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_attempt_did_that_was_cut_off_is_unknown() {
        let error = attempt(3 * SECOND, within(2 * SECOND)).await.unwrap_err();
        assert_eq!((error.kind(), error.evidence()), (Kind::Timeout, Evidence::Unknown));
        assert_eq!(error.to_string(), "no answer within the 2s that an attempt may take");
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_ends_with_the_call() {
        let start = Instant::now();
        let context = Context { deadline: Some(start + SECOND), ..within(5 * SECOND) };
        let error = attempt(3 * SECOND, context).await.unwrap_err();
        assert_eq!(start.elapsed(), SECOND);
        assert_eq!(error.to_string(), "no answer by the deadline of the call");
    }
}
