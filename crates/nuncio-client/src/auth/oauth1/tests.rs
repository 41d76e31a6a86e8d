use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;

use super::*;
use crate::auth::Auth;
use crate::auth::key::testing::key;
use crate::auth::testing::{get, no_exchange, signed};
use crate::{Kind, Redactor};

const URL: &str = "https://api.example.test/1/items?a=1";
const NOW: Duration = Duration::from_secs(1_760_000_000);

fn signer() -> OAuth1Signer {
    OAuth1Signer::new("made-up-consumer", "made-up-consumer-secret".into())
        .token("made-up-token", "made-up-token-secret".into())
}

fn form_request() -> Request {
    let request =
        http::Request::post(URL).header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    request.body(Body::from("status=a+b%21&status=".to_owned())).unwrap()
}

async fn sent(signer: &OAuth1Signer, request: Request) -> Request {
    signer.authenticate(request, &no_exchange()).await.unwrap()
}

fn methods() -> [Method; 5] {
    [
        Method::HmacSha1,
        Method::HmacSha256,
        Method::HmacSha512,
        Method::RsaSha1(key("rsa1")),
        Method::Plaintext,
    ]
}

struct Case(Value);

impl Case {
    fn all() -> Vec<Self> {
        let file: Value = serde_json::from_str(include_str!("../../../tests/vectors/oauth1.json")).unwrap();
        file["cases"].as_array().unwrap().iter().cloned().map(Self).collect()
    }

    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_default()
    }

    fn signer(&self) -> OAuth1Signer {
        let mut signer = OAuth1Signer::new(self.text("consumer_key"), self.text("consumer_secret").into())
            .method(match self.text("signature_method") {
                "HMAC-SHA1" => Method::HmacSha1,
                "HMAC-SHA256" => Method::HmacSha256,
                "HMAC-SHA512" => Method::HmacSha512,
                "PLAINTEXT" => Method::Plaintext,
                other => panic!("{other} is new"),
            })
            .placement(if self.text("placement") == "BODY" { Placement::Body } else { Placement::Header });
        if let Some(token) = self.0["token"].as_str() {
            signer = signer.token(token, self.text("token_secret").into());
        }
        if let Some(realm) = self.0["realm"].as_str() {
            signer = signer.realm(realm);
        }
        for (name, field) in [("oauth_callback", "callback_uri"), ("oauth_verifier", "verifier")] {
            if let Some(value) = self.0[field].as_str() {
                signer = signer.param(name, value);
            }
        }
        signer
    }

    fn request(&self) -> Request {
        let mut request = http::Request::builder().method(self.text("method")).uri(self.text("url"));
        for (name, value) in self.0["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        request.body(Body::from(self.text("body").to_owned())).unwrap()
    }

    fn params(&self) -> Params {
        let mut params = self.signer().params(self.text("nonce"), self.text("timestamp").parse().unwrap());
        // The examples of the RFC have no version.
        if self.0.get("oauth_version").is_some_and(Value::is_null) {
            params.retain(|(name, _)| name != "oauth_version");
        }
        params
    }
}

fn pairs(authorization: &str) -> Vec<&str> {
    let mut pairs: Vec<&str> = authorization.strip_prefix("OAuth ").unwrap().split(", ").collect();
    pairs.sort_unstable();
    pairs
}

#[test]
fn recorded_signatures_are_reproduced_step_by_step() {
    let cases = Case::all();
    assert_eq!(cases.len(), 40);
    for case in cases {
        let (name, signer, expected) = (case.text("name"), case.signer(), &case.0["expect"]);
        let (mut request, mut params) = (case.request(), case.params());
        let base_string = base_string(&Message::of(&request).unwrap(), &params);
        if let Some(expected) = expected["base_string"].as_str() {
            assert_eq!(base_string, expected, "{name}");
        }
        let signature = signer.sign(&base_string).unwrap();
        assert_eq!(signature, expected["signature"].as_str().unwrap(), "{name}");
        params.push(("oauth_signature".to_owned(), signature));
        signer.put(&mut request, &params).unwrap();
        if let Some(expected) = expected["authorization"].as_str() {
            assert_eq!(pairs(request.headers()[AUTHORIZATION].to_str().unwrap()), pairs(expected), "{name}");
        }
        if let Some(expected) = expected["body"].as_str() {
            assert_eq!(request.body().as_bytes().unwrap(), expected.as_bytes(), "{name}");
        }
    }
}

#[tokio::test]
async fn what_is_signed_verifies_by_every_method_in_every_place() {
    for method in methods() {
        for placement in [Placement::Header, Placement::Query, Placement::Body] {
            let signer = signer().method(method.clone()).placement(placement).realm("a realm");
            let request = sent(&signer, form_request()).await;
            let message = Message::of(&request).unwrap();
            let nonce = signer.verify(&message, NOW).unwrap();
            // What oauthlib takes unless it is told otherwise.
            let is_plain = nonce.bytes().all(|byte| byte.is_ascii_alphanumeric());
            assert!((20..=30).contains(&nonce.len()) && is_plain, "{method:?} {placement:?}: {nonce}");
        }
    }
}

#[tokio::test]
async fn an_altered_request_does_not_verify() {
    for method in methods().into_iter().filter(|method| !matches!(method, Method::Plaintext)) {
        let signer = signer().method(method);
        let request = sent(&signer, form_request()).await;
        let good = Message::of(&request).unwrap();
        for altered in [
            Message { method: "PUT", ..good.clone() },
            Message { path: "/other", ..good.clone() },
            Message { query: Some("a=2"), ..good.clone() },
            Message { body: Some(b"status=c"), ..good.clone() },
            Message { authority: "other.example.test".into(), ..good.clone() },
        ] {
            let error = signer.verify(&altered, NOW).unwrap_err();
            assert_eq!(
                (error.kind(), &*error.to_string()),
                (Kind::Auth, "the OAuth 1.0a signature is wrong")
            );
        }
        let error = signer.verify(&good, NOW + Duration::from_secs(301)).unwrap_err();
        assert_eq!(error.to_string(), "the OAuth 1.0a signature is from another time");
        let none = HeaderMap::new();
        assert!(signer.verify(&Message { headers: &none, ..good }, NOW).is_err());
    }
}

#[tokio::test]
async fn another_consumer_token_or_secret_does_not_verify() {
    for method in [Method::HmacSha1, Method::Plaintext] {
        let request = sent(&signer().method(method.clone()), get(URL)).await;
        let message = Message::of(&request).unwrap();
        let of = |consumer: &str, token: &str, secret: &str| {
            let signer = OAuth1Signer::new(consumer, "made-up-consumer-secret".into()).method(method.clone());
            signer.token(token, secret.into()).verify(&message, NOW)
        };
        assert!(of("made-up-consumer", "made-up-token", "made-up-token-secret").is_ok());
        assert!(of("made-up-other", "made-up-token", "made-up-token-secret").is_err());
        assert!(of("made-up-consumer", "made-up-other", "made-up-token-secret").is_err());
        assert!(of("made-up-consumer", "made-up-token", "made-up-other").is_err());
    }
}

#[tokio::test]
async fn each_attempt_has_its_own_nonce() {
    let (signer, exchange) = (signer(), no_exchange());
    let nonce = async || {
        let request = signer.authenticate(get(URL), &exchange).await.unwrap();
        signer.verify(&Message::of(&request).unwrap(), NOW).unwrap()
    };
    assert_ne!(nonce().await, nonce().await);
}

#[tokio::test]
async fn an_empty_credential_is_refused() {
    for signer in [OAuth1Signer::new("", "made-up-secret".into()), OAuth1Signer::new("made-up", "".into())] {
        let error = signed(Auth::oauth1(signer), get(URL)).await.unwrap_err();
        assert_eq!(error.to_string(), "the credential is empty");
    }
    let by_key = OAuth1Signer::new("made-up", "".into()).method(Method::RsaSha1(key("rsa1")));
    assert!(signed(Auth::oauth1(by_key), get(URL)).await.is_ok(), "the secret has no part in it");
}

#[tokio::test]
async fn a_key_of_another_type_is_refused() {
    let signer = signer().method(Method::RsaSha1(key("ec1")));
    let error = signed(Auth::oauth1(signer), get(URL)).await.unwrap_err();
    assert_eq!(error.to_string(), "a key on P-256 cannot sign by RSA PKCS#1 v1.5 with SHA-1");
}

#[tokio::test]
async fn parameters_go_into_no_body_but_a_form() {
    let body = Body::from("{}".to_owned());
    let json = http::Request::post(URL).header("content-type", "application/json").body(body).unwrap();
    let error = signed(Auth::oauth1(signer().placement(Placement::Body)), json).await.unwrap_err();
    assert_eq!(error.to_string(), "the parameters of OAuth 1.0a go into a form, and the body is none");
}

#[tokio::test]
async fn a_form_that_is_a_stream_is_refused_and_another_stream_is_not() {
    let stream = |media_type: &str| {
        let body = Body::once(futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"made-up"))]));
        http::Request::post(URL).header("content-type", media_type).body(body).unwrap()
    };
    let form = stream("application/x-www-form-urlencoded");
    let error = signed(Auth::oauth1(signer()), form).await.unwrap_err();
    assert_eq!(error.to_string(), "a form that is not held in memory cannot be signed");
    assert!(signed(Auth::oauth1(signer()), stream("text/csv")).await.is_ok());
}

#[tokio::test]
async fn both_secrets_together_are_known_to_the_redactor() {
    let request = sent(&signer().method(Method::Plaintext), get(URL)).await;
    assert!(request.headers()[AUTHORIZATION].is_sensitive());
    let told =
        Redactor::global().redact("refused made-up-consumer-secret%26made-up-token-secret").into_owned();
    assert_eq!(told, "refused ***");
}

#[test]
fn a_preview_shows_who_signs_and_where() {
    let shown = |placement| {
        let mut request = get(URL);
        signer().placement(placement).preview(&mut request).unwrap();
        request
    };
    assert_eq!(
        shown(Placement::Header).headers()[AUTHORIZATION],
        "OAuth oauth_consumer_key=\"made-up-consumer\", oauth_signature=\"***\""
    );
    assert_eq!(shown(Placement::Query).uri(), "https://api.example.test/1/items?a=1&oauth_signature=***");
    assert_eq!(shown(Placement::Body).body().as_bytes(), Some(&b"oauth_signature=***"[..]));
}

#[test]
fn an_explanation_shows_what_is_signed() {
    let steps = signer().explain(get(URL), &no_exchange()).unwrap();
    assert_eq!(steps[0].name, "signature base string");
    assert!(
        steps[0]
            .text
            .starts_with("GET&https%3A%2F%2Fapi.example.test%2F1%2Fitems&a%3D1%26oauth_consumer_key%3D")
    );
    assert!(signer().method(Method::Plaintext).explain(get(URL), &no_exchange()).unwrap().is_empty());
}
