//! The layer that asks a scheme for every attempt.

use std::sync::Arc;
use std::task::{self, Poll};

use futures_util::future::BoxFuture;
use http::StatusCode;
use tower::{Layer, Service};

use super::{Auth, ClockSkew, Exchange, Refusal};
use crate::{Context, Error, Request, Response};

/// An extension of a 401: the credentials that were refused are gone, and another attempt will carry new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewed;

/// Puts credentials on each attempt that passes. Stands inside retry and limit, next to the wire.
///
/// ```
/// use nuncio_client::auth::{Auth, AuthLayer, Exchange};
/// use nuncio_client::{Body, Clock, Error, Random, Request, Response};
/// use tower::{ServiceBuilder, ServiceExt as _, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// let wire = service_fn(|request: Request| async move {
///     assert_eq!(request.headers()["authorization"], "Bearer made-up-token");
///     Ok::<_, Error>(Response::new(Body::Empty))
/// });
/// let exchange = Exchange::new(wire, Clock::system(), Random::new());
/// let stack = ServiceBuilder::new()
///     .layer(AuthLayer::new(Auth::bearer("made-up-token".into()), exchange))
///     .service(wire);
/// stack.oneshot(Request::new(Body::Empty)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct AuthLayer {
    auth: Auth,
    exchange: Exchange,
}

impl AuthLayer {
    /// A layer for `auth`, which gets its credentials through `exchange`.
    #[must_use]
    pub fn new(auth: Auth, exchange: Exchange) -> Self {
        Self { auth, exchange }
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = Authenticated<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Authenticated { inner, layer: Arc::new(self.clone()) }
    }
}

/// The service of [`AuthLayer`].
#[derive(Debug, Clone)]
pub struct Authenticated<S> {
    inner: S,
    layer: Arc<AuthLayer>,
}

impl<S> Service<Request> for Authenticated<S>
where
    S: Service<Request, Response = Response, Error = Error> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response, Error>>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The clone is not ready; the one that was polled is.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(attempt(Arc::clone(&self.layer), inner, request))
    }
}

async fn attempt<S>(layer: Arc<AuthLayer>, mut inner: S, request: Request) -> Result<Response, Error>
where
    S: Service<Request, Response = Response, Error = Error>,
{
    let Some(scheme) = request.extensions().get().unwrap_or(&layer.auth).0.clone() else {
        return inner.call(request).await;
    };
    let context = Context::of(&request);
    let request = scheme.authenticate(request, &layer.exchange).await?;
    let sent = scheme.can_renew().then(|| request.headers().clone());
    let mut response = inner.call(request).await?;
    if let Some(sent) = sent.filter(|_| response.status() == StatusCode::UNAUTHORIZED) {
        let refusal = Refusal { sent: &sent, answered: response.headers(), context: &context };
        if scheme.refused(&refusal) {
            response.extensions_mut().insert(Renewed);
        }
    } else {
        scheme.accepted(response.headers());
    }
    if matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        && let Some(skew) = ClockSkew::of(response.headers(), &layer.exchange.clock)
    {
        response.extensions_mut().insert(skew);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex};

    use http::HeaderValue;
    use tower::{ServiceExt as _, service_fn};

    use super::super::Authenticate;
    use super::super::testing::{answer, get, no_exchange, signed};
    use super::*;

    const URL: &str = "https://api.example.com/";

    /// Counts its attempts in a header and notes what it is told of a refusal.
    #[derive(Clone, Default)]
    struct Counting {
        can_renew: Arc<AtomicBool>,
        refused: Arc<Mutex<Vec<HeaderValue>>>,
    }

    impl Authenticate for Counting {
        fn authenticate<'a>(
            &'a self,
            mut request: Request,
            _: &'a Exchange,
        ) -> BoxFuture<'a, Result<Request, Error>> {
            request.headers_mut().append("x-credential", HeaderValue::from_static("made-up"));
            Box::pin(async { Ok(request) })
        }

        fn refused(&self, refusal: &Refusal<'_>) -> bool {
            self.refused.lock().unwrap().push(refusal.sent["x-credential"].clone());
            self.can_renew.load(Ordering::Relaxed)
        }

        fn preview(&self, _: &mut Request) -> Result<(), Error> {
            Ok(())
        }
    }

    async fn call(auth: Auth, status: u16) -> Response {
        let wire = service_fn(move |_| async move { answer(status, "") });
        AuthLayer::new(auth, no_exchange()).layer(wire).oneshot(get(URL)).await.unwrap()
    }

    fn is_renewed(response: &Response) -> bool {
        response.extensions().get::<Renewed>().is_some()
    }

    #[tokio::test]
    async fn a_401_is_marked_when_the_scheme_can_renew_and_not_otherwise() {
        let scheme = Counting::default();
        assert!(!is_renewed(&call(Auth::custom(scheme.clone()), 401).await));
        scheme.can_renew.store(true, Ordering::Relaxed);
        assert!(is_renewed(&call(Auth::custom(scheme.clone()), 401).await));
        assert_eq!(*scheme.refused.lock().unwrap(), ["made-up", "made-up"]);
    }

    #[tokio::test]
    async fn other_answers_are_not_told_to_the_scheme() {
        let scheme = Counting::default();
        for status in [200, 400, 403, 407, 500] {
            assert!(!is_renewed(&call(Auth::custom(scheme.clone()), status).await));
        }
        assert!(scheme.refused.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_refusal_by_another_clock_says_how_far_it_is_off() {
        let skew = async |status: u16| {
            let wire = service_fn(move |_| async move {
                let mut answer = answer(status, "")?;
                // An hour before the exchange's clock.
                answer
                    .headers_mut()
                    .insert("date", HeaderValue::from_static("Thu, 09 Oct 2025 07:53:20 GMT"));
                Ok::<_, Error>(answer)
            });
            let layer = AuthLayer::new(Auth::bearer("made-up-bearer".into()), no_exchange());
            let response = layer.layer(wire).oneshot(get(URL)).await.unwrap();
            response.extensions().get::<ClockSkew>().map(|skew| skew.by.as_secs())
        };
        assert_eq!((skew(401).await, skew(403).await, skew(404).await), (Some(3600), Some(3600), None));
    }

    #[tokio::test]
    async fn a_fixed_credential_is_never_renewed() {
        assert!(!is_renewed(&call(Auth::bearer("made-up-bearer".into()), 401).await));
        assert!(!is_renewed(&call(Auth::none(), 401).await));
    }

    #[tokio::test]
    async fn an_auth_of_the_request_takes_the_place_of_the_layers() {
        let mut request = get(URL);
        request.extensions_mut().insert(Auth::basic("made-up-user", "made-up-password".into()).unwrap());
        let request = signed(Auth::bearer("made-up-bearer".into()), request).await.unwrap();
        assert_eq!(request.headers()["authorization"], "Basic bWFkZS11cC11c2VyOm1hZGUtdXAtcGFzc3dvcmQ=");

        let mut request = get(URL);
        request.extensions_mut().insert(Auth::none());
        let request = signed(Auth::bearer("made-up-bearer".into()), request).await.unwrap();
        assert!(request.headers().is_empty());
    }

    #[tokio::test]
    async fn a_failure_to_get_credentials_sends_nothing() {
        let wire = service_fn(|_| async { panic!("nothing may be sent") });
        let layer = AuthLayer::new(Auth::bearer("".into()), no_exchange());
        assert!(layer.layer(wire).oneshot(get(URL)).await.is_err());
    }
}
