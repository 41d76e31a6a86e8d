//! A token that can be got at any time, and how it is shared.

use futures_util::future::join_all;
use tokio::time::advance;
use tower::{Layer as _, ServiceExt as _, service_fn};

use super::super::grant::Grant;
use super::*;
use crate::auth::testing::listening;
use crate::auth::{Auth, AuthLayer, Renewed};
use crate::{Read, Response};

#[tokio::test(start_paused = true)]
async fn a_hundred_callers_wait_for_one_fetch() {
    let provider = Provider::new(r#", "expires_in": 3600"#);
    let (scheme, exchange) = (scheme(), provider.exchange());
    let tokens = join_all((0..100).map(|_| call(&scheme, &exchange))).await;
    assert!(tokens.into_iter().all(|carried| carried.unwrap() == token(1)));
    assert_eq!(provider.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_goes_on_when_the_caller_that_began_it_is_dropped() {
    let provider = Provider::new(r#", "expires_in": 3600"#);
    let (scheme, exchange) = (scheme(), provider.exchange());
    let mut first = Box::pin(call(&scheme, &exchange));
    assert!((&mut first).now_or_never().is_none());
    let mut second = Box::pin(call(&scheme, &exchange));
    assert!((&mut second).now_or_never().is_none());
    drop(first);
    assert_eq!(second.await.unwrap(), token(1));
    assert_eq!(provider.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_nobody_waits_for_any_more_serves_whoever_comes_next() {
    let provider = Provider::new(r#", "expires_in": 3600"#);
    let (scheme, exchange) = (scheme(), provider.exchange());
    let mut only = Box::pin(call(&scheme, &exchange));
    assert!((&mut only).now_or_never().is_none());
    drop(only);
    assert_eq!(call(&scheme, &exchange).await.unwrap(), token(1));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_used_until_a_minute_before_it_expires() {
    let provider = Provider::new(r#", "expires_in": "3600""#);
    let (scheme, exchange) = (scheme(), provider.exchange());
    call(&scheme, &exchange).await.unwrap();
    advance(3539 * SECOND).await;
    assert_eq!(call(&scheme, &exchange).await.unwrap(), token(1));
    advance(SECOND).await;
    assert_eq!(call(&scheme, &exchange).await.unwrap(), token(2));
}

#[tokio::test(start_paused = true)]
async fn a_token_near_its_end_is_used_by_those_who_come_while_it_is_replaced() {
    let provider = Provider::new(r#", "expires_in": 100"#);
    let (scheme, exchange) = (scheme(), provider.exchange());
    call(&scheme, &exchange).await.unwrap();
    advance(95 * SECOND).await;
    let (first, second) = tokio::join!(call(&scheme, &exchange), call(&scheme, &exchange));
    assert_eq!((first.unwrap(), second.unwrap()), (token(2), token(1)));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_does_not_cost_a_token_that_is_still_good() {
    let provider = Provider::new(r#", "expires_in": 3600"#);
    let (scheme, exchange) = (scheme(), provider.exchange());
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
    let (scheme, exchange) = (scheme(), provider.exchange());
    call(&scheme, &exchange).await.unwrap();
    advance(3600 * SECOND).await;
    provider.set_down(true);
    assert_eq!(call(&scheme, &exchange).await.unwrap_err().kind(), Kind::Auth);
}

#[tokio::test(start_paused = true)]
async fn a_failed_fetch_is_told_to_all_who_waited_and_not_remembered() {
    let provider = Provider::new("");
    let (scheme, exchange) = (scheme(), provider.exchange());
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
    let (scheme, exchange) = (scheme(), provider.exchange());
    call(&scheme, &exchange).await.unwrap();
    advance(1_000_000 * SECOND).await;
    assert_eq!(call(&scheme, &exchange).await.unwrap(), token(1));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_at_once_serves_those_who_waited_and_no_one_else() {
    for expires_in in [r#", "expires_in": 0"#, r#", "expires_in": -5"#] {
        let provider = Provider::new(expires_in);
        let (scheme, exchange) = (scheme(), provider.exchange());
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
    let (auth, exchange) = (Auth::oauth2(scheme()), provider.exchange());
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
    let (scheme, exchange) = (scheme(), provider.exchange());
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
    let (auth, exchange) = (Auth::oauth2(scheme()), provider.exchange());
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
async fn a_token_request_may_be_repeated_and_is_not_shown_by_the_wire() {
    let asked = Arc::new(Mutex::new(None));
    let copy = Arc::clone(&asked);
    let exchange = exchange(move |request| {
        *copy.lock().unwrap() = Some(request);
        async { answer(200, r#"{"access_token": "made-up-token-1."}"#) }
    });
    call(&scheme(), &exchange).await.unwrap();
    let request = asked.lock().unwrap().take().unwrap();
    let context = Context::of(&request);
    assert!(context.repeatable);
    assert_eq!(context.read, Read::Stream);
    assert_eq!((request.method(), request.uri().to_string().as_str()), (&http::Method::POST, TOKEN_URL));
    assert!(request.headers()["authorization"].is_sensitive());
}

#[tokio::test(start_paused = true)]
async fn processes_that_share_a_store_share_the_token() {
    let provider = Provider::new(r#", "expires_in": 3600"#);
    let (store, exchange) = (MemoryStore::default(), provider.exchange());
    let processes: Vec<_> = (0..50).map(|_| scheme().store(Arc::new(store.clone()))).collect();
    let tokens = join_all(processes.iter().map(|process| call(process, &exchange))).await;
    assert!(tokens.into_iter().all(|carried| carried.unwrap() == token(1)));
    assert_eq!(provider.fetches(), 1);
}

#[test]
fn scopes_audience_resources_and_parameters_are_sent() {
    let client = client()
        .scopes(["read", "write:all"])
        .audience("https://api.example.com")
        .resource("https://a.example.com")
        .resource("https://b.example.com")
        .token_param("tenant", "7")
        .login_param("prompt", "consent");
    let expected = [
        ("grant_type", "client_credentials"),
        ("scope", "read write:all"),
        ("audience", "https://api.example.com"),
        ("resource", "https://a.example.com"),
        ("resource", "https://b.example.com"),
        ("tenant", "7"),
    ];
    let form = Grant::ClientCredentials.form(&client.scopes, &client.token_params);
    assert_eq!(form, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn a_preview_fetches_nothing() {
    let mut request = get("https://api.example.com/");
    Auth::oauth2(scheme()).preview(&mut request).unwrap();
    assert_eq!(request.headers()["authorization"], "Bearer ***");
}
