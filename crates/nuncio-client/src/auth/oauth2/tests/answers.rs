//! What a token endpoint may say.

use super::*;
use crate::{Answer, Body, Response};

#[tokio::test]
async fn a_refusal_is_shown_with_its_code_and_advice() {
    let error = fetched(
        401,
        r#"{"error": "invalid_client", "error_description": "unknown client", "error_uri": "https://auth.example.com/e1"}"#,
    )
    .await
    .unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    assert_eq!(error.to_string(), "the authorization server refused: invalid_client (unknown client)");
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
    assert_eq!(error.to_string(), "the authorization server refused: invalid_scope");
}

#[tokio::test]
async fn a_refusal_found_by_the_exchange_reads_the_same() {
    let body = r#"{"error": "invalid_client"}"#;
    let checked = exchange(move |_| async move {
        let status = http::StatusCode::UNAUTHORIZED;
        Err(Error::new(Kind::Auth, "401").answered(Answer::new(status, http::HeaderMap::new(), body.into())))
    });
    let error = call(&scheme(), &checked).await.unwrap_err();
    assert_eq!(error.to_string(), fetched(401, body).await.unwrap_err().to_string());
}

#[tokio::test]
async fn an_answer_without_a_token_is_an_error_that_shows_no_token() {
    let cases = [
        (
            r#"<html>Down for maintenance</html>"#,
            "server answered no JSON object: <html>Down for maintenance</html>",
        ),
        ("", "server answered no JSON object: an empty body"),
        (r#"["x"]"#, r#"server answered no JSON object: ["x"]"#),
        (
            "access_token=made-up-form-token",
            "server answered no JSON object: 31 bytes, not shown since they may hold a token",
        ),
        (
            r#"{"accessToken": "made-up-camel-token"}"#,
            "token endpoint answered without access_token: accessToken",
        ),
        (r#"{"access_token": ""}"#, "token endpoint answered without access_token: access_token"),
        (
            r#"{"access_token": "made-up-mac-token", "token_type": "mac"}"#,
            r#"token endpoint gave a token of type "mac", not Bearer"#,
        ),
    ];
    for (body, message) in cases {
        let error = fetched(200, body).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Auth);
        assert_eq!(error.to_string(), format!("the {message}"));
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
    let error = call(&scheme(), &endless).await.unwrap_err();
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
