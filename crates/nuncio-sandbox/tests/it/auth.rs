//! The described credentials are demanded.

use std::time::{Duration, UNIX_EPOCH};

use hmac::{KeyInit, Mac};
use nuncio_client::auth::{Authenticate as _, Exchange, OAuth1Signer};
use nuncio_client::wire::{self, Wire};
use nuncio_client::{Body, Clock, Random};
use nuncio_sandbox::Options;
use nuncio_service::{Connection, Env, Inputs, Service, Settings};
use serde_json::{Value, json};

use crate::support::{Played, TOKEN, answer, body, example, service};

async fn of(auth: &str) -> Played {
    Played::of(&format!(
        "auth: {auth}\noperations: {{ pings.get: {{ get: /ping, sandbox: {{ action: reply }} }} }}"
    ))
    .await
}

async fn status(request: reqwest::RequestBuilder) -> u16 {
    answer(request).await.0
}

#[tokio::test]
async fn a_bearer_token_must_be_the_one_in_the_environment() {
    let played = of("{ bearer: '{{ env.TOKEN }}' }").await;
    assert_eq!(status(played.get("/ping")).await, 200);
    let older = format!("token {TOKEN}");
    assert_eq!(status(played.bare("/ping").header("authorization", older)).await, 200);
    assert_eq!(status(played.bare("/ping").bearer_auth("made-up-other")).await, 401);
    assert_eq!(status(played.bare("/ping")).await, 401);
    assert_eq!(played.counts("pings.get").refused_by_auth, 2);
}

#[tokio::test]
async fn any_credential_will_do_when_the_environment_has_none() {
    let text = "auth: { bearer: '{{ env.TOKEN }}' }\noperations: { pings.get: { get: /ping, sandbox: { action: reply } } }";
    let played = Played::start(Options { services: vec![service(text)], ..Options::default() }).await;
    assert_eq!(status(played.bare("/ping").bearer_auth("made-up-other")).await, 200);
    assert_eq!(status(played.bare("/ping")).await, 401);
}

#[tokio::test]
async fn a_key_is_looked_for_in_its_place() {
    for (place, header, query) in [
        ("header: X-Key, prefix: 'Token '", Some(("x-key", format!("Token {TOKEN}"))), String::new()),
        ("cookie: key", Some(("cookie", format!("a=b; key={TOKEN}"))), String::new()),
        ("query: key", None, format!("?a=b&key={TOKEN}")),
    ] {
        let played = of(&format!("{{ api_key: {{ {place}, value: '{{{{ env.KEY }}}}' }} }}")).await;
        assert_eq!(status(played.bare("/ping")).await, 401, "{place}");
        let request = played.bare(&format!("/ping{query}"));
        let request = match header {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        assert_eq!(status(request).await, 200, "{place}");
    }
}

#[tokio::test]
async fn user_and_password_must_both_be_right() {
    let played = of("{ basic: { user: ada, password: '{{ env.PASSWORD }}' } }").await;
    assert_eq!(status(played.bare("/ping").basic_auth("ada", Some(TOKEN))).await, 200);
    assert_eq!(status(played.bare("/ping").basic_auth("ada", Some("made-up-other"))).await, 401);
    assert_eq!(status(played.bare("/ping").basic_auth("bob", Some(TOKEN))).await, 401);
}

async fn token(played: &Played) -> String {
    let form = [("grant_type", "client_credentials"), ("client_id", TOKEN), ("client_secret", TOKEN)];
    let token = body(played.anonymous_post("/oauth/token").form(&form)).await;
    assert_eq!(token["token_type"], "Bearer");
    token["access_token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn a_token_is_had_for_the_client_s_id_and_secret_in_the_body_or_the_header() {
    let played = Played::start(example()).await;
    let token = token(&played).await;
    assert_eq!(status(played.bare("/v1/orders").bearer_auth(&token)).await, 200);
    assert_eq!(status(played.bare("/v1/orders").bearer_auth("made-up-other")).await, 401);
    let form = [("grant_type", "client_credentials")];
    let request = || played.anonymous_post("/oauth/token").form(&form);
    assert_eq!(status(request().basic_auth(TOKEN, Some(TOKEN))).await, 200);
    let (refused, why) = answer(request().basic_auth(TOKEN, Some("made-up-other"))).await;
    assert_eq!((refused, why), (401, json!({ "error": "invalid_client" })));
    let counts = played.sandbox.counts().0["example"].clone();
    assert_eq!((counts.tokens_issued, counts.tokens_refused), (2, 1));
}

#[tokio::test]
async fn a_token_is_refused_after_its_lifetime_or_its_last_use() {
    let expired = Options { token_lifetime: Duration::ZERO, ..example() };
    let played = Played::start(expired).await;
    let old = token(&played).await;
    assert_eq!(status(played.bare("/v1/orders").bearer_auth(&old)).await, 401);

    let used_up = Options { token_uses: Some(2), ..example() };
    let played = Played::start(used_up).await;
    let token = token(&played).await;
    for expected in [200, 200, 401] {
        assert_eq!(status(played.bare("/v1/orders").bearer_auth(&token)).await, expected);
    }
}

#[tokio::test]
async fn an_expired_token_is_worth_nothing_from_then_on() {
    let faults = vec!["expired-token:times=1,on=orders.list".parse().unwrap()];
    let played = Played::start(Options { faults, ..example() }).await;
    let first = token(&played).await;
    for _ in 0..2 {
        assert_eq!(status(played.bare("/v1/orders").bearer_auth(&first)).await, 401);
    }
    let second = token(&played).await;
    assert_eq!(status(played.bare("/v1/orders").bearer_auth(&second)).await, 200);
}

/// A signed request at 1,000,000 seconds since 1970.
async fn signed(played: &Played, timestamp: u64, body: &Value, signed_body: &Value) -> u16 {
    let message = format!("POST\n/example/v1/payouts\n{timestamp}\n{signed_body}");
    let mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(TOKEN.as_bytes()).expect("a key");
    let signature = hex::encode(mac.chain_update(message).finalize().into_bytes());
    let request = played.anonymous_post("/v1/payouts").json(body);
    status(request.header("x-timestamp", timestamp).header("x-signature", signature)).await
}

#[tokio::test]
async fn a_signature_must_be_of_this_request_and_of_now() {
    let clock = Clock::fixed(UNIX_EPOCH + Duration::from_secs(1_000_000));
    let played = Played::start(Options { clock, ..example() }).await;
    let payout = json!({ "amount": 100, "currency": "eur", "iban": "DE00" });
    let other = json!({ "amount": 900, "currency": "eur", "iban": "DE00" });
    assert_eq!(signed(&played, 1_000_000, &payout, &payout).await, 201);
    assert_eq!(signed(&played, 999_701, &payout, &payout).await, 201);
    assert_eq!(signed(&played, 999_699, &payout, &payout).await, 401);
    assert_eq!(signed(&played, 1_000_301, &payout, &payout).await, 401);
    assert_eq!(signed(&played, 1_000_000, &other, &payout).await, 401);
    assert_eq!(played.sandbox.objects("example", "payouts").len(), 2);
}

/// Credentials of every standard that signs, by secrets that are all [`TOKEN`].
const STANDARDS: [&str; 10] = [
    "{ digest: { user: ada, password: '{{ env.SECRET }}' } }",
    "{ jwt: { key: { secret: '{{ env.SECRET }}' }, claims: { iss: made-up-app, aud: made-up-api } } }",
    "{ sigv4: { access_key_id: MADEUP, secret_access_key: '{{ env.SECRET }}', region: eu-west-1, service: execute-api } }",
    "{ sigv4: { access_key_id: MADEUP, secret_access_key: '{{ env.SECRET }}', region: eu-west-1, service: s3, presigned: 1m } }",
    "{ oauth1: { consumer_key: made-up, consumer_secret: '{{ env.SECRET }}' } }",
    "{ oauth1: { consumer_key: made-up, consumer_secret: '{{ env.SECRET }}', token: made-up, token_secret: a, method: hmac_sha256, placement: query } }",
    "{ oauth1: { consumer_key: made-up, consumer_secret: '{{ env.SECRET }}', method: plaintext } }",
    "{ message_signature: { key: { secret: '{{ env.SECRET }}' }, key_id: made-up, nonce: true } }",
    "{ message_signature: { key: { secret: '{{ env.SECRET }}' }, components: ['@method', '@target-uri', '@query-param;name=\"a\"'], expires_after: 1m } }",
    "{ hmac: { secret: '{{ env.SECRET }}' } }",
];

/// A connection to what is played, with these credentials, by nuncio's own client.
fn connection(played: &Played, auth: &str, secret: &'static str) -> Connection {
    let url = &played.url;
    let text = format!(
        "service: example\nbase_url: {url}\nauth: {auth}\noperations: {{ pings.get: {{ get: /ping, query: {{ a: b c }} }} }}"
    );
    let service =
        Service::from_yaml(&text, "example.yaml").unwrap_or_else(|error| panic!("{}", error.report()));
    let settings = Settings { env: Env::new(move |_| Some(secret.to_owned())), ..Settings::default() };
    Connection::new(service, settings).unwrap_or_else(|error| panic!("{}", error.report()))
}

async fn called(connection: &Connection) -> u16 {
    let call = connection.call("pings.get", Inputs::default()).expect("a call");
    match call.send().await {
        Ok(answer) => answer.status.as_u16(),
        Err(error) => error.status().unwrap_or_else(|| panic!("{}", error.report())).as_u16(),
    }
}

#[tokio::test]
async fn what_the_client_signs_by_a_standard_is_verified() {
    for auth in STANDARDS {
        let played = of(auth).await;
        let right = connection(&played, auth, TOKEN);
        for _ in 0..3 {
            assert_eq!(called(&right).await, 200, "{auth}");
        }
        assert_eq!(called(&connection(&played, auth, "made-up-other")).await, 401, "{auth}");
        assert_eq!(status(played.bare("/ping?a=b")).await, 401, "{auth}");
    }
}

#[tokio::test]
async fn a_private_key_signs_and_its_public_half_verifies() {
    // A key that RFC 9421 publishes, appendix B.1.4.
    let pem = "-----BEGIN PRIVATE KEY-----\\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\\n-----END PRIVATE KEY-----";
    for auth in [
        format!("{{ message_signature: {{ key: {{ private_key: \"{pem}\" }} }} }}"),
        format!(
            "{{ jwt: {{ key: {{ private_key: \"{pem}\" }}, algorithm: EdDSA, claims: {{ iss: made-up-app }} }} }}"
        ),
    ] {
        let played = of(&auth).await;
        assert_eq!(called(&connection(&played, &auth, TOKEN)).await, 200, "{auth}");
        assert_eq!(status(played.bare("/ping").bearer_auth("made.up.token")).await, 401, "{auth}");
    }
}

#[tokio::test]
async fn any_signature_of_the_right_shape_will_do_when_the_environment_has_none() {
    for auth in STANDARDS {
        let text = format!(
            "auth: {auth}\noperations: {{ pings.get: {{ get: /ping, sandbox: {{ action: reply }} }} }}"
        );
        let played = Played::start(Options { services: vec![service(&text)], ..Options::default() }).await;
        assert_eq!(called(&connection(&played, auth, "made-up-other")).await, 200, "{auth}");
        assert_eq!(status(played.bare("/ping")).await, 401, "{auth}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_asked_about_once() {
    let auth = STANDARDS[0];
    let played = of(auth).await;
    assert_eq!(called(&connection(&played, auth, "made-up-other")).await, 401);
    assert_eq!(played.counts("pings.get").requests, 2);
}

#[tokio::test]
async fn a_signed_request_that_is_repeated_is_refused() {
    let wire = Wire::new(&wire::Settings::default()).expect("a wire");
    let exchange = Exchange::new(wire, Clock::system(), Random::new());
    let signer = OAuth1Signer::new("made-up", TOKEN.into());
    let played = of(STANDARDS[4]).await;
    let request = http::Request::get(format!("{}/ping", played.url)).body(Body::Empty).expect("a request");
    let signed = signer.authenticate(request, &exchange).await.expect("it is signed");
    let authorization = signed.headers()["authorization"].to_str().expect("text");
    for expected in [200, 401] {
        assert_eq!(status(played.bare("/ping").header("authorization", authorization)).await, expected);
    }
}

/// A service of sessions, played, and a connection to it with `password`.
async fn of_sessions(place: &str, password: &'static str) -> (Played, Connection) {
    let file = |url: &str| {
        format!(
            "service: example\nbase_url: {url}\nauth: {{ session: {{ login: sessions.create, {place}, \
             input: {{ user: ada, password: '{{{{ env.PASSWORD }}}}' }} }} }}\noperations:\n  \
             sessions.create: {{ post: /login, auth: none, input: {{ user: string!, password: string! }} }}\n  \
             pings.get: {{ get: /ping, sandbox: {{ action: reply }} }}"
        )
    };
    let service = |url: &str| {
        Service::from_yaml(&file(url), "example.yaml").unwrap_or_else(|error| panic!("{}", error.report()))
    };
    let env =
        |password: &'static str| Env::new(move |name| (name == "PASSWORD").then(|| password.to_owned()));
    let options = Options {
        services: vec![service("https://api.example.com")],
        env: env("made-up-session-password"),
        token_lifetime: Duration::from_secs(3600),
        ..Options::default()
    };
    let played = Played::start(options).await;
    let settings = Settings { env: env(password), ..Settings::default() };
    let connection = Connection::new(service(&played.url), settings).expect("a connection");
    (played, connection)
}

#[tokio::test]
async fn one_operation_logs_in_for_all_others() {
    for place in ["token: data.ticket", "token: ticket, header: X-Ticket", "cookie: sid"] {
        let (played, connection) = of_sessions(place, "made-up-session-password").await;
        assert_eq!(status(played.bare("/ping")).await, 401, "{place}");
        for _ in 0..3 {
            assert_eq!(called(&connection).await, 200, "{place}");
        }
        assert_eq!(played.counts("sessions.create").requests, 1, "{place}");
    }
}

#[tokio::test]
async fn a_session_that_ended_is_begun_anew() {
    let (played, connection) = of_sessions("token: ticket", "made-up-session-password").await;
    assert_eq!(called(&connection).await, 200);
    let struck = connection.call("pings.get", Inputs::default()).unwrap();
    let fault = "expired-token:times=1".parse().unwrap();
    let struck = struck.header(http::HeaderName::from_static("sandbox-fault"), fault);
    assert_eq!(struck.send().await.unwrap().status, 200);
    assert_eq!(played.counts("pings.get").refused_by_auth, 1);
    assert_eq!(played.counts("sessions.create").requests, 2);
}

#[tokio::test]
async fn a_wrong_password_is_told_and_tried_once() {
    let (played, connection) = of_sessions("token: ticket", "made-up-wrong-password").await;
    let error = connection.call("pings.get", Inputs::default()).unwrap().send().await.unwrap_err();
    assert_eq!(error.kind(), nuncio_client::Kind::Auth);
    assert!(error.report().contains("the login failed"), "{}", error.report());
    assert_eq!(played.counts("sessions.create").requests, 1);
}
