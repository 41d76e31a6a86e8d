//! The dashboard, as far as no browser is needed: who may see and do what, what pages carry, and what they say when something fails.

use std::sync::Arc;

use nuncio_client::Secret;
use nuncio_gateway::{Config, Options};
use nuncio_relay::store::{DocumentKind, FaultyStore, MemoryStore};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::json;

use crate::support::{SECRET, Served, document, endpoint, env, source, until};

const TOKEN: &str = "made-up-token-of-the-dashboard";
const READER: &str = "made-up-token-of-a-reader";
const TELLER: &str = "made-up-token-of-a-teller";
const HOSTILE: &str =
    r#"{"id":"evt_made_up","type":"<script>alert(1)</script>","note":"<img src=x onerror=alert(2)>"}"#;

fn token(name: &str, text: &str, scopes: &[&str]) -> nuncio_relay::store::Document {
    let digest = sha256(text);
    document(DocumentKind::Token, name, json!({ "sha256": digest, "scopes": scopes }))
}

fn sha256(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    hex::encode(digest.as_ref())
}

async fn serve(with_tokens: bool) -> Served {
    let mut documents = vec![source("shop", "stripe"), endpoint("ledger", "source/shop")];
    if with_tokens {
        documents.push(token("reader", READER, &["read"]));
        documents.push(token("teller", TELLER, &["publish"]));
    }
    let bootstrap_token = with_tokens.then(|| Secret::new(TOKEN));
    Served::start(Options { bootstrap_token, ..Options::default() }, documents).await
}

/// A browser that follows no redirect.
fn browser() -> Client {
    Client::builder().no_proxy().redirect(Policy::none()).build().unwrap()
}

/// The cookie of whoever signed in with this token.
async fn sign_in(served: &Served, token: &str) -> String {
    let response = post(served, "/sign-in", None, &[("token", token)]).await;
    assert_eq!(response.status(), 303, "{}", response.text().await.unwrap());
    cookie(&response).split(';').next().unwrap().to_owned()
}

fn cookie(response: &Response) -> &str {
    response.headers()["set-cookie"].to_str().unwrap()
}

fn get(served: &Served, path: &str, cookie: Option<&str>) -> RequestBuilder {
    let request = browser().get(format!("{}{path}", served.url));
    cookie.iter().fold(request, |request, cookie| request.header("cookie", *cookie))
}

async fn page(served: &Served, path: &str, cookie: Option<&str>) -> String {
    let response = get(served, path, cookie).send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.text().await.unwrap()
}

async fn post(served: &Served, path: &str, cookie: Option<&str>, form: &[(&str, &str)]) -> Response {
    posting(served, path, cookie, form).send().await.unwrap()
}

fn posting(served: &Served, path: &str, cookie: Option<&str>, form: &[(&str, &str)]) -> RequestBuilder {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = browser().post(format!("{}{path}", served.url)).body(body);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    cookie.iter().fold(request, |request, cookie| request.header("cookie", *cookie))
}

fn csrf(page: &str) -> String {
    let (_, rest) = page.split_once(r#"name="csrf" value=""#).expect("a form");
    rest.split('"').next().unwrap().to_owned()
}

async fn is_disabled(served: &Served) -> bool {
    let statuses = served.store.endpoints().await.unwrap();
    statuses.iter().any(|status| status.name == "ledger" && status.disabled.is_some())
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_sent_to_do_so() {
    let served = serve(true).await;
    for path in ["/", "/deliveries", "/endpoints", "/endpoints/ledger", "/sources", "/replays"] {
        let response = get(&served, path, None).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["location"]),
            (303, &"/sign-in".parse().unwrap())
        );
    }
    assert_eq!(get(&served, "/live/events", None).send().await.unwrap().status(), 401);
    let unknown = "nuncio_session=made-up";
    assert_eq!(get(&served, "/", Some(unknown)).send().await.unwrap().status(), 303);
}

#[tokio::test]
async fn a_wrong_token_and_one_that_is_not_for_reading_are_told_so() {
    let served = serve(true).await;
    for (token, told) in [("made-up-token-of-nobody", "is not known"), (TELLER, "not for reading")] {
        let response = post(&served, "/sign-in", None, &[("token", token)]).await;
        assert_eq!(response.status(), 401);
        assert!(!response.headers().contains_key("set-cookie"));
        let page = response.text().await.unwrap();
        assert!(page.contains(told) && !page.contains(token), "{page}");
    }
}

#[tokio::test]
async fn the_cookie_is_not_for_scripts_nor_for_pages_from_elsewhere() {
    let served = serve(true).await;
    let response = post(&served, "/sign-in", None, &[("token", TOKEN)]).await;
    let cookie = cookie(&response);
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains(TOKEN));
}

#[tokio::test]
async fn a_session_sees_no_more_when_it_is_signed_out_or_its_token_is_taken_back() {
    let served = serve(true).await;
    let reader = sign_in(&served, READER).await;
    let form = csrf(&page(&served, "/", Some(&reader)).await);
    let out = post(&served, "/sign-out", Some(&reader), &[("csrf", &form)]).await;
    assert_eq!(out.status(), 303);
    assert_eq!(get(&served, "/", Some(&reader)).send().await.unwrap().status(), 303);

    let reader = sign_in(&served, READER).await;
    let taken = served.client.delete(format!("{}/v1/tokens/reader", served.url)).bearer_auth(TOKEN);
    assert_eq!(taken.send().await.unwrap().status(), 204);
    assert_eq!(get(&served, "/", Some(&reader)).send().await.unwrap().status(), 303);
}

#[tokio::test]
async fn a_session_may_no_more_than_its_token_may_now() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scopes.yaml");
    let write = |scope| {
        let digest = sha256(READER);
        std::fs::write(&path, format!("tokens: {{ reader: {{ sha256: {digest}, scopes: [{scope}] }} }}\n"))
            .unwrap();
    };
    write("read");
    let served = Served::start(Config::read(&path, &env()).unwrap().options(), Vec::new()).await;
    let reader = sign_in(&served, READER).await;
    assert_eq!(get(&served, "/", Some(&reader)).send().await.unwrap().status(), 200);
    write("publish");
    served.handle.reload();
    until(async || get(&served, "/", Some(&reader)).send().await.unwrap().status() == 403).await;
}

#[tokio::test]
async fn a_token_for_reading_sees_no_buttons_and_its_posts_are_refused() {
    let served = serve(true).await;
    let (reader, writer) = (sign_in(&served, READER).await, sign_in(&served, TOKEN).await);
    let seen = page(&served, "/endpoints/ledger", Some(&reader)).await;
    assert!(!seen.contains("/disable") && !seen.contains("Replay…"), "{seen}");
    assert!(page(&served, "/endpoints/ledger", Some(&writer)).await.contains("/disable"));
    let form = csrf(&seen);
    let refused = post(&served, "/endpoints/ledger/disable", Some(&reader), &[("csrf", &form)]).await;
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.unwrap().contains("the token needs the scope write"));
    assert!(!is_disabled(&served).await);
}

#[tokio::test]
async fn a_post_without_what_the_form_carries_is_refused() {
    let served = serve(true).await;
    let (writer, other) = (sign_in(&served, TOKEN).await, sign_in(&served, TOKEN).await);
    let of_another = csrf(&page(&served, "/", Some(&other)).await);
    for form in [vec![], vec![("csrf", "")], vec![("csrf", &*of_another)]] {
        let refused = post(&served, "/endpoints/ledger/disable", Some(&writer), &form).await;
        assert_eq!(refused.status(), 403);
    }
    assert!(!is_disabled(&served).await);
}

#[tokio::test]
async fn a_page_from_elsewhere_cannot_drive_it() {
    for with_tokens in [true, false] {
        let served = serve(with_tokens).await;
        let cookie = if with_tokens { Some(sign_in(&served, TOKEN).await) } else { None };
        let cookie = cookie.as_deref();
        let form = csrf(&page(&served, "/endpoints/ledger", cookie).await);
        let form = [("csrf", &*form)];
        for (name, value) in [
            ("origin", "https://example.test"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let foreign = posting(&served, "/endpoints/ledger/disable", cookie, &form).header(name, value);
            assert_eq!(foreign.send().await.unwrap().status(), 403, "{name}: {value}");
            let live = get(&served, "/live/events", cookie).header(name, value);
            assert_eq!(live.send().await.unwrap().status(), 403, "{name}: {value}");
        }
        assert!(!is_disabled(&served).await);
        let ours = posting(&served, "/endpoints/ledger/disable", cookie, &form).header("origin", &served.url);
        assert_eq!(ours.header("sec-fetch-site", "same-origin").send().await.unwrap().status(), 303);
        assert!(is_disabled(&served).await);
    }
}

#[tokio::test]
async fn without_tokens_only_this_machine_sees_it_by_its_own_name() {
    let served = serve(false).await;
    assert!(page(&served, "/endpoints", None).await.contains("ledger"));
    for (name, value) in [
        ("host", "rebound.example.test"),
        ("x-forwarded-for", "198.51.100.1"),
        ("forwarded", "for=198.51.100.1"),
    ] {
        let response = get(&served, "/endpoints", None).header(name, value).send().await.unwrap();
        assert_eq!(response.status(), 403, "{name}");
        assert!(!response.text().await.unwrap().contains("ledger"));
    }
}

#[tokio::test]
async fn what_a_stranger_sent_is_escaped_and_nothing_inline_is_allowed() {
    let served = serve(false).await;
    assert_eq!(served.stripe("shop", HOSTILE, SECRET).await.status(), 200);
    let id = served
        .store
        .events(nuncio_relay::store::EventQuery { limit: 1, ..Default::default() })
        .await
        .unwrap();
    let event = format!("/events/{}", id.items[0].id);
    served
        .stripe_request("shop", "{}", "made-up-other-secret")
        .header("x-made-up", "<b>bold</b>")
        .send()
        .await
        .unwrap();
    for path in ["/", &event, "/deliveries", "/sources/shop", "/?q=%22%3E%3Cscript%3Ealert(3)%3C/script%3E"] {
        let response = get(&served, path, None).send().await.unwrap();
        let csp = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(csp.starts_with("default-src 'none'; script-src 'self';"), "{csp}");
        assert!(!csp.contains("unsafe"), "{csp}");
        let page = response.text().await.unwrap();
        for hostile in ["<script>alert", "<img src=x", "<b>bold"] {
            assert!(!page.contains(hostile), "{path}: {page}");
        }
        assert!(!page.contains(" style=") && !page.contains("<style"), "{path}");
    }
    let page = page(&served, &event, None).await;
    assert!(page.contains("&#60;script&#62;alert(1)") && page.contains("genuine"), "{page}");
}

#[tokio::test]
async fn a_refused_request_is_shown_with_why_and_no_signature_to_forge_with() {
    let served = serve(false).await;
    served.stripe("shop", HOSTILE, "made-up-other-secret").await;
    let page = page(&served, "/sources/shop", None).await;
    assert!(
        page.contains("the secret is that of another endpoint") && page.contains("does not match"),
        "{page}"
    );
    let good = crate::support::stripe_headers(HOSTILE, SECRET);
    let good = good[0].1.rsplit('=').next().unwrap();
    assert!(!page.contains(good) && !page.contains(SECRET));
}

#[tokio::test]
async fn a_store_that_fails_is_told_in_a_page() {
    let faulty = Arc::new(FaultyStore::new(Arc::new(MemoryStore::default())));
    let served = Served::with_store(
        Options::default(),
        vec![source("shop", "stripe")],
        Arc::<FaultyStore>::clone(&faulty),
    )
    .await;
    faulty.set_failing(true);
    for path in ["/", "/deliveries", "/endpoints", "/sources", "/replays"] {
        let response = get(&served, path, None).send().await.unwrap();
        assert_eq!(response.status(), 503, "{path}");
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        let page = response.text().await.unwrap();
        assert!(page.contains("the store cannot be used now") && page.contains("</html>"), "{page}");
    }
    faulty.set_failing(false);
    assert_eq!(
        get(&served, "/events/evt_01K74Z2E000000000000000000", None).send().await.unwrap().status(),
        404
    );
    assert_eq!(get(&served, "/endpoints/nobody", None).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn what_is_asked_for_badly_is_told_in_a_page() {
    let served = serve(false).await;
    for path in ["/?cursor=x", "/?origin=nowhere", "/events/x"] {
        let response = get(&served, path, None).send().await.unwrap();
        assert!(response.status().is_client_error(), "{path}");
        assert!(response.text().await.unwrap().contains("</html>"), "{path}");
    }
}

#[tokio::test]
async fn assets_are_kept_for_good_under_the_names_that_pages_say() {
    let served = serve(false).await;
    let page = page(&served, "/", None).await;
    let names: Vec<_> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert_eq!(names.len(), 5, "{names:?}");
    for name in names {
        let response = get(&served, name, None).send().await.unwrap();
        assert_eq!(response.status(), 200, "{name}");
        assert_eq!(response.headers()["cache-control"], "public, max-age=31536000, immutable");
    }
    assert_eq!(get(&served, "/assets/nothing.js", None).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn what_arrives_is_told_live_and_the_stream_ends_with_the_gateway() {
    let served = serve(false).await;
    let mut stream = get(&served, "/live/events", None).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let first = String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(first.starts_with("event: part\n") && first.contains("No event yet"), "{first}");
    served.stripe("shop", HOSTILE, SECRET).await;
    let second = String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(second.contains("&#60;script&#62;"), "{second}");
    served.stop().await;
    while let Ok(Some(_)) = stream.chunk().await {}
}

#[tokio::test]
async fn an_event_is_sent_again_from_its_page() {
    let served = serve(false).await;
    served.stripe("shop", HOSTILE, SECRET).await;
    until(async || served.delivered.all().len() == 1).await;
    let (_, id) = served.delivered.all().remove(0);
    let path = format!("/events/{id}");
    let form = csrf(&page(&served, &path, None).await);
    let resent = post(&served, &format!("{path}/resend"), None, &[("csrf", &form)]).await;
    assert_eq!(resent.headers()["location"], format!("{path}?resent=1"));
    until(async || served.delivered.all().len() == 2).await;
    let text = page(&served, "/?q=onerror", None).await;
    assert!(text.contains(&id.to_string()), "{text}");
    assert!(!page(&served, "/?q=nothing-of-the-kind", None).await.contains(&id.to_string()));
    let by_id = get(&served, &format!("/?q={id}"), None).send().await.unwrap();
    assert_eq!(by_id.headers()["location"], path);
}

#[tokio::test]
async fn a_replay_is_begun_and_seen() {
    let served = serve(false).await;
    served.stripe("shop", HOSTILE, SECRET).await;
    until(async || served.delivered.all().len() == 1).await;
    let form = csrf(&page(&served, "/replays", None).await);
    let fields = [("csrf", &*form), ("endpoint", "ledger"), ("state", "delivered"), ("per_second", "50")];
    assert_eq!(post(&served, "/replays", None, &fields).await.status(), 303);
    until(async || page(&served, "/replays", None).await.contains("ended")).await;
    until(async || served.delivered.all().len() == 2).await;
    let wrong = [("csrf", &*form), ("endpoint", "nobody")];
    assert!(post(&served, "/replays", None, &wrong).await.status().is_client_error());
}

#[tokio::test]
async fn pages_that_are_live_leave_connections_for_webhooks() {
    let served = serve(false).await;
    let mut streams = Vec::new();
    for _ in 0..64 {
        let stream = get(&served, "/live/events", None).send().await.unwrap();
        assert_eq!(stream.status(), 200);
        streams.push(stream);
    }
    assert_eq!(get(&served, "/live/events", None).send().await.unwrap().status(), 503);
    streams.pop();
    until(async || get(&served, "/live/events", None).send().await.unwrap().status() == 200).await;
}

#[tokio::test]
async fn an_endpoint_says_how_it_is_and_is_switched_off_and_on() {
    let served = serve(false).await;
    served.stripe("shop", HOSTILE, SECRET).await;
    until(async || page(&served, "/endpoints", None).await.contains("100 %")).await;
    let seen = page(&served, "/endpoints", None).await;
    assert!(seen.contains("healthy") && seen.contains("1 attempts, 0 failed"), "{seen}");
    let form = csrf(&seen);
    let form = [("csrf", &*form), ("reason", "it is moved")];
    post(&served, "/endpoints/ledger/disable", None, &form).await;
    let seen = page(&served, "/endpoints/ledger", None).await;
    assert!(seen.contains("it is moved") && seen.contains("/endpoints/ledger/enable"), "{seen}");
    assert!(!seen.contains(crate::support::ENDPOINT_SECRET), "{seen}");
    post(&served, "/endpoints/ledger/enable", None, &form).await;
    assert!(!is_disabled(&served).await);
}

#[tokio::test]
async fn a_schedule_says_when_it_runs_and_is_paused_and_resumed() {
    let settings =
        json!({ "cron": "0 3 * * *", "call": { "service": "example", "operation": "orders.list" } });
    let served =
        Served::start(Options::default(), vec![document(DocumentKind::Schedule, "nightly", settings)]).await;
    let seen = page(&served, "/schedules", None).await;
    for said in ["call example orders.list · 0 3 * * * UTC", "next <time", "it has not run yet"] {
        assert!(seen.contains(said), "{said}: {seen}");
    }
    let form = csrf(&seen);
    let form = [("csrf", &*form)];
    assert_eq!(post(&served, "/schedules/nightly/pause", None, &[]).await.status(), 403);
    assert_eq!(post(&served, "/schedules/nightly/pause", None, &form).await.status(), 303);
    let seen = page(&served, "/schedules", None).await;
    assert!(seen.contains("paused <time") && !seen.contains("next <time"), "{seen}");
    assert_eq!(post(&served, "/schedules/nightly/resume", None, &form).await.status(), 303);
    assert!(page(&served, "/schedules", None).await.contains("next <time"));
    assert_eq!(post(&served, "/schedules/nobody/run", None, &form).await.status(), 404);
}
