//! Receivers that want to know who calls.

use nuncio_relay::Fault;
use nuncio_relay::deliver::Targets;
use nuncio_service::Env;
use serde_json::json;

use super::{Receiver, answer, attempt, event, fault, http, reason, settings, try_endpoint};

fn env() -> Env {
    Env::new(|name| (name == "MADE_UP_SECRET").then(|| "made-up-client-secret".to_owned()))
}

#[tokio::test]
async fn a_token_is_fetched_once_and_again_when_it_is_refused() {
    let receiver = Receiver::start(|seen| match seen.uri.path() {
        "/token" => answer(
            200,
            &[("content-type", "application/json")],
            r#"{"access_token":"made-up-token","expires_in":3600}"#,
        ),
        "/strict" => answer(401, &[], ""),
        _ => answer(200, &[], ""),
    })
    .await;
    let auth = json!({ "oauth2": {
        "grant": "client_credentials", "token_url": "/token", "client_id": "made-up-client", "client_secret": "{{ env.MADE_UP_SECRET }}",
    } });
    let targets = Targets::new(settings());
    let to = |path: &str| {
        try_endpoint(http(&format!("{}{path}", receiver.url), json!({ "auth": auth })), env()).unwrap()
    };
    for number in 1..=2 {
        assert_eq!(fault(&attempt(&targets, &to("/hook"), &event("{}"), number).await), None);
    }
    let seen =
        |path: &str| receiver.seen().into_iter().filter(|seen| seen.uri.path() == path).collect::<Vec<_>>();
    assert_eq!(seen("/token").len(), 1);
    assert!(seen("/hook").iter().all(|seen| seen.header("authorization") == "Bearer made-up-token"));

    let outcome = attempt(&targets, &to("/strict"), &event("{}"), 1).await;
    assert_eq!((fault(&outcome), outcome.status), (Some(Fault::Refused), Some(401)));
    assert_eq!((seen("/strict").len(), seen("/token").len()), (2, 3));
}

#[tokio::test]
async fn what_the_token_endpoint_answers_is_not_taken_for_the_endpoints_word() {
    for (status, body, expected) in [
        (400, r#"{"error":"invalid_client"}"#, Fault::Misconfigured),
        (410, "", Fault::Misconfigured),
        (503, "", Fault::Unavailable),
    ] {
        let receiver =
            Receiver::start(move |_| answer(status, &[("content-type", "application/json")], body)).await;
        let auth = json!({ "oauth2": { "grant": "client_credentials", "token_url": "/token", "client_id": "a", "client_secret": "made-up-client-secret" } });
        let to =
            try_endpoint(http(&format!("{}/hook", receiver.url), json!({ "auth": auth })), env()).unwrap();
        let outcome = attempt(&Targets::new(settings()), &to, &event("{}"), 1).await;
        assert_eq!((fault(&outcome), outcome.status), (Some(expected), None), "{}", reason(&outcome));
        assert!(receiver.seen().iter().all(|seen| seen.uri.path() == "/token"));
    }
}

#[tokio::test]
async fn credentials_are_those_of_service_files() {
    let receiver = Receiver::answering(200).await;
    for (auth, begins) in [
        (json!({ "bearer": "{{ env.MADE_UP_SECRET }}" }), "Bearer made-up-client-secret"),
        (
            json!({ "basic": { "user": "ada", "password": "made-up-password" } }),
            "Basic YWRhOm1hZGUtdXAtcGFzc3dvcmQ=",
        ),
        (
            json!({ "sigv4": { "access_key_id": "madeUp", "secret_access_key": "made-up-sigv4-secret", "region": "eu-west-1", "service": "lambda" } }),
            "AWS4-HMAC-SHA256 Credential=madeUp/20251009/eu-west-1/lambda/aws4_request",
        ),
    ] {
        let to = try_endpoint(http(&receiver.url, json!({ "auth": auth })), env()).unwrap();
        attempt(&Targets::new(settings()), &to, &event("{}"), 1).await;
        let seen = receiver.seen().pop().unwrap();
        assert!(seen.header("authorization").starts_with(begins), "{}", seen.header("authorization"));
    }
}
