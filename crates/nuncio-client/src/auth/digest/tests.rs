use std::sync::Arc;

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use serde_json::Value;
use tower::{Layer as _, ServiceExt as _, service_fn};

use super::*;
use crate::auth::testing::{get, no_exchange};
use crate::auth::{Auth, AuthLayer, Renewed};
use crate::{Body, Context, Kind, Response};

const URL: &str = "https://www.example.test/dir/index.html";

fn credentials() -> DigestCredentials {
    DigestCredentials::new("made-up-user", "made-up-password".into())
}

fn challenge(nonce: &str) -> Challenge {
    Challenge::new("r", nonce, Algorithm { hash: Hash::Sha256, session: false })
}

fn request(method: &str, url: &str) -> Request {
    http::Request::builder().method(method).uri(url).body(Body::Empty).unwrap()
}

fn asking(challenge: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(WWW_AUTHENTICATE, challenge.parse().unwrap());
    headers
}

/// Tells `scheme` that a request with the headers `sent` was answered with `challenge`.
fn refuse(scheme: &DigestCredentials, sent: &HeaderMap, challenge: &str) -> bool {
    scheme.refused(&Refusal { sent, answered: &asking(challenge), context: &Context::default() })
}

async fn sent(scheme: &DigestCredentials, request: Request) -> HeaderMap {
    scheme.authenticate(request, &no_exchange()).await.unwrap().headers().clone()
}

fn pairs(authorization: &str) -> Vec<(String, String)> {
    let known = [
        "username",
        "realm",
        "nonce",
        "uri",
        "response",
        "opaque",
        "algorithm",
        "qop",
        "nc",
        "cnonce",
        "userhash",
    ];
    let params = &params::schemes(authorization)[0];
    assert_eq!(params.scheme, "Digest");
    known.iter().filter_map(|name| Some(((*name).to_owned(), params.get(name)?.to_owned()))).collect()
}

#[test]
fn recorded_answers_are_reproduced() {
    let file: Value = serde_json::from_str(include_str!("../../../tests/vectors/http-digest.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 31);
    let mut answered_beyond = Vec::new();
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap();
        let scheme = DigestCredentials::new(text("username"), text("password").into());
        let renewed = refuse(&scheme, &HeaderMap::new(), text("www_authenticate"));
        let following = case["following"].as_array().into_iter().flatten();
        for step in [case].into_iter().chain(following) {
            if let Some(challenge) = step["www_authenticate"].as_str() {
                refuse(&scheme, &HeaderMap::new(), challenge);
            }
            let mut request = request(step["method"].as_str().unwrap(), step["url"].as_str().unwrap());
            if let Some(session) = &mut *scheme.session() {
                session.cnonce = Some(text("cnonce").to_owned());
            }
            scheme.put(&mut request, &Random::seeded(7)).unwrap();
            match step["expect"]["authorization"].as_str() {
                Some(expected) => {
                    assert!(renewed);
                    let ours =
                        String::from_utf8_lossy(request.headers()[AUTHORIZATION].as_bytes()).into_owned();
                    let mut ours = pairs(&ours);
                    if text("name") == "md5-sess-no-qop" {
                        ours.retain(|(name, _)| name != "cnonce");
                    }
                    assert_eq!(ours, pairs(expected), "{}", text("name"));
                }
                None if request.headers().is_empty() => assert!(!renewed, "{}", text("name")),
                None => answered_beyond.push(text("name")),
            }
        }
    }
    assert_eq!(answered_beyond, ["algorithm-sha-256-sess", "algorithm-sha-512-256", "qop-auth-int-only"]);
}

#[test]
fn the_published_answer_with_a_hashed_user_is_reproduced() {
    // RFC 7616, section 3.9.2, with the values of its erratum 4897.
    let mut challenge = Challenge::new(
        "api@example.org",
        "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
        Algorithm { hash: Hash::Sha512_256, session: false },
    );
    challenge.userhash = true;
    let proof = Proof::new(&challenge, "Jäsøn Doe", &"Secret, or not?".into());
    let request = get("http://api.example.org/doe.json");
    let message = Message::of(&request).unwrap();
    let cnonce = "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v";
    let answer = proof.authorization(&challenge, &message, 1, cnonce).unwrap();
    let answer = &params::schemes(&answer)[0];
    assert_eq!(
        answer.get("username"),
        Some("793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b")
    );
    assert_eq!(
        answer.get("response"),
        Some("3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5")
    );
}

#[tokio::test]
async fn what_is_answered_verifies_by_every_algorithm_and_protection() {
    let password = "made-up-password".into();
    for hash in [Hash::Md5, Hash::Sha256, Hash::Sha512_256, Hash::Sha512] {
        for protection in [Protection::Old, Protection::Auth, Protection::AuthInt] {
            for (session, userhash, user) in [(false, false, "Jäsøn Doe"), (true, true, "made-up-user")] {
                let mut challenge = Challenge::new("r", "n", Algorithm { hash, session });
                challenge.protection = protection;
                challenge.userhash = userhash;
                let scheme = DigestCredentials::new(user, "made-up-password".into());
                assert!(refuse(&scheme, &HeaderMap::new(), &challenge.to_string()));
                let mut request = http::Request::post(URL).body(Body::from("{}".to_owned())).unwrap();
                *request.headers_mut() = {
                    let body = Body::from("{}".to_owned());
                    sent(&scheme, http::Request::post(URL).body(body).unwrap()).await
                };
                let message = Message::of(&request).unwrap();
                let count = u32::from(protection != Protection::Old);
                assert_eq!(challenge.verify(&message, user, &password).unwrap(), count, "{challenge}");
                assert!(challenge.verify(&message, user, &"made-up-other-password".into()).is_err());
                assert!(challenge.verify(&message, "another", &password).is_err());
                let other_body = Message { body: Some(b"[]"), ..message.clone() };
                assert_eq!(
                    challenge.verify(&other_body, user, &password).is_err(),
                    protection == Protection::AuthInt
                );
                let other_method = Message { method: "PUT", ..message.clone() };
                assert!(challenge.verify(&other_method, user, &password).is_err());
                let other_path = Message { path: "/other", ..message };
                assert!(challenge.verify(&other_path, user, &password).is_err());
            }
        }
    }
}

#[tokio::test]
async fn a_refused_first_answer_is_final_and_a_stale_one_is_not() {
    let scheme = credentials();
    assert!(refuse(&scheme, &HeaderMap::new(), &challenge("n1").to_string()));
    let first = sent(&scheme, get(URL)).await;
    assert!(!refuse(&scheme, &first, &challenge("n2").to_string()), "the password is wrong");

    let again = sent(&scheme, get(URL)).await;
    let stale = Challenge { stale: true, ..challenge("n3") };
    assert!(refuse(&scheme, &again, &stale.to_string()), "only the nonce was old");
}

#[tokio::test]
async fn a_nonce_that_was_good_before_may_be_old_without_a_word() {
    let scheme = credentials();
    refuse(&scheme, &HeaderMap::new(), &challenge("n1").to_string());
    sent(&scheme, get(URL)).await;
    let second = sent(&scheme, get(URL)).await;
    assert!(refuse(&scheme, &second, &challenge("n2").to_string()));
}

#[tokio::test]
async fn a_nonce_that_another_request_replaced_is_not_replaced_again() {
    let scheme = credentials();
    refuse(&scheme, &HeaderMap::new(), &challenge("n1").to_string());
    let (one, other) = (sent(&scheme, get(URL)).await, sent(&scheme, get(URL)).await);
    let stale = |nonce: &str| Challenge { stale: true, ..challenge(nonce) }.to_string();
    assert!(refuse(&scheme, &one, &stale("n2")));
    assert!(refuse(&scheme, &other, &stale("n3")));
    let next = sent(&scheme, get(URL)).await;
    assert_eq!(response::sent(&next).unwrap().get("nonce"), Some("n2"));
}

#[tokio::test]
async fn the_next_nonce_of_a_good_answer_is_used() {
    let scheme = credentials();
    refuse(&scheme, &HeaderMap::new(), &challenge("n1").to_string());
    sent(&scheme, get(URL)).await;
    let mut info = HeaderMap::new();
    info.insert(AUTHENTICATION_INFO, r#"qop=auth, nextnonce="n2""#.parse().unwrap());
    scheme.accepted(&info);
    let next = sent(&scheme, get(URL)).await;
    let next = response::sent(&next).unwrap();
    assert_eq!((next.get("nonce"), next.get("nc")), (Some("n2"), Some("00000001")));
}

#[tokio::test]
async fn the_layer_learns_the_challenge_and_the_next_attempt_answers_it() {
    let wire = service_fn(|request: Request| async move {
        let message = Message::of(&request).unwrap();
        let answer = match challenge("n1").verify(&message, "made-up-user", &"made-up-password".into()) {
            Ok(_) => http::Response::builder().status(200),
            Err(_) => {
                http::Response::builder().status(401).header(WWW_AUTHENTICATE, challenge("n1").to_string())
            }
        };
        Ok::<Response, Error>(answer.body(Body::Empty).unwrap())
    });
    let service = AuthLayer::new(Auth::digest(credentials()), no_exchange()).layer(wire);
    let first = service.clone().oneshot(get(URL)).await.unwrap();
    assert!(first.status() == 401 && first.extensions().get::<Renewed>().is_some());
    assert_eq!(service.oneshot(get(URL)).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_challenge_that_cannot_be_met_is_told() {
    let (context, heard) = crate::auth::testing::listening();
    let answered = asking(r#"Digest realm="r", nonce="n", qop="auth", algorithm=SHA-999"#);
    assert!(!credentials().refused(&Refusal {
        sent: &HeaderMap::new(),
        answered: &answered,
        context: &context
    }));
    assert_eq!(
        *Arc::clone(&heard).lock().unwrap(),
        ["the service asks for no Digest that can be answered (SHA-999)"]
    );
}

#[tokio::test]
async fn a_stream_cannot_be_protected_by_auth_int() {
    let scheme = credentials();
    let int = Challenge { protection: Protection::AuthInt, ..challenge("n1") };
    refuse(&scheme, &HeaderMap::new(), &int.to_string());
    let body = Body::once(futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"made-up"))]));
    let request = http::Request::put(URL).body(body).unwrap();
    let error = scheme.authenticate(request, &no_exchange()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    assert_eq!(error.to_string(), "a body that is not held in memory cannot be signed");
}

#[tokio::test]
async fn the_answer_is_sensitive_and_the_hashed_password_a_secret() {
    let scheme = credentials();
    refuse(&scheme, &HeaderMap::new(), &challenge("n1").to_string());
    assert!(sent(&scheme, get(URL)).await[AUTHORIZATION].is_sensitive());
    let hashed = Hash::Sha256.digest(b"made-up-user:r:made-up-password");
    assert_eq!(crate::Redactor::global().redact(&hashed), "***");
}
