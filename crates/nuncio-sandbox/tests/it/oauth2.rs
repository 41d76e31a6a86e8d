//! The authorization server, asked by nuncio itself and by hand.

#![allow(
    clippy::unwrap_used,
    reason = "clippy knows tests by their attribute, and helpers of tests have none"
)]

use std::sync::Arc;
use std::time::Duration;

use nuncio_client::Client;
use nuncio_client::auth::oauth2::{MemoryStore, NeedsLogin, TokenStore, Tokens, store};
use nuncio_sandbox::{Options, ServiceCounts};
use nuncio_service::{Connection, Inputs, Settings};
use reqwest::redirect::Policy;
use serde_json::json;

use crate::support::{Played, answer, options, service};

const OPERATION: &str = "operations: { pings.get: { get: /ping, sandbox: { action: reply } } }";
const ENDPOINTS: &str = "token_url: /oauth/token, authorization_url: /oauth/authorize, \
                         device_authorization_url: /oauth/device, revocation_url: /oauth/revoke, client_id: made-up-client";

fn shop(oauth2: &str) -> Options {
    options(service(&format!("auth: {{ oauth2: {{ {oauth2} }} }}\n{OPERATION}")))
}

fn login() -> Options {
    shop(&format!("grant: authorization_code, {ENDPOINTS}"))
}

/// A process that shares `tokens` with others.
fn process(played: &Played, options: &Options, tokens: &MemoryStore) -> Connection {
    let settings = Settings {
        env: options.env.clone(),
        base_url: Some(played.url.clone()),
        tokens: Some(Arc::new(tokens.clone())),
        client: Client::builder(),
        ..Settings::default()
    };
    Connection::new(options.services[0].clone(), settings).unwrap()
}

async fn ping(connection: &Connection) -> Result<(), nuncio_client::Error> {
    connection.call("pings.get", Inputs::new()).unwrap().send().await.map(drop)
}

/// Where the page in the browser sends the user.
async fn redirected(url: &url::Url) -> url::Url {
    let browser = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let answer = browser.get(url.as_str()).send().await.unwrap();
    assert_eq!(answer.status(), 302);
    answer.headers()["location"].to_str().unwrap().parse().unwrap()
}

/// A login in the browser, kept.
async fn logged_in(played: &Played, options: &Options) -> MemoryStore {
    let tokens = MemoryStore::default();
    let connection = process(played, options, &tokens);
    let exchange = connection.client().exchange();
    let login = connection.login().unwrap().unwrap();
    let begun = login.client.begin_login("http://127.0.0.1:1/callback", exchange).await.unwrap();
    let back = redirected(begun.url()).await;
    store::replace(&tokens, &begun.finish(&back, exchange).await.unwrap()).await.unwrap();
    tokens
}

async fn kept(tokens: &MemoryStore) -> Tokens {
    tokens.load().await.unwrap().unwrap()
}

/// What is kept, its access token being at its end.
async fn spent(tokens: &MemoryStore) -> Tokens {
    let kept = kept(tokens).await;
    let spent = Tokens { expires_at: Some(kept.obtained_at), ..kept };
    store::replace(tokens, &spent).await.unwrap();
    spent
}

fn counts(played: &Played) -> ServiceCounts {
    played.sandbox.counts().0["example"].clone()
}

#[tokio::test]
async fn a_code_is_had_in_the_browser_and_good_once_and_with_its_verifier() {
    let options = login();
    let played = Played::start(options.clone()).await;
    let tokens = MemoryStore::default();
    let connection = process(&played, &options, &tokens);
    let exchange = connection.client().exchange();
    let login = connection.login().unwrap().unwrap();
    let begin = || login.client.begin_login("http://127.0.0.1:1/callback", exchange);

    let begun = begin().await.unwrap();
    let back = redirected(begun.url()).await;
    assert!(begun.finish(&back, exchange).await.unwrap().refresh_token.is_some());
    let again = begun.finish(&back, exchange).await.unwrap_err();
    assert_eq!(again.code(), Some("invalid_grant"));

    let (one, other) = (begin().await.unwrap(), begin().await.unwrap());
    let code = one.code(&redirected(one.url()).await).unwrap();
    let state = &other.url().query_pairs().find(|(name, _)| name == "state").unwrap().1;
    let stolen = format!("http://127.0.0.1:1/callback?code={}&state={state}", code.expose());
    let error = other.finish(&stolen.parse().unwrap(), exchange).await.unwrap_err();
    assert_eq!(error.code(), Some("invalid_grant"), "another verifier");
}

#[tokio::test]
async fn a_login_is_refreshed_and_its_refresh_token_rotates() {
    let options = Options { refresh_grace: Some(Duration::ZERO), ..login() };
    let played = Played::start(options.clone()).await;
    let tokens = logged_in(&played, &options).await;
    ping(&process(&played, &options, &tokens)).await.unwrap();
    assert_eq!(counts(&played).tokens_issued, 1);

    let before = spent(&tokens).await;
    ping(&process(&played, &options, &tokens)).await.unwrap();
    let after = kept(&tokens).await;
    assert_ne!(after.refresh_token.unwrap().expose(), before.refresh_token.unwrap().expose());
    assert_eq!((counts(&played).tokens_issued, counts(&played).refresh_tokens_reused), (2, 0));
}

#[tokio::test]
async fn a_refresh_token_that_comes_back_ends_the_login_and_its_tokens() {
    let options = Options { refresh_grace: Some(Duration::ZERO), ..login() };
    let played = Played::start(options.clone()).await;
    let tokens = logged_in(&played, &options).await;
    let stale = MemoryStore::default();
    store::replace(&stale, &spent(&tokens).await).await.unwrap();
    let good = process(&played, &options, &tokens);
    ping(&good).await.unwrap();

    let error = ping(&process(&played, &options, &stale)).await.unwrap_err();
    assert!(error.cause::<NeedsLogin>().unwrap().reason().contains("used before"), "{error:?}");
    assert_eq!(counts(&played).refresh_tokens_reused, 1);
    let error = ping(&good).await.unwrap_err();
    assert!(
        error.cause::<NeedsLogin>().is_some(),
        "the access token is dead too, and the next refresh refused"
    );
}

#[tokio::test]
async fn an_answer_that_is_lost_after_it_was_given_is_had_again_within_the_grace() {
    let faults = vec!["reset:after,times=1,on=oauth2.token".parse().unwrap()];
    let plain = Options { refresh_grace: Some(Duration::from_secs(60)), ..login() };
    let seed = Tokens { refresh_token: Some("made-up-seed".into()), ..Tokens::default() };
    let options = Options {
        faults,
        refresh_grace: plain.refresh_grace,
        ..shop(&format!("grant: {{ refresh_token: made-up-seed }}, {ENDPOINTS}"))
    };
    let played = Played::start(options.clone()).await;
    let tokens = MemoryStore::default();
    store::replace(&tokens, &seed).await.unwrap();
    ping(&process(&played, &options, &tokens)).await.unwrap();
    let counts = counts(&played);
    assert_eq!((counts.tokens_issued, counts.refresh_tokens_reused), (2, 0));
    assert_eq!(counts.operations["oauth2.token"].faulted, 1);
}

#[tokio::test]
async fn a_device_gets_its_tokens_when_the_user_has_agreed() {
    let options = shop(&format!("grant: device_code, {ENDPOINTS}"));
    let played = Played::start(options.clone()).await;
    let connection = process(&played, &options, &MemoryStore::default());
    let exchange = connection.client().exchange();
    let login = connection.login().unwrap().unwrap();
    assert!(login.by_device);
    let begun = login.client.begin_device_login(exchange).await.unwrap();
    let page = begun.verification_uri_complete().unwrap().to_owned();
    assert!(page.ends_with(begun.user_code()));
    assert_eq!(reqwest::get(&page).await.unwrap().status(), 200);
    assert!(begun.finish(exchange).await.unwrap().refresh_token.is_some());
}

#[tokio::test]
async fn tokens_that_are_given_back_are_worth_nothing() {
    let options = login();
    let played = Played::start(options.clone()).await;
    let tokens = logged_in(&played, &options).await;
    let connection = process(&played, &options, &tokens);
    ping(&connection).await.unwrap();
    let client = connection.login().unwrap().unwrap().client;
    assert!(client.revoke(&kept(&tokens).await, connection.client().exchange()).await.unwrap());
    let error = ping(&process(&played, &options, &tokens)).await.unwrap_err();
    assert!(error.cause::<NeedsLogin>().is_some());
}

/// A key that was made for the recorded tokens of the client's tests, as a YAML text of one line.
fn pem(name: &str) -> String {
    let vectors = include_str!("../../../nuncio-client/tests/vectors/jwt-sign.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
    let der = vectors["keys"][name]["pkcs8_der_base64"].as_str().unwrap();
    format!(r#""-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n""#)
}

#[tokio::test]
async fn each_standing_grant_and_each_way_to_show_the_client_gets_a_token() {
    let (key, other) = (pem("ed1"), pem("ec1"));
    let rsa = pem("rsa1");
    for oauth2 in [
        "token_url: /t, client_id: me, client_secret: s3".to_owned(),
        "token_url: /t, client_id: me, client_secret: s3, client_auth: body".to_owned(),
        "token_url: /t, client_id: me, client_secret: s3, client_auth: secret_jwt".to_owned(),
        format!("token_url: /t, client_id: me, private_key: {key}"),
        format!("token_url: /t, grant: {{ jwt_bearer: {{ private_key: {other}, claims: {{ iss: me }} }} }}"),
        "token_url: /t, client_id: me, grant: { token_exchange: { subject_token: made-up-subject } }"
            .to_owned(),
        format!("client_id: app, grant: {{ github_app: {{ installation: \"7\", private_key: {rsa} }} }}"),
    ] {
        let options = shop(&oauth2);
        let played = Played::start(options.clone()).await;
        let connection = process(&played, &options, &MemoryStore::default());
        ping(&connection).await.unwrap_or_else(|error| panic!("{oauth2}: {error:?}"));
    }
}

#[tokio::test]
async fn another_key_is_refused() {
    let played =
        Played::start(shop(&format!("token_url: /t, client_id: me, private_key: {}", pem("ed1")))).await;
    let options = shop(&format!("token_url: /t, client_id: me, private_key: {}", pem("ec1")));
    let connection = process(&played, &options, &MemoryStore::default());
    let error = ping(&connection).await.unwrap_err();
    assert_eq!(error.code(), Some("invalid_client"));
}

#[tokio::test]
async fn an_unknown_grant_is_refused() {
    let played = Played::start(login()).await;
    let form = json!({ "grant_type": "password", "client_id": "made-up-client" });
    let (status, body) = answer(played.anonymous_post("/oauth/token").form(&form)).await;
    assert_eq!((status, body["error"].as_str()), (400, Some("unsupported_grant_type")));
}
