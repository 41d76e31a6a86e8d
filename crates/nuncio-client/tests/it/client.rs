//! The assembled client against a server on this machine.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use futures_util::{StreamExt as _, TryStreamExt as _};
use nuncio_client::auth::Auth;
use nuncio_client::auth::oauth2::{self, OAuth2};
use nuncio_client::check::Checks;
use nuncio_client::pages::{Pages, Param, Place, Records, Strategy};
use nuncio_client::retry::{Backoff, Jitter, Policy};
use nuncio_client::{Body, Builder, Client, Evidence, Kind, Request};

/// What the server saw: one entry a request.
type Seen = Arc<Mutex<Vec<HeaderMap>>>;

async fn serve(router: Router<Seen>) -> (Builder, Seen) {
    let seen = Seen::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let app = router.with_state(Arc::clone(&seen));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let retry = Policy {
        backoff: Backoff {
            base: Duration::from_millis(1),
            max: Duration::from_millis(1),
            jitter: Jitter::None,
        },
        ..Policy::default()
    };
    (Client::builder().base_url(url).retry(retry), seen)
}

/// Fails the first two times.
async fn twice_unavailable(State(seen): State<Seen>, headers: HeaderMap) -> impl IntoResponse {
    let mut seen = seen.lock().expect("not poisoned");
    seen.push(headers);
    if seen.len() < 3 { (StatusCode::SERVICE_UNAVAILABLE, "busy") } else { (StatusCode::OK, r#"{"id":7}"#) }
}

#[tokio::test]
async fn a_get_is_repeated_and_the_answer_tells_how_often() {
    let (builder, _) = serve(Router::new().route("/x", get(twice_unavailable))).await;
    let answer = builder.build().expect("valid").get("/x").send().await.expect("third time lucky");
    assert_eq!(answer.json::<serde_json::Value>().expect("JSON")["id"], 7);
    assert_eq!(answer.history.len(), 3);
}

#[tokio::test]
async fn a_post_of_unknown_fate_is_repeated_only_with_a_key_that_stays_the_same() {
    let (builder, seen) = serve(Router::new().route("/x", post(twice_unavailable))).await;
    let error = builder.clone().build().expect("valid").post("/x").send().await.expect_err("one try");
    assert_eq!((error.kind(), error.evidence(), error.history().len()), (Kind::Status, Evidence::Unknown, 1));

    seen.lock().expect("not poisoned").clear();
    let client = builder
        .idempotency_header(header::HeaderName::from_static("idempotency-key"))
        .build()
        .expect("valid");
    client.post("/x").send().await.expect("third time lucky");
    let seen = seen.lock().expect("not poisoned");
    let keys: Vec<_> = seen.iter().map(|headers| &headers["idempotency-key"]).collect();
    assert!(keys.len() == 3 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[tokio::test]
async fn a_connection_that_is_refused_was_never_sent() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/x", listener.local_addr().expect("bound"));
    drop(listener);
    let policy = Policy { attempts: NonZeroU32::MIN, ..Policy::default() };
    let client = Client::builder().retry(policy).build().expect("valid");
    let error = client.post(&url).send().await.expect_err("nothing listens");
    assert_eq!((error.kind(), error.evidence()), (Kind::Connect, Evidence::NeverSent));
    assert!(error.report().contains("nothing listens at that address"), "{}", error.report());
}

#[tokio::test]
async fn a_200_that_the_service_calls_a_failure_is_one() {
    let (builder, _) =
        serve(Router::new().route("/x", get(|| async { r#"{"ok":false,"error":"no_channel"}"# }))).await;
    let checks = Checks::new().fails_when(|answer| Ok(answer.body["ok"] == false));
    let error = builder.checks(checks).build().expect("valid").get("/x").send().await.expect_err("not ok");
    assert_eq!((error.kind(), error.code()), (Kind::Status, Some("no_channel")));
}

#[tokio::test(start_paused = true)]
async fn retries_of_token_exchanges_and_of_calls_are_paid_from_one_budget() {
    let (token_works, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let transport = {
        let (token_works, calls) = (Arc::clone(&token_works), Arc::clone(&calls));
        tower::service_fn(move |request: Request| {
            let is_call = request.uri().path() != "/token";
            calls.fetch_add(u32::from(is_call), Ordering::Relaxed);
            let works = !is_call && token_works.load(Ordering::Relaxed);
            let (status, body) = if works {
                (200, r#"{"access_token":"made-up","token_type":"Bearer"}"#)
            } else {
                (503, "busy")
            };
            let answer = Response::builder().status(status).body(Body::from(body.to_owned()));
            std::future::ready(answer.map_err(|_| unreachable!("a status and a body")))
        })
    };
    let url: url::Url = "https://api.example.com/token".parse().expect("a URL");
    let auth = Auth::oauth2(OAuth2::client_credentials(
        oauth2::Client::new(url, "made-up").secret("made-up".into()),
    ));
    // A budget is for a minute: all retries come within it.
    let backoff =
        Backoff { base: Duration::from_millis(1), max: Duration::from_millis(1), jitter: Jitter::None };
    let policy = Policy { attempts: NonZeroU32::MAX, backoff, ..Policy::default() };
    let builder = Client::builder().base_url("https://api.example.com").auth(auth).retry(policy);
    let client = builder.transport(transport).build().expect("valid");

    client.get("/x").send().await.expect_err("no token");
    token_works.store(true, Ordering::Relaxed);
    let error = client.get("/x").send().await.expect_err("busy");
    assert!(error.to_string().contains("too large a part of the load"), "{}", error.report());
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

/// Refuses the first time, and asks for no wait.
async fn once_forbidden(State(seen): State<Seen>, headers: HeaderMap) -> impl IntoResponse {
    let mut seen = seen.lock().expect("not poisoned");
    seen.push(headers);
    let status = if seen.len() == 1 { StatusCode::FORBIDDEN } else { StatusCode::CREATED };
    (status, [(header::RETRY_AFTER, "0")])
}

#[tokio::test]
async fn a_403_that_means_too_fast_is_made_again_though_it_is_a_post() {
    let (builder, _) = serve(Router::new().route("/x", post(once_forbidden))).await;
    let checks = Checks::new().throttled_when(|answer| Ok(answer.headers.contains_key(header::RETRY_AFTER)));
    let answer = builder.checks(checks).build().expect("valid").post("/x").send().await.expect("then let in");
    assert_eq!((answer.status, answer.history.len()), (StatusCode::CREATED, 2));
}

#[tokio::test]
async fn an_answer_over_the_bound_is_refused() {
    let (builder, _) = serve(Router::new().route("/x", get(|| async { "x".repeat(2000) }))).await;
    let client = builder.max_body_bytes(1999).build().expect("valid");
    assert_eq!(client.get("/x").send().await.expect_err("too large").kind(), Kind::TooLarge);
    assert!(client.get("/x").max_body_bytes(2000).send().await.is_ok());
}

#[tokio::test]
async fn a_redirect_to_another_origin_is_an_error_that_names_it() {
    let away = get(|| async { (StatusCode::FOUND, [(header::LOCATION, "https://evil.example/")]) });
    let (builder, _) = serve(Router::new().route("/x", away)).await;
    let error = builder.build().expect("valid").get("/x").send().await.expect_err("not followed");
    assert_eq!(error.status(), Some(StatusCode::FOUND));
    assert!(error.report().contains("https://evil.example/"), "{}", error.report());
}

#[tokio::test]
async fn records_come_from_all_pages() {
    let page = get(|RawQuery(query): RawQuery| async move {
        let start: u64 = query.map_or(0, |query| query["cursor=".len()..].parse().expect("our cursor"));
        let items: Vec<u64> = (start..start + 10).collect();
        let next = (start < 90).then(|| (start + 10).to_string());
        serde_json::json!({"data": items, "next": next}).to_string()
    });
    let (builder, _) = serve(Router::new().route("/items", page)).await;
    let strategy = Strategy::Cursor {
        param: Param::Query("cursor".into()),
        next: Place::Body("next".parse().expect("valid")),
    };
    let pages = Pages::new(strategy, Records::Array("data".parse().expect("valid")));
    let items = builder.build().expect("valid").get("/items").pages(&pages).expect("valid");
    let records: Vec<u64> = items.records::<u64>().try_collect().await.expect("complete");
    assert_eq!(records, (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_client_sends_its_credentials_to_its_own_origin_alone() {
    let client = Client::builder().base_url("https://api.example.com").build().expect("valid");
    let error = client.get("https://evil.example/x").send().await.expect_err("refused");
    assert_eq!((error.kind(), error.evidence()), (Kind::Configuration, Evidence::NeverSent));
}

#[tokio::test]
async fn a_failures_body_is_kept_as_far_as_is_asked_for_and_comes() {
    let begun = || {
        let pieces = futures_util::stream::once(async { Ok::<_, std::io::Error>("made-up words") });
        let body = axum::body::Body::from_stream(pieces.chain(futures_util::stream::pending()));
        Response::builder().status(StatusCode::GONE).body(body).expect("an answer")
    };
    let (builder, _) = serve(Router::new().route("/x", get(move || async move { begun() }))).await;
    for (max_failure_bytes, kept) in [(7, "made-up"), (100, "made-up words")] {
        let mut settings = nuncio_client::wire::Settings::default();
        settings.max_failure_bytes = max_failure_bytes;
        let client =
            builder.clone().wire(settings).timeout(Duration::from_millis(400)).build().expect("valid");
        let error = client.get("/x").send().await.expect_err("it is gone");
        assert_eq!(error.status(), Some(StatusCode::GONE), "{error}");
        assert_eq!(error.answer().expect("an answer").body, kept);
    }
}
