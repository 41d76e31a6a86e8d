//! A secret is in nothing that leaves the process, however the server echoes it.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use base64::Engine as _;
use http::{HeaderName, StatusCode};
use nuncio_client::auth::jwt::{JwtBearer, Signer};
use nuncio_client::auth::key::SigningKey;
use nuncio_client::auth::oauth2::{self, OAuth2};
use nuncio_client::auth::sigv4::{Credentials, SigV4Signer};
use nuncio_client::auth::{
    ApiKey, Auth, DigestCredentials, HmacSigner, MessageSigner, OAuth1Signer, hmac, oauth1,
};
use nuncio_client::{Client, Event, Observer, redact};
use tracing_subscriber::fmt::MakeWriter;

const CANARY: &str = "made-up \"canary\"/+&=ö";

/// A header takes fewer characters.
const HEADER_CANARY: &str = "made-up-header-canary";

const TOKEN_CANARY: &str = "made-up-token-canary";

/// Everything that was written anywhere.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn note(&self, text: &str) {
        self.0.lock().expect("not poisoned").extend_from_slice(text.as_bytes());
    }

    fn assert_free_of(&self, secret: &str) {
        let written = String::from_utf8_lossy(&self.0.lock().expect("not poisoned")).into_owned();
        assert!(written.contains("sending"), "nothing was traced: {written}");
        let json = serde_json::to_string(secret).expect("a string");
        let spellings = [
            secret.to_owned(),
            json.trim_matches('"').to_owned(),
            form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
            percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string(),
            base64::prelude::BASE64_STANDARD.encode(secret),
            base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(secret),
        ];
        for spelling in spellings {
            assert!(!written.contains(&spelling), "{spelling} in {written}");
        }
    }
}

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Refuses everything and repeats what it was sent, in each of the ways a server might; hands out the canary as a token.
async fn echo(request: Request) -> (StatusCode, [(&'static str, String); 1], String) {
    let query = request.uri().query().unwrap_or_default().to_owned();
    if request.uri().path() == "/token" {
        let token =
            serde_json::json!({"access_token": TOKEN_CANARY, "token_type": "Bearer", "expires_in": 600});
        return (StatusCode::OK, [("x-echo", query)], token.to_string());
    }
    let headers: Vec<String> = request
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let body = serde_json::json!({
        "error": {"code": "bad_request", "message": format!("you sent {} with {headers:?}", request.uri())},
        "base64": base64::prelude::BASE64_STANDARD.encode(CANARY),
    });
    (StatusCode::BAD_REQUEST, [("x-echo", query)], body.to_string())
}

/// Every scheme that signs. `PLAINTEXT`, a session token and a token of one's own are what a server can echo.
fn signing_schemes() -> impl Iterator<Item = Auth> {
    let shared = || SigningKey::shared(hmac::Key::verbatim(&CANARY.into()));
    let sigv4 = || {
        let credentials = Credentials::new("MADEUPID", CANARY.into()).session_token(HEADER_CANARY.into());
        SigV4Signer::new(credentials, "eu-west-1", "execute-api")
    };
    let oauth1 = |placement| {
        let signer =
            OAuth1Signer::new("made-up-consumer", CANARY.into()).token("made-up-token", HEADER_CANARY.into());
        Auth::oauth1(signer.method(oauth1::Method::Plaintext).placement(placement))
    };
    [
        Auth::hmac(HmacSigner::new(hmac::Key::verbatim(&CANARY.into()))),
        Auth::digest(DigestCredentials::new("made-up-user", CANARY.into())),
        Auth::jwt(JwtBearer::new(Signer::new(shared()))),
        Auth::message_signature(MessageSigner::new(shared())),
        Auth::sigv4(sigv4()),
        Auth::sigv4(sigv4().presigned(Duration::from_secs(60))),
        oauth1(oauth1::Placement::Header),
        oauth1(oauth1::Placement::Query),
    ]
    .into_iter()
}

#[tokio::test]
async fn a_secret_that_a_server_echoes_is_in_no_error_event_or_trace() {
    let output = Output::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(output.clone()).finish();
    // For all threads: with a subscriber of this one alone, a test on another that traces first switches the trace off for all.
    tracing::subscriber::set_global_default(subscriber).expect("no other test sets one");

    let events = output.clone();
    let observer = Observer::new(move |event| match event {
        Event::Sending { uri, headers, .. } => {
            events.note(&redact::url(*uri));
            redact::headers(headers).for_each(|(name, value)| events.note(&format!("{name}: {value}\n")));
        }
        Event::Answered { headers, body, .. } => {
            redact::headers(headers).for_each(|(name, value)| events.note(&format!("{name}: {value}\n")));
            events.note(&nuncio_client::excerpt(body.unwrap_or_default()));
        }
        other => events.note(&redact::Redactor::global().redact(&format!("{other:?}"))),
    });

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base_url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(echo)).await });

    let token_url: url::Url = format!("{base_url}/token").parse().expect("valid");
    let client = oauth2::Client::new(token_url, "made-up-client").secret(CANARY.into());
    let schemes = [
        Auth::api_key(ApiKey::header(HeaderName::from_static("x-api-key"), HEADER_CANARY.into())),
        Auth::api_key(ApiKey::query("api_key", CANARY.into())),
        Auth::basic("made-up-user", CANARY.into()).expect("no colon"),
        Auth::oauth2(OAuth2::client_credentials(client)),
    ];
    let schemes = schemes.into_iter().chain(signing_schemes());
    for auth in schemes {
        let client = Client::builder()
            .base_url(&base_url)
            .auth(auth.clone())
            .observer(observer.clone())
            .build()
            .expect("valid");
        for step in client.get("/x").explain().expect("it can be signed") {
            output.note(&step.text);
        }
        let error = client.get("/x").send().await.expect_err("refused");
        for text in [error.to_string(), error.report(), format!("{error:?}"), format!("{client:?} {auth:?}")]
        {
            output.note(&text);
        }
    }
    output.assert_free_of(CANARY);
    output.assert_free_of(HEADER_CANARY);
    output.assert_free_of(TOKEN_CANARY);
}
