//! The flows; what is sent is in `tests/vectors.rs`.

mod vectors;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{advance, sleep};
use tower::{Layer as _, ServiceExt as _, service_fn};

use super::*;
use crate::auth::testing::{answer, exchange, get, listening};
use crate::auth::{Auth, AuthLayer, Renewed};
use crate::{Evidence, Kind, Response};

const SECOND: Duration = Duration::from_secs(1);
const TOKEN_URL: &str = "https://auth.example.com/token";

fn client() -> ClientCredentials {
    ClientCredentials::new(TOKEN_URL.parse().unwrap(), "made-up-client", "made-up-client-secret".into())
}

fn token(number: usize) -> String {
    format!("made-up-token-{number}.")
}

/// A provider that takes a second for each token and numbers them, and can be down.
#[derive(Clone)]
struct Provider {
    fetches: Arc<AtomicUsize>,
    expires_in: &'static str,
    is_down: Arc<Mutex<bool>>,
}

impl Provider {
    fn new(expires_in: &'static str) -> Self {
        Self { fetches: Arc::default(), expires_in, is_down: Arc::default() }
    }

    fn exchange(&self) -> Exchange {
        let provider = self.clone();
        exchange(move |_| {
            let provider = provider.clone();
            async move {
                let number = provider.fetches.fetch_add(1, Ordering::Relaxed) + 1;
                sleep(SECOND).await;
                if *provider.is_down.lock().unwrap() {
                    return answer(503, "made-up outage");
                }
                let (token, expires_in) = (token(number), provider.expires_in);
                answer(200, &format!(r#"{{"access_token": "{token}", "token_type": "bearer"{expires_in}}}"#))
            }
        })
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::Relaxed)
    }

    fn set_down(&self, down: bool) {
        *self.is_down.lock().unwrap() = down;
    }
}

/// The token that a call carries.
async fn call(scheme: &ClientCredentials, exchange: &Exchange) -> Result<String, Error> {
    let request = scheme.authenticate(get("https://api.example.com/"), exchange).await?;
    let value = request.headers()["authorization"].to_str().unwrap().to_owned();
    Ok(value.strip_prefix("Bearer ").unwrap().to_owned())
}

/// The result of a fetch that the provider answers with `status` and `body`.
async fn fetched(status: u16, body: &'static str) -> Result<String, Error> {
    call(&client(), &exchange(move |_| async move { answer(status, body) })).await
}

#[tokio::test(start_paused = true)]
async fn a_hundred_callers_wait_for_one_fetch() {
    let provider = Provider::new(r#", "expires_in": 3600"#);
    let (scheme, exchange) = (client(), provider.exchange());
    let tokens = join_all((0..100).map(|_| call(&scheme, &exchange))).await;
    assert!(tokens.into_iter().all(|carried| carried.unwrap() == token(1)));
    assert_eq!(provider.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_goes_on_when_the_caller_that_began_it_is_dropped() {
    let provider = Provider::new(r#", "expires_in": 3600"#);
    let (scheme, exchange) = (client(), provider.exchange());
    let mut first = Box::pin(call(&scheme, &exchange));
    assert!((&mut first).now_or_never().is_none());
    let mut second = Box::pin(call(&scheme, &exchange));
    assert!((&mut second).now_or_never().is_none());
    drop(first);
    assert_eq!(second.await.unwrap(), token(1));
    assert_eq!(provider.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_nobody_waits_for_any_more_ends() {
    let provider = Provider::new(r#", "expires_in": 3600"#);
    let (scheme, exchange) = (client(), provider.exchange());
    let mut only = Box::pin(call(&scheme, &exchange));
    assert!((&mut only).now_or_never().is_none());
    drop(only);
    assert_eq!(call(&scheme, &exchange).await.unwrap(), token(2));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_used_until_a_minute_before_it_expires() {
    let provider = Provider::new(r#", "expires_in": "3600""#);
    let (scheme, exchange) = (client(), provider.exchange());
    call(&scheme, &exchange).await.unwrap();
    advance(3539 * SECOND).await;
    assert_eq!(call(&scheme, &exchange).await.unwrap(), token(1));
    advance(SECOND).await;
    assert_eq!(call(&scheme, &exchange).await.unwrap(), token(2));
}

#[tokio::test(start_paused = true)]
async fn a_token_near_its_end_is_used_by_those_who_come_while_it_is_replaced() {
    let provider = Provider::new(r#", "expires_in": 100"#);
    let (scheme, exchange) = (client(), provider.exchange());
    call(&scheme, &exchange).await.unwrap();
    advance(95 * SECOND).await;
    let (first, second) = tokio::join!(call(&scheme, &exchange), call(&scheme, &exchange));
    assert_eq!((first.unwrap(), second.unwrap()), (token(2), token(1)));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_does_not_cost_a_token_that_is_still_good() {
    let provider = Provider::new(r#", "expires_in": 3600"#);
    let (scheme, exchange) = (client(), provider.exchange());
    call(&scheme, &exchange).await.unwrap();
    advance(3550 * SECOND).await;
    provider.set_down(true);
    assert_eq!(call(&scheme, &exchange).await.unwrap(), token(1));
    provider.set_down(false);
    assert_eq!(call(&scheme, &exchange).await.unwrap(), token(3));
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_never_sent() {
    let provider = Provider::new(r#", "expires_in": 3600"#);
    let (scheme, exchange) = (client(), provider.exchange());
    call(&scheme, &exchange).await.unwrap();
    advance(3600 * SECOND).await;
    provider.set_down(true);
    assert_eq!(call(&scheme, &exchange).await.unwrap_err().kind(), Kind::Auth);
}

#[tokio::test(start_paused = true)]
async fn a_failed_fetch_is_told_to_all_who_waited_and_not_remembered() {
    let provider = Provider::new("");
    let (scheme, exchange) = (client(), provider.exchange());
    provider.set_down(true);
    let errors = join_all((0..100).map(|_| call(&scheme, &exchange))).await;
    for error in errors {
        let error = error.unwrap_err();
        assert_eq!((error.kind(), error.evidence()), (Kind::Auth, Evidence::NeverSent));
        assert_eq!(error.url(), Some(TOKEN_URL));
        // The status is the provider's: a retry of the call must not be decided on it.
        assert_eq!((error.status(), error.cause::<Error>().unwrap().status().unwrap().as_u16()), (None, 503));
    }
    assert_eq!(provider.fetches(), 1);
    provider.set_down(false);
    assert_eq!(call(&scheme, &exchange).await.unwrap(), token(2));
}

#[tokio::test(start_paused = true)]
async fn a_token_without_expires_in_is_used_until_it_is_refused() {
    let provider = Provider::new("");
    let (scheme, exchange) = (client(), provider.exchange());
    call(&scheme, &exchange).await.unwrap();
    advance(1_000_000 * SECOND).await;
    assert_eq!(call(&scheme, &exchange).await.unwrap(), token(1));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_at_once_serves_those_who_waited_and_no_one_else() {
    for expires_in in [r#", "expires_in": 0"#, r#", "expires_in": -5"#] {
        let provider = Provider::new(expires_in);
        let (scheme, exchange) = (client(), provider.exchange());
        let (first, second) = tokio::join!(call(&scheme, &exchange), call(&scheme, &exchange));
        assert_eq!((first.unwrap(), second.unwrap()), (token(1), token(1)));
        assert_eq!(call(&scheme, &exchange).await.unwrap(), token(2));
    }
}

/// A service that takes the tokens in `good` and refuses all others.
async fn ask(auth: &Auth, exchange: &Exchange, context: &Context, good: String) -> Response {
    let service = service_fn(move |request: Request| {
        let is_good = request.headers()["authorization"] == format!("Bearer {good}");
        async move { answer(if is_good { 200 } else { 401 }, "") }
    });
    let mut request = get("https://api.example.com/");
    request.extensions_mut().insert(context.clone());
    AuthLayer::new(auth.clone(), exchange.clone()).layer(service).oneshot(request).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_401_drops_the_token_and_the_next_attempt_carries_another() {
    let provider = Provider::new("");
    let (auth, exchange) = (Auth::oauth2(client()), provider.exchange());
    let (context, heard) = listening();
    let refused = ask(&auth, &exchange, &context, token(2)).await;
    assert!(refused.status() == 401 && refused.extensions().get::<Renewed>().is_some());
    let accepted = ask(&auth, &exchange, &context, token(2)).await;
    assert!(accepted.status() == 200 && accepted.extensions().get::<Renewed>().is_none());
    assert_eq!(
        *heard.lock().unwrap(),
        [
            "fetched an access token from https://auth.example.com/token, good until it is refused",
            "dropped the access token: the service refused it",
            "fetched an access token from https://auth.example.com/token, good until it is refused",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_that_took_the_place_of_the_refused_one_is_kept() {
    let provider = Provider::new("");
    let (scheme, exchange) = (client(), provider.exchange());
    let refuse = |number: usize| {
        let mut sent = http::HeaderMap::new();
        sent.insert("authorization", format!("Bearer {}", token(number)).parse().unwrap());
        let (answered, context) = (http::HeaderMap::new(), Context::default());
        scheme.refused(&Refusal { sent: &sent, answered: &answered, context: &context })
    };
    call(&scheme, &exchange).await.unwrap();
    assert!(refuse(1), "dropped");
    assert!(refuse(1), "dropped by another");
    call(&scheme, &exchange).await.unwrap();
    assert!(refuse(1), "replaced by another");
    assert_eq!(call(&scheme, &exchange).await.unwrap(), token(2));
    assert_eq!(provider.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_refusals_of_one_token_cost_one_fetch() {
    let provider = Provider::new("");
    let (auth, exchange) = (Auth::oauth2(client()), provider.exchange());
    let context = Context::default();
    let twice = || async {
        if ask(&auth, &exchange, &context, token(2)).await.status() == 401 {
            assert_eq!(ask(&auth, &exchange, &context, token(2)).await.status(), 200);
        }
    };
    join_all((0..100).map(|_| twice())).await;
    assert_eq!(provider.fetches(), 2);
}

#[tokio::test]
async fn a_refusal_is_shown_with_its_code_and_advice() {
    let error = fetched(
        401,
        r#"{"error": "invalid_client", "error_description": "unknown client", "error_uri": "https://auth.example.com/e1"}"#,
    )
    .await
    .unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    assert_eq!(error.to_string(), "the token endpoint refused: invalid_client (unknown client)");
    assert_eq!(error.code(), Some("invalid_client"));
    assert_eq!(
        error.advice(),
        Some(
            "check the client id and secret, and whether this endpoint wants them in a Basic header or in the body; \
             see https://auth.example.com/e1"
        )
    );
}

#[tokio::test]
async fn a_refusal_that_comes_as_200_is_one() {
    let error = fetched(200, r#"{"error": "invalid_scope"}"#).await.unwrap_err();
    assert_eq!(error.to_string(), "the token endpoint refused: invalid_scope");
}

#[tokio::test]
async fn a_refusal_found_by_the_exchange_reads_the_same() {
    let body = r#"{"error": "invalid_client"}"#;
    let checked = exchange(move |_| async move {
        let status = http::StatusCode::UNAUTHORIZED;
        Err(Error::new(Kind::Auth, "401").answered(Answer::new(status, http::HeaderMap::new(), body.into())))
    });
    let error = call(&client(), &checked).await.unwrap_err();
    assert_eq!(error.to_string(), fetched(401, body).await.unwrap_err().to_string());
}

#[tokio::test]
async fn an_answer_without_a_token_is_an_error_that_shows_no_token() {
    let cases = [
        (
            r#"<html>Down for maintenance</html>"#,
            "answered no JSON object: <html>Down for maintenance</html>",
        ),
        ("", "answered no JSON object: an empty body"),
        (r#"["x"]"#, r#"answered no JSON object: ["x"]"#),
        (
            "access_token=made-up-form-token",
            "answered no JSON object: 31 bytes, not shown since they may hold a token",
        ),
        (r#"{"accessToken": "made-up-camel-token"}"#, "answered without access_token: accessToken"),
        (r#"{"access_token": ""}"#, "answered without access_token: access_token"),
        (
            r#"{"access_token": "made-up-mac-token", "token_type": "mac"}"#,
            r#"gave a token of type "mac", not Bearer"#,
        ),
    ];
    for (body, message) in cases {
        let error = fetched(200, body).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Auth);
        assert_eq!(error.to_string(), format!("the token endpoint {message}"));
        assert!(!error.report().contains("made-up"), "{}", error.report());
    }
}

#[tokio::test]
async fn the_token_type_is_read_in_any_case_and_may_be_missing() {
    for token_type in [r#", "token_type": "BEARER""#, r#", "token_type": "bearer""#, ""] {
        let body = format!(r#"{{"access_token": "made-up-typed-token"{token_type}}}"#);
        let body: &'static str = body.leak();
        assert_eq!(fetched(200, body).await.unwrap(), "made-up-typed-token");
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let endless = exchange(|_| async {
        let piece = bytes::Bytes::from_static(&[b' '; 64 * 1024]);
        Ok(Response::new(Body::once(futures_util::stream::repeat_with(move || Ok(piece.clone())))))
    });
    let error = call(&client(), &endless).await.unwrap_err();
    assert_eq!(error.cause::<Error>().unwrap().kind(), Kind::TooLarge);
}

#[tokio::test]
async fn a_token_never_shows_in_an_error_that_echoes_it() {
    assert_eq!(
        fetched(200, r#"{"access_token": "made-up-echoed-token"}"#).await.unwrap(),
        "made-up-echoed-token"
    );
    assert_eq!(Error::new(Kind::Status, "no made-up-echoed-token here").to_string(), "no *** here");
}

#[tokio::test]
async fn a_token_request_may_be_repeated_and_is_not_shown_by_the_wire() {
    let asked = Arc::new(Mutex::new(None));
    let copy = Arc::clone(&asked);
    let exchange = exchange(move |request| {
        *copy.lock().unwrap() = Some(request);
        async { answer(200, r#"{"access_token": "made-up-token-1."}"#) }
    });
    call(&client(), &exchange).await.unwrap();
    let request = asked.lock().unwrap().take().unwrap();
    let context = Context::of(&request);
    assert!(context.repeatable);
    assert_eq!(context.read, Read::Stream);
    assert_eq!((request.method(), request.uri().to_string().as_str()), (&Method::POST, TOKEN_URL));
    assert!(request.headers()["authorization"].is_sensitive());
}

#[tokio::test]
async fn a_preview_fetches_nothing() {
    let mut request = get("https://api.example.com/");
    Auth::oauth2(client()).preview(&mut request).unwrap();
    assert_eq!(request.headers()["authorization"], "Bearer ***");
}
