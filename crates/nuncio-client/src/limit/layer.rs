//! The limiter as a tower layer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Cx, Poll};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, Stream, StreamExt as _};
use http::StatusCode;
use tower::{Layer, Service, ServiceExt as _};

use super::learned::heard;
use super::{Learned, Limiter, Permit};
use crate::body::BodyStream;
use crate::{Body, Clock, Context, Error, Request, Response};

/// Reads what a body tells of the server's limits: GraphQL servers put it there.
pub type BodyHint = Arc<dyn Fn(&[u8]) -> Option<Learned> + Send + Sync>;

/// Makes each request wait for a [`Limiter`], and tells it what the answers say.
///
/// Each attempt takes tokens: it stands inside of retries. A [`Limiter`] among the extensions of a request stands in for the layer's own.
#[derive(Clone)]
pub struct LimitLayer {
    limiter: Limiter,
    clock: Clock,
    body_hint: Option<BodyHint>,
}

impl LimitLayer {
    /// `clock` tells how far away the times of day are at which servers reset their limits.
    #[must_use]
    pub fn new(limiter: Limiter, clock: Clock) -> Self {
        Self { limiter, clock, body_hint: None }
    }

    /// Listens to bodies too, where they are read whole. `hint` should name its [policy](Learned::policy), so that it is held beside
    /// what headers tell.
    #[must_use]
    pub fn with_body_hint(mut self, hint: BodyHint) -> Self {
        self.body_hint = Some(hint);
        self
    }
}

impl<S> Layer<S> for LimitLayer {
    type Service = Limit<S>;

    fn layer(&self, inner: S) -> Limit<S> {
        Limit { inner, settings: Arc::new(self.clone()) }
    }
}

/// Waits for its turn before each request: see [`LimitLayer`].
///
/// A streamed answer counts as a call under way until its body ends, fails or is dropped.
#[derive(Clone)]
pub struct Limit<S> {
    inner: S,
    settings: Arc<LimitLayer>,
}

impl<S> Service<Request> for Limit<S>
where
    S: Service<Request, Response = Response, Error = Error> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response, Error>>;

    fn poll_ready(&mut self, _: &mut Cx<'_>) -> Poll<Result<(), Error>> {
        // The inner service gets ready once it is our turn: what it reserves would lie idle during the wait.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (inner, settings) = (self.inner.clone(), Arc::clone(&self.settings));
        async move {
            let limiter = request.extensions().get().unwrap_or(&settings.limiter);
            let mut permit = limiter.acquire(&Context::of(&request)).await?;
            let result = inner.oneshot(request).await;
            settings.listen(&mut permit, &result);
            result.map(|response| response.map(|body| hold(permit, body)))
        }
        .boxed()
    }
}

impl LimitLayer {
    fn listen(&self, permit: &mut Permit, result: &Result<Response, Error>) {
        let (status, headers, body) = match result {
            Ok(response) => (response.status(), response.headers(), response.body().as_bytes()),
            Err(error) => match error.answer() {
                Some(answer) => (answer.status, &answer.headers, Some(&*answer.body)),
                None => return,
            },
        };
        let mut told = heard(status, headers, self.clock.now());
        if let (Some(hint), Some(body)) = (&self.body_hint, body) {
            told.extend(hint(body));
        }
        let until = told.iter().any(|new| new.remaining == 0);
        if status == StatusCode::TOO_MANY_REQUESTS && !until {
            permit.refused(&told);
        } else {
            permit.answered(&told);
        }
    }
}

fn hold(permit: Permit, body: Body) -> Body {
    match body {
        Body::Once(stream) => Body::once(Held { stream, permit: Some(permit) }),
        whole => whole,
    }
}

/// A body that is a call under way until it ends.
struct Held {
    stream: BodyStream,
    permit: Option<Permit>,
}

impl Stream for Held {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.stream.poll_next_unpin(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.permit = None;
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::{Duration, UNIX_EPOCH};

    use futures_util::FutureExt as _;
    use tokio::time::{Instant, advance};

    use super::*;
    use crate::limit::Limits;
    use crate::{Answer, Kind};

    type Answers = Arc<Mutex<Vec<Result<Response, Error>>>>;

    /// A layer over a server that gives `answers`, last to first.
    fn layered(
        limiter: &Limiter,
        answers: &Answers,
    ) -> impl Service<Request, Response = Response, Error = Error> + use<> {
        let answers = Arc::clone(answers);
        let server = tower::service_fn(move |_: Request| {
            let answer = answers.lock().expect("not poisoned").pop().expect("an answer");
            std::future::ready(answer)
        });
        LimitLayer::new(limiter.clone(), Clock::fixed(UNIX_EPOCH)).layer(server)
    }

    fn answer(status: u16, headers: &[(&str, &str)], body: Body) -> Result<Response, Error> {
        let builder = http::Response::builder().status(status);
        let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
        Ok(builder.body(body).expect("a response"))
    }

    async fn call(limiter: &Limiter, answer: Result<Response, Error>) -> Result<Response, Error> {
        layered(limiter, &Arc::new(Mutex::new(vec![answer]))).oneshot(Request::default()).await
    }

    fn free(limiter: &Limiter) -> bool {
        limiter.acquire(&Context::default()).now_or_never().is_some_and(|acquired| acquired.is_ok())
    }

    fn one_at_a_time() -> Limiter {
        Limiter::new(Limits { concurrency: std::num::NonZeroU32::new(1), ..Limits::default() })
    }

    #[tokio::test(start_paused = true)]
    async fn a_whole_answer_is_the_end_of_a_call() {
        let limiter = one_at_a_time();
        let _response =
            call(&limiter, answer(200, &[], Body::from("whole".to_owned()))).await.expect("an answer");
        assert!(free(&limiter));
    }

    #[tokio::test(start_paused = true)]
    async fn a_streamed_answer_is_a_call_under_way_until_its_body_ends_or_is_dropped() {
        let limiter = one_at_a_time();
        let body = || Body::once(futures_util::stream::iter([Ok(Bytes::from("a")), Ok(Bytes::from("b"))]));
        let response = call(&limiter, answer(200, &[], body())).await.expect("an answer");
        let mut stream = response.into_body().into_stream();
        for _ in 0..2 {
            assert!(!free(&limiter));
            stream.next().await.expect("a piece").expect("no error");
        }
        assert!(!free(&limiter), "more may come");
        assert!(stream.next().await.is_none());
        assert!(free(&limiter), "the stream is still held, but it ended");

        let response = call(&limiter, answer(200, &[], body())).await.expect("an answer");
        assert!(!free(&limiter));
        drop(response);
        assert!(free(&limiter));
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_attempt_frees_its_place() {
        let limiter = one_at_a_time();
        call(&limiter, Err(Error::new(Kind::Connect, "reset"))).await.expect_err("no answer");
        assert!(free(&limiter));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_holds_back_other_calls_for_as_long_as_it_says() {
        let told = [("retry-after", "8")];
        let as_error = answer(429, &told, Body::Empty).map(|response| {
            let (parts, _) = response.into_parts();
            Error::new(Kind::Status, "429").answered(Answer::new(
                StatusCode::TOO_MANY_REQUESTS,
                parts.headers,
                Bytes::new(),
            ))
        });
        for refusal in [answer(429, &told, Body::Empty), as_error.and_then(Err)] {
            let limiter = Limiter::default();
            let _ = call(&limiter, refusal).await;
            let started = Instant::now();
            call(&limiter, answer(200, &[], Body::Empty)).await.expect("an answer");
            assert_eq!(started.elapsed(), Duration::from_secs(8));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_that_says_nothing_slows_other_calls_down() {
        let limiter = Limiter::default();
        let _ = call(&limiter, answer(429, &[], Body::Empty)).await;
        let started = Instant::now();
        for _ in 0..8 {
            call(&limiter, answer(200, &[], Body::Empty)).await.expect("an answer");
        }
        let took = started.elapsed();
        assert!(took > Duration::from_secs(3) && took < Duration::from_secs(6), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn calls_are_held_back_before_the_server_has_to_refuse() {
        let limiter = Limiter::default();
        let told = [("ratelimit-remaining", "0"), ("ratelimit-reset", "30")];
        call(&limiter, answer(200, &told, Body::Empty)).await.expect("an answer");
        assert!(!free(&limiter));
        advance(Duration::from_secs(30)).await;
        assert!(free(&limiter));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_tells_of_a_limit_is_listened_to() {
        let limiter = Limiter::default();
        let hint: BodyHint = Arc::new(|body| {
            (body == b"throttled").then(|| Learned::pause("the GraphQL cost", Duration::from_secs(4)))
        });
        let server = tower::service_fn(|_: Request| {
            std::future::ready(answer(200, &[], "throttled".to_owned().into()))
        });
        let layer = LimitLayer::new(limiter.clone(), Clock::fixed(UNIX_EPOCH)).with_body_hint(hint);
        layer.layer(server).oneshot(Request::default()).await.expect("an answer");
        assert!(!free(&limiter));
    }

    #[tokio::test(start_paused = true)]
    async fn a_limiter_among_the_extensions_stands_in_for_the_layers_own() {
        let (own, other) = (one_at_a_time(), one_at_a_time());
        let _held = own.acquire(&Context::default()).await.expect("a free place");
        let mut request = Request::default();
        request.extensions_mut().insert(other);
        let answers = Arc::new(Mutex::new(vec![answer(200, &[], Body::Empty)]));
        assert!(layered(&own, &answers).oneshot(request).now_or_never().expect("at once").is_ok());
    }
}
