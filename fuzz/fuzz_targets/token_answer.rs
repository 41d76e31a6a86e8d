//! Answers of a token endpoint: a token or an error that shows neither it nor the client's secret. The first line is the status.
#![no_main]

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::StatusCode;
use libfuzzer_sys::fuzz_target;
use nuncio_client::auth::oauth2::{Client, ClientAuth, OAuth2};
use nuncio_client::auth::{Auth, AuthLayer, Exchange};
use nuncio_client::{Body, Clock, Error, Kind, Random, Request, Response};
use nuncio_fuzz::{SECRET, first_line, now};
use serde_json::{Map, Value};
use tower::{Layer as _, ServiceExt as _, service_fn};

fuzz_target!(|data: &[u8]| {
    let (status, body) = first_line(data);
    let Ok(status) = StatusCode::from_bytes(status) else { return };
    let answer = Bytes::copy_from_slice(body);
    let endpoint = service_fn(move |_: Request| {
        let mut response = Response::new(Body::from(answer.clone()));
        *response.status_mut() = status;
        async { Ok::<_, Error>(response) }
    });
    let seen = Arc::new(Mutex::new(None));
    let service = {
        let seen = Arc::clone(&seen);
        service_fn(move |request: Request| {
            *seen.lock().expect("no panic") = request.headers().get("authorization").cloned();
            async { Ok::<_, Error>(Response::new(Body::Empty)) }
        })
    };
    let url: url::Url = "https://auth.example.com/token".parse().expect("a URL");
    let client = Client::new(url, "made-up-client").auth(ClientAuth::Basic(SECRET.into()));
    let exchange = Exchange::new(endpoint, Clock::fixed(now()), Random::seeded(7));
    let layer = AuthLayer::new(Auth::oauth2(OAuth2::client_credentials(client)), exchange);
    let result = nuncio_fuzz::block_on(layer.layer(service).oneshot(Request::new(Body::Empty)));

    let token = token(body);
    match result {
        Ok(_) => {
            let seen = seen.lock().expect("no panic").clone().expect("credentials");
            assert!(status.is_success());
            assert_eq!(seen.as_bytes(), format!("Bearer {}", token.expect("a token")).as_bytes());
        }
        Err(error) => {
            assert!(matches!(error.kind(), Kind::Auth | Kind::Configuration | Kind::Status), "{error:?}");
            let report = error.report();
            assert!(!report.contains(SECRET));
            // Shorter ones, and words of the report itself, tell nothing.
            if let Some(token) = token.filter(|token| token.len() >= 12 && status.is_success()) {
                assert!(!report.contains(&token), "{report}");
            }
        }
    }
});

fn token(body: &[u8]) -> Option<String> {
    let fields: Map<String, Value> = serde_json::from_slice(body).ok()?;
    fields.get("access_token")?.as_str().filter(|token| !token.is_empty()).map(str::to_owned)
}
