use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, Method};
use tower::ServiceBuilder;

use super::*;
use crate::auth::Renewed;
use crate::deadline::{AttemptTimeoutLayer, DeadlineLayer};
use crate::retry::{Backoff, Jitter};
use crate::{Answer, Evidence, Observer};

const SECOND: Duration = Duration::from_secs(1);

/// What the inner service does with one attempt.
enum Step {
    Answer(Response),
    Fail(Error),
    Hang,
}

/// Plays steps one after the other, and keeps the bodies that it was sent.
#[derive(Clone)]
struct Script {
    steps: Arc<Mutex<VecDeque<Step>>>,
    bodies: Arc<Mutex<Vec<Bytes>>>,
    ready: bool,
}

impl Script {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self {
            steps: Arc::new(Mutex::new(steps.into_iter().collect())),
            bodies: Arc::default(),
            ready: false,
        }
    }

    fn bodies(&self) -> Vec<Bytes> {
        self.bodies.lock().unwrap().clone()
    }

    fn attempts(&self) -> usize {
        self.bodies().len()
    }
}

impl Service<Request> for Script {
    type Response = Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response, Error>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without being asked whether it is ready");
        let (steps, bodies) = (Arc::clone(&self.steps), Arc::clone(&self.bodies));
        Box::pin(async move {
            let body = request.into_body().collect(1_000).await?;
            bodies.lock().unwrap_or_else(PoisonError::into_inner).push(body);
            let step = steps.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match step.expect("the script goes on") {
                Step::Answer(response) => Ok(response),
                Step::Fail(error) => Err(error),
                Step::Hang => std::future::pending().await,
            }
        })
    }
}

/// An answer as it comes from the wire, without an error made of it.
fn answered(status: u16, headers: &[(&'static str, &'static str)]) -> Step {
    let mut response = Response::new(Body::from(format!("body of {status}")));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    *response.headers_mut() = header_map(headers);
    Step::Answer(response)
}

/// An answer that an inner layer made an error of.
fn failed(status: u16, headers: &[(&'static str, &'static str)]) -> Step {
    let status = StatusCode::from_u16(status).unwrap();
    let answer = Answer::new(status, header_map(headers), Bytes::new());
    let error = Error::new(Kind::Status, status.to_string()).evidence_is(Evidence::of_status(status));
    Step::Fail(error.answered(answer))
}

fn renewed() -> Step {
    let mut answer = Answer::new(StatusCode::UNAUTHORIZED, HeaderMap::new(), Bytes::new());
    answer.credentials_renewed = true;
    Step::Fail(Error::new(Kind::Auth, "401 Unauthorized").evidence_is(Evidence::Rejected).answered(answer))
}

fn header_map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
    headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
}

/// Waits of 1, 2, 4 … seconds.
fn policy() -> Policy {
    Policy { backoff: Backoff { jitter: Jitter::None, ..Backoff::default() }, ..Policy::default() }
}

fn layer(policy: Policy) -> RetryLayer {
    RetryLayer::new(policy, Clock::starting_at(UNIX_EPOCH), Random::seeded(1))
}

fn request(method: Method, body: impl Into<Body>) -> Request {
    http::Request::builder().method(method).uri("https://api.example.com/items").body(body.into()).unwrap()
}

async fn get(policy: Policy, script: &Script) -> Result<Response, Error> {
    layer(policy).layer(script.clone()).oneshot(request(Method::GET, "".to_owned())).await
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_waited_out_and_told_in_the_history() {
    let start = Instant::now();
    let script = Script::new([failed(503, &[]), answered(502, &[]), answered(200, &[])]);
    let mut request = request(Method::GET, Body::Empty);
    let context = Context::default();
    request.extensions_mut().insert(context.clone());
    let response = layer(policy()).layer(script).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(start.elapsed(), 3 * SECOND);
    assert_eq!(context.history.summary().as_deref(), Some("3 attempts (503, 502, 200), waited 3.0 s"));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_the_server_asked_for_is_neither_cut_short_nor_stretched() {
    for (told, wait) in [
        ("7", 7 * SECOND),
        ("1.5", 3 * SECOND / 2),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 60 * SECOND),
        ("0", Duration::ZERO),
        ("300", 300 * SECOND),
    ] {
        let start = Instant::now();
        let script = Script::new([answered(429, &[("retry-after", told)]), answered(200, &[])]);
        assert_eq!(get(policy(), &script).await.unwrap().status(), 200);
        assert_eq!(start.elapsed(), wait, "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_exhausted_rate_limit_is_waited_for_until_its_reset() {
    let limit = |remaining| [("x-ratelimit-remaining", remaining), ("x-ratelimit-reset", "12")];
    for (remaining, wait) in [("0", 12 * SECOND), ("3", SECOND)] {
        let start = Instant::now();
        let script = Script::new([answered(429, &limit(remaining)), answered(200, &[])]);
        assert!(get(policy(), &script).await.is_ok());
        assert_eq!(start.elapsed(), wait);
    }
    let script = Script::new([failed(429, &[("ratelimit", r#""daily";r=0;t=9000, "burst";r=0;t=1"#)])]);
    let error = get(policy(), &script).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (Kind::Limit, Some(9_000 * SECOND)));
}

#[tokio::test(start_paused = true)]
async fn every_attempt_carries_the_same_body() {
    let streamed = || Body::replay(|| stream::iter([Ok(Bytes::from("two ")), Ok(Bytes::from("pieces"))]));
    for (body, sent) in [(Body::from("whole".to_owned()), "whole"), (streamed(), "two pieces")] {
        let script = Script::new([failed(429, &[]), failed(429, &[]), answered(201, &[])]);
        layer(policy()).layer(script.clone()).oneshot(request(Method::PATCH, body)).await.unwrap();
        assert_eq!(script.bodies(), [sent; 3]);
    }
}

fn once() -> Body {
    Body::once(stream::iter([Ok(Bytes::from("gone after this"))]))
}

#[tokio::test(start_paused = true)]
async fn a_body_that_can_be_read_once_is_sent_once() {
    let script = Script::new([answered(201, &[])]);
    let response = layer(policy()).layer(script).oneshot(request(Method::PUT, once())).await.unwrap();
    assert_eq!(response.status(), 201);

    let script = Script::new([failed(429, &[])]);
    let error =
        layer(policy()).layer(script.clone()).oneshot(request(Method::PUT, once())).await.unwrap_err();
    assert_eq!(script.bodies(), ["gone after this"]);
    assert_eq!(
        error.to_string(),
        "429 Too Many Requests; gave up after 1 attempt: the body can be sent only once"
    );
}

#[tokio::test(start_paused = true)]
async fn the_last_failure_tells_attempts_waits_and_the_last_answer() {
    let script = Script::new([
        Step::Fail(Error::new(Kind::Connect, "no connection").evidence_is(Evidence::NeverSent)),
        failed(502, &[]),
        failed(503, &[("retry-after", "2")]),
        failed(500, &[]),
        failed(503, &[("request-id", "req_made_up"), ("retry-after", "9")]),
    ]);
    let error = get(policy(), &script).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "503 Service Unavailable; gave up after 5 attempts, request id req_made_up: the policy allows no more"
    );
    assert_eq!(error.kind(), Kind::Status);
    assert_eq!(error.retry_after(), Some(9 * SECOND));
    let tried = "5 attempts (connect, 502, 503, 500, 503), waited 13.0 s";
    assert_eq!(error.history().summary().as_deref(), Some(tried));
    assert!(error.report().contains(tried));
}

#[tokio::test(start_paused = true)]
async fn without_a_check_the_last_answer_comes_back_whole() {
    let script = Script::new([answered(503, &[]), answered(500, &[]), answered(502, &[])]);
    let three = Policy { attempts: NonZeroU32::new(3).unwrap(), ..policy() };
    let response = get(three, &script).await.unwrap();
    assert_eq!(response.status(), 502);
    assert_eq!(response.into_body().as_bytes(), Some(&b"body of 502"[..]));
}

#[tokio::test(start_paused = true)]
async fn a_post_that_may_have_been_applied_is_not_repeated() {
    let post = |step| async move {
        let script = Script::new([step, answered(201, &[])]);
        let result = layer(policy()).layer(script.clone()).oneshot(request(Method::POST, Body::Empty)).await;
        (result, script.attempts())
    };
    let (result, attempts) = post(failed(503, &[("retry-after", "30")])).await;
    assert_eq!(attempts, 1);
    let error = result.unwrap_err();
    assert!(error.to_string().contains("a POST without an idempotency key could act twice"), "{error}");
    assert!(error.advice().unwrap().contains("idempotency key"));

    let (result, attempts) =
        post(Step::Fail(Error::new(Kind::Connect, "no connection").evidence_is(Evidence::NeverSent))).await;
    assert_eq!((result.unwrap().status(), attempts), (StatusCode::CREATED, 2));
}

#[tokio::test(start_paused = true)]
async fn an_idempotency_key_makes_a_post_repeatable() {
    let script = Script::new([Step::Fail(Error::new(Kind::Timeout, "no answer")), answered(201, &[])]);
    let mut request = request(Method::POST, Body::Empty);
    request.extensions_mut().insert(Context { repeatable: true, ..Context::default() });
    let response = layer(policy()).layer(script).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 201);
}

#[tokio::test(start_paused = true)]
async fn a_wait_above_the_cap_fails_at_once_and_says_when_to_come_back() {
    let start = Instant::now();
    for (status, kind) in [(429, Kind::Limit), (503, Kind::Status)] {
        let script = Script::new([failed(status, &[("retry-after", "3600")])]);
        let error = get(policy(), &script).await.unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (kind, Some(3_600 * SECOND)));
        assert!(
            error.to_string().ends_with("Retry-After asks for a wait of 3600s, and we wait at most 300s"),
            "{error}"
        );
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_exhausted_quota_fails_at_once_and_a_throttle_does_not() {
    let quota = || Policy {
        quota: Some(Arc::new(|answer: &Answer| answer.headers.contains_key("x-made-up-quota"))),
        ..policy()
    };
    let exhausted = [("x-made-up-quota", "daily"), ("retry-after", "60")];
    let error = get(quota(), &Script::new([failed(429, &exhausted)])).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (Kind::Limit, Some(60 * SECOND)));
    for step in [failed(429, &[]), failed(503, &exhausted)] {
        assert!(get(quota(), &Script::new([step, answered(200, &[])])).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_would_pass_the_deadline_is_not_begun() {
    let start = Instant::now();
    let script = Script::new([failed(503, &[]), failed(503, &[("retry-after", "20")])]);
    let stack =
        ServiceBuilder::new().layer(DeadlineLayer::new(10 * SECOND)).layer(layer(policy())).service(script);
    let error = stack.oneshot(request(Method::GET, Body::Empty)).await.unwrap_err();
    assert_eq!(start.elapsed(), SECOND);
    assert!(
        error.to_string().ends_with("the next would come after 20s, and the deadline is in 9s"),
        "{error}"
    );
    assert_eq!(error.status().unwrap(), 503);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_timed_out_is_retried_and_the_deadline_ends_it_all() {
    let start = Instant::now();
    let script = Script::new((0..5).map(|_| Step::Hang));
    let stack = ServiceBuilder::new()
        .layer(DeadlineLayer::new(64 * SECOND))
        .layer(layer(policy()))
        .layer(AttemptTimeoutLayer)
        .service(script.clone());
    let error = stack.oneshot(request(Method::GET, Body::Empty)).await.unwrap_err();
    // 30 s, a wait of 1 s, 30 s, a wait of 2 s, and what is left.
    assert_eq!((start.elapsed(), script.attempts()), (64 * SECOND, 3));
    assert_eq!((error.kind(), error.history().len()), (Kind::Timeout, 3));
    assert!(error.to_string().starts_with("no answer by the deadline of the call"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_cut_off_is_told_too() {
    let script = Script::new([failed(503, &[]), Step::Hang]);
    let stack =
        ServiceBuilder::new().layer(DeadlineLayer::new(5 * SECOND)).layer(layer(policy())).service(script);
    let error = stack.oneshot(request(Method::GET, Body::Empty)).await.unwrap_err();
    assert_eq!(error.history().summary().as_deref(), Some("2 attempts (503, cancelled), waited 1.0 s"));
}

#[tokio::test(start_paused = true)]
async fn renewed_credentials_are_tried_once_at_once_and_uncounted() {
    let start = Instant::now();
    let once = Policy { attempts: NonZeroU32::MIN, ..policy() };
    let script = Script::new([renewed(), answered(200, &[])]);
    assert!(get(once.clone(), &script).await.is_ok());

    let script = Script::new([renewed(), renewed(), answered(200, &[])]);
    let error = get(once.clone(), &script).await.unwrap_err();
    assert_eq!((error.kind(), script.attempts()), (Kind::Auth, 2));

    let Step::Answer(mut unauthorized) = answered(401, &[]) else { unreachable!() };
    unauthorized.extensions_mut().insert(Renewed);
    let script = Script::new([Step::Answer(unauthorized), answered(200, &[])]);
    assert_eq!(get(once, &script).await.unwrap().status(), 200);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_attempt_with_renewed_credentials_leaves_the_others_as_they_were() {
    let two = Policy { attempts: NonZeroU32::new(2).unwrap(), ..policy() };
    let script = Script::new([renewed(), failed(503, &[]), answered(200, &[])]);
    assert!(get(two, &script).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_was_refused_is_sent_once_more_at_once_and_draws_on_no_budget() {
    let refused = || Step::Fail(Error::new(Kind::Connect, "refused").evidence_is(Evidence::Rejected));
    let script = Script::new([refused(), refused(), answered(200, &[])]);
    let layer = layer(policy()).budget(Budget::new(0.0, 1));
    let started = Instant::now();
    layer.layer(script.clone()).oneshot(request(Method::POST, Body::Empty)).await.unwrap();
    assert_eq!(script.attempts(), 3);
    // The second refusal is waited out, and takes what the budget has.
    assert_eq!(started.elapsed(), SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_comes_to_the_same_each_time_is_not_tried_again() {
    let refused = Error::new(Kind::Connect, "not let in").evidence_is(Evidence::Rejected).lasting();
    let script = Script::new([Step::Fail(refused), answered(200, &[])]);
    assert!(get(policy(), &script).await.is_err());
    assert_eq!(script.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_first_attempt_adds_to_the_budget() {
    let script = Script::new((0..3).map(|_| failed(503, &[])));
    let stack = layer(policy()).budget(Budget::new(1.0, 0)).layer(script.clone());
    assert!(stack.oneshot(request(Method::GET, Body::Empty)).await.is_err());
    assert_eq!(script.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_ends_the_retries_of_all_calls_to_the_host() {
    let budget = Budget::new(0.0, 3);
    let script = Script::new((0..9).map(|_| failed(503, &[])));
    let stack = layer(policy()).budget(budget).layer(script.clone());
    for made in [4, 1, 1] {
        let before = script.attempts();
        let error = stack.clone().oneshot(request(Method::GET, Body::Empty)).await.unwrap_err();
        assert_eq!(script.attempts() - before, made);
        assert!(
            error.to_string().ends_with("retries are too large a part of the load on this host"),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_with_a_wait_draws_on_no_budget_and_any_other_failure_does() {
    let (wait, reset) =
        ([("retry-after", "1")], [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")]);
    let limited = |status| {
        Error::new(Kind::Limit, "slower").evidence_is(Evidence::Rejected).answered(Answer::new(
            status,
            header_map(&wait),
            Bytes::new(),
        ))
    };
    let free = [
        failed(429, &wait),
        answered(429, &wait),
        failed(429, &reset),
        Step::Fail(limited(StatusCode::FORBIDDEN)),
    ];
    for (step, attempts) in free.into_iter().map(|step| (step, 2)).chain([
        (failed(429, &[]), 1),
        (failed(503, &wait), 1),
        (failed(500, &[]), 1),
    ]) {
        let script = Script::new([step, answered(200, &[])]);
        let stack = layer(policy()).budget(Budget::new(0.0, 0)).layer(script.clone());
        let result = stack.oneshot(request(Method::GET, Body::Empty)).await;
        assert_eq!((script.attempts(), result.is_ok()), (attempts, attempts == 2), "{result:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_may_bring_its_own_policy() {
    let script = Script::new([failed(503, &[])]);
    let mut request = request(Method::GET, Body::Empty);
    request.extensions_mut().insert(Arc::new(Policy { attempts: NonZeroU32::MIN, ..policy() }));
    let error = layer(policy()).layer(script.clone()).oneshot(request).await.unwrap_err();
    assert_eq!(script.attempts(), 1);
    assert_eq!(error.to_string(), "503 Service Unavailable", "why there is no other attempt is known");
}

#[tokio::test(start_paused = true)]
async fn a_policy_may_retry_what_is_no_failure() {
    let not_yet = Policy { statuses: vec![StatusCode::ACCEPTED], ..policy() };
    let script = Script::new([answered(202, &[]), answered(200, &[])]);
    assert_eq!(get(not_yet, &script).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_was_told_in_the_body_is_kept() {
    let start = Instant::now();
    let Step::Fail(throttled) = failed(200, &[]) else { unreachable!() };
    let throttled =
        throttled.kind_is(Kind::GraphQl).evidence_is(Evidence::Rejected).come_back_after(5 * SECOND);
    let script = Script::new([Step::Fail(throttled), answered(200, &[])]);
    assert!(get(policy(), &script).await.is_ok());
    assert_eq!(start.elapsed(), 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn decorrelated_waits_grow_from_the_one_before() {
    let jitter = Jitter::Decorrelated;
    let policy = Policy { backoff: Backoff { jitter, ..Backoff::default() }, ..policy() };
    let script = Script::new((0..5).map(|_| failed(503, &[])));
    let attempts = get(policy, &script).await.unwrap_err().history().attempts();
    assert!(attempts.iter().any(|attempt| attempt.waited > 3 * SECOND), "{attempts:?}");
}

#[tokio::test(start_paused = true)]
async fn the_layers_inside_share_the_history() {
    let inner = tower::service_fn(|request: Request| async move {
        let before = Context::of(&request).history.len();
        let status = if before < 2 { 503 } else { 200 };
        Ok::<_, Error>(http::Response::builder().status(status).body(Body::Empty).unwrap())
    });
    let response = layer(policy()).layer(inner).oneshot(request(Method::GET, Body::Empty)).await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn every_retry_and_the_giving_up_are_told_with_their_reason() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let events = Arc::clone(&told);
    let observer = Observer::new(move |event| {
        events.lock().unwrap().push(match event {
            Event::Retrying { attempt, after, reason } => format!("{attempt}: {reason}, {after:?}"),
            Event::GaveUp { attempts, reason } => format!("{attempts}: {reason}"),
            other => format!("{other:?}"),
        });
    });
    let script = Script::new([
        Step::Fail(Error::new(Kind::Timeout, "no answer")),
        failed(503, &[("retry-after-ms", "250")]),
        failed(404, &[]),
    ]);
    let mut request = request(Method::GET, Body::Empty);
    request.extensions_mut().insert(Context { observer, ..Context::default() });
    let error = layer(policy()).layer(script).oneshot(request).await.unwrap_err();
    assert_eq!(error.to_string(), "404 Not Found");
    assert_eq!(
        *told.lock().unwrap(),
        [
            "1: timeout, wait by backoff, 1s",
            "2: 503, wait by retry-after-ms, 250ms",
            "3: another attempt would fail the same way"
        ]
    );
}

/// The second connection is refused: that says nothing of the first attempt, which carried the same key.
#[tokio::test(start_paused = true)]
async fn what_may_have_been_done_by_an_earlier_attempt_stays_unknown() {
    let fail = |evidence| Step::Fail(Error::new(Kind::Connect, "no answer").evidence_is(evidence));
    for last in [Evidence::NeverSent, Evidence::Rejected] {
        let script = Script::new([fail(Evidence::Unknown), fail(last), fail(last), fail(last)]);
        let mut request = request(Method::POST, Body::Empty);
        request.extensions_mut().insert(Context { repeatable: true, ..Context::default() });
        let layer = layer(Policy { attempts: 3.try_into().unwrap(), ..policy() });
        let error = layer.layer(script).oneshot(request).await.unwrap_err();
        assert_eq!(error.evidence(), Evidence::Unknown);
    }
}
