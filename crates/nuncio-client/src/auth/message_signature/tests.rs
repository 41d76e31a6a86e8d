use http::HeaderMap;
use serde_json::Value;

use super::*;
use crate::auth::Auth;
use crate::auth::hmac::Key;
use crate::auth::key::testing;
use crate::auth::testing::{exchange, get, no_exchange, signed};
use crate::{Body, Kind};

const URL: &str = "https://api.example.com/v1/items?page=2";
const NOW: Duration = Duration::from_secs(1_760_000_000);

fn signer() -> MessageSigner {
    MessageSigner::new(testing::key("ed1"))
}

fn post() -> Request {
    let request = http::Request::post(URL).header("content-type", "application/json");
    request.body(Body::from("{}".to_owned())).unwrap()
}

async fn sent(signer: &MessageSigner, request: Request) -> Request {
    signer.authenticate(request, &no_exchange()).await.unwrap()
}

fn published() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/message-signatures.json")).unwrap()
}

struct Case {
    file: Value,
    case: Value,
}

impl Case {
    fn all() -> Vec<Self> {
        let file = published();
        let cases = file["cases"].as_array().unwrap().clone();
        cases.into_iter().map(|case| Self { file: file.clone(), case }).collect()
    }

    fn text(&self, name: &str) -> &str {
        self.case[name].as_str().unwrap()
    }

    fn expected(&self, name: &str) -> &str {
        self.case["expect"][name].as_str().unwrap()
    }

    fn signer(&self) -> MessageSigner {
        let key = match self.file["keys"][self.text("key")].as_str() {
            Some(pem) => SigningKey::from_pem(&pem.into()).unwrap(),
            None => {
                let secret = self.file["shared_secret_base64"].as_str().unwrap();
                SigningKey::shared(Key::base64(&secret.into()).unwrap())
            }
        };
        let components: Vec<String> = serde_json::from_value(self.case["components"].clone()).unwrap();
        let mut signer = MessageSigner::new(key)
            .algorithm(self.text("algorithm").parse().unwrap())
            .components(components.iter().map(|component| component.parse().unwrap()))
            .label(self.text("label"))
            .unwrap()
            .key_id(self.text("key"));
        if let Some(tag) = self.case["tag"].as_str() {
            signer = signer.tag(tag);
        }
        signer
    }

    fn request(&self) -> Request {
        let request = &self.file["requests"][self.text("request")];
        let text = |name: &str| request[name].as_str().unwrap();
        let headers: Vec<(String, String)> = serde_json::from_value(request["headers"].clone()).unwrap();
        let mut builder = http::Request::builder().method(text("method")).uri(text("url"));
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        builder.body(Body::from(text("body").to_owned())).unwrap()
    }

    fn created(&self) -> Duration {
        Duration::from_secs(self.file["created"].as_u64().unwrap())
    }

    fn exchange(&self) -> Exchange {
        let mut exchange = exchange(|_| async { panic!("nothing needs to be fetched") });
        exchange.clock = Clock::fixed(std::time::UNIX_EPOCH + self.created());
        exchange
    }
}

#[tokio::test]
async fn published_signatures_are_reproduced_byte_by_byte_where_they_are_deterministic() {
    let mut reproduced = Vec::new();
    for case in Case::all().into_iter().filter(|case| case.case["nonce"].is_null()) {
        let (mut request, exchange) = (case.request(), case.exchange());
        let (input, base) = case.signer().prepare(&mut request, &exchange).unwrap();
        assert_eq!(base, case.expected("signature_base"), "{}", case.text("name"));
        let input = format!("{}={}", case.text("label"), serialized(&input));
        assert_eq!(input, case.expected("signature_input"), "{}", case.text("name"));
        if case.case["deterministic"] == true {
            let request = case.signer().authenticate(case.request(), &exchange).await.unwrap();
            assert_eq!(request.headers()[SIGNATURE], case.expected("signature"), "{}", case.text("name"));
            reproduced.push(case.text("name").to_owned());
        }
    }
    assert_eq!(reproduced, ["B.2.5", "B.2.6", "B.4"]);
}

#[test]
fn published_signatures_verify() {
    let cases = Case::all();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let mut request = case.request();
        request.headers_mut().insert(SIGNATURE_INPUT, case.expected("signature_input").parse().unwrap());
        request.headers_mut().insert(SIGNATURE, case.expected("signature").parse().unwrap());
        let verdict = case.signer().verify(&Message::of(&request).unwrap(), case.created());
        assert_eq!(verdict.unwrap().as_deref(), case.case["nonce"].as_str(), "{}", case.text("name"));
        request.headers_mut().insert(
            SIGNATURE_INPUT,
            case.expected("signature_input").replace("created=161", "created=162").parse().unwrap(),
        );
        assert!(case.signer().verify(&Message::of(&request).unwrap(), case.created()).is_err());
    }
}

#[tokio::test]
async fn what_is_signed_verifies_by_every_algorithm() {
    let keys = ["rsa1", "rsa1", "shared", "ec1", "ec384", "ed1"];
    for (algorithm, key) in Algorithm::ALL.into_iter().zip(keys) {
        let signer =
            MessageSigner::new(testing::key(key)).algorithm(algorithm).names_algorithm().sends_nonce();
        let request = sent(&signer, post()).await;
        let nonce = signer.verify(&Message::of(&request).unwrap(), NOW).unwrap();
        assert_eq!(nonce.map(|nonce| nonce.len()), Some(36), "{algorithm}");
        let other = MessageSigner::new(testing::key(if key == "ed1" { "ec1" } else { "ed1" }));
        assert!(other.verify(&Message::of(&request).unwrap(), NOW).is_err(), "{algorithm}");
    }
}

#[tokio::test]
async fn by_default_the_request_line_and_the_body_are_signed() {
    let request = sent(&signer(), post()).await;
    let input = r#"sig1=("@method" "@authority" "@path" "@query" "content-digest" "content-type");created=1760000000"#;
    assert_eq!(request.headers()[SIGNATURE_INPUT], input);
    assert!(ContentDigest::is_of(request.headers()[CONTENT_DIGEST].to_str().unwrap(), b"{}"));
    let request = sent(&signer(), get(URL)).await;
    let input = r#"sig1=("@method" "@authority" "@path" "@query");created=1760000000"#;
    assert_eq!(request.headers()[SIGNATURE_INPUT], input);
}

#[tokio::test]
async fn an_altered_message_does_not_verify() {
    let request = sent(&signer(), post()).await;
    let good = Message::of(&request).unwrap();
    let why = |message: &Message<'_>, now: Duration| {
        let error = signer().verify(message, now).unwrap_err();
        assert_eq!(error.kind(), Kind::Auth);
        error.to_string().replace("the message signature ", "")
    };
    assert!(signer().verify(&good, NOW).is_ok());
    for altered in [
        Message { method: "PUT", ..good.clone() },
        Message { path: "/other", ..good.clone() },
        Message { query: None, ..good.clone() },
        Message { authority: "other.example.com".into(), ..good.clone() },
    ] {
        assert_eq!(why(&altered, NOW), "is wrong");
    }
    assert_eq!(why(&Message { body: Some(b"[]"), ..good.clone() }, NOW), "is for another body");
    assert_eq!(why(&good, NOW + Duration::from_secs(301)), "is from another time");
    let none = HeaderMap::new();
    assert_eq!(why(&Message { headers: &none, ..good.clone() }, NOW), "is missing");
    let mut headers = request.headers().clone();
    headers.insert(SIGNATURE, HeaderValue::from_static("???"));
    assert_eq!(why(&Message { headers: &headers, ..good.clone() }, NOW), "is unreadable");
    headers.insert(SIGNATURE, HeaderValue::from_static("other=:AAAA:"));
    assert_eq!(why(&Message { headers: &headers, ..good }, NOW), "is unreadable");
}

#[tokio::test]
async fn a_signature_must_cover_what_is_asked_for() {
    let narrow = MessageSigner::new(testing::key("ed1")).components(["@method".parse().unwrap()]);
    let request = sent(&narrow, post()).await;
    let message = Message::of(&request).unwrap();
    assert!(narrow.verify(&message, NOW).is_ok());
    let error = signer().verify(&message, NOW).unwrap_err();
    assert_eq!(error.to_string(), "the message signature leaves out \"@authority\"");
}

#[tokio::test]
async fn a_key_id_a_tag_and_an_algorithm_are_held_to() {
    let full = || signer().key_id("made-up-id").tag("made-up-tag").names_algorithm();
    let request = sent(&full(), get(URL)).await;
    let message = Message::of(&request).unwrap();
    assert!(full().verify(&message, NOW).is_ok());
    assert!(full().key_id("another").verify(&message, NOW).is_err());
    assert!(full().tag("another").verify(&message, NOW).is_err());
    assert!(full().algorithm(Algorithm::HmacSha256).verify(&message, NOW).is_err());
}

#[tokio::test]
async fn a_signature_expires() {
    let signer = signer().expires_after(Duration::from_secs(60));
    let request = sent(&signer, get(URL)).await;
    let message = Message::of(&request).unwrap();
    assert!(signer.verify(&message, NOW + Duration::from_secs(59)).is_ok());
    let error = signer.verify(&message, NOW + Duration::from_secs(60)).unwrap_err();
    assert_eq!(error.to_string(), "the message signature has expired");
}

#[tokio::test]
async fn of_several_signatures_one_is_enough() {
    let mut request = sent(&signer(), get(URL)).await;
    for (name, other) in
        [(SIGNATURE_INPUT, "other=(\"@method\");created=1760000000, "), (SIGNATURE, "other=:AAAA:, ")]
    {
        let both = format!("{other}{}", request.headers()[&name].to_str().unwrap());
        request.headers_mut().insert(name, both.parse().unwrap());
    }
    assert!(signer().verify(&Message::of(&request).unwrap(), NOW).is_ok());
}

#[tokio::test]
async fn headers_that_are_signed_are_added() {
    let names = ["date", "content-length", "content-digest", "host"];
    let signer =
        signer().components(names.map(|name| name.parse().unwrap())).content_digest(ContentDigest::Sha512);
    let request = sent(&signer, post()).await;
    assert_eq!(request.headers()[DATE], "Thu, 09 Oct 2025 08:53:20 GMT");
    assert_eq!(request.headers()[CONTENT_LENGTH], "2");
    assert!(request.headers()[CONTENT_DIGEST].to_str().unwrap().starts_with("sha-512=:"));
    assert!(signer.verify(&Message::of(&request).unwrap(), NOW).is_ok());
}

#[tokio::test]
async fn what_cannot_be_signed_is_told() {
    let stream = Body::once(futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"made-up"))]));
    let stream = http::Request::put(URL).body(stream).unwrap();
    let missing = signer().components(["x-missing".parse().unwrap()]);
    let twice = signer().components(["@path".parse().unwrap(), "@path".parse().unwrap()]);
    for (signer, request, message) in [
        (signer(), stream, "a body that is not held in memory cannot be signed"),
        (missing, get(URL), "the request has no \"x-missing\", or not exactly one, to be signed"),
        (twice, get(URL), "\"@path\" is signed twice"),
        (signer().key_id("ö"), get(URL), "the signature's keyid \"ö\" has a character that is not ASCII"),
        (
            signer().algorithm(Algorithm::HmacSha256),
            get(URL),
            "an Ed25519 key cannot sign by HMAC with SHA-256",
        ),
    ] {
        let error = signed(Auth::message_signature(signer), request).await.unwrap_err();
        assert_eq!((error.kind(), &*error.to_string()), (Kind::Configuration, message));
    }
    assert!(signer().label("Not a key").is_err());
    assert!("rsa".parse::<Algorithm>().is_err());
}

#[test]
fn a_preview_shows_what_would_be_signed() {
    let mut request = get(URL);
    signer().key_id("made-up-id").preview(&mut request).unwrap();
    let input = r#"sig1=("@method" "@authority" "@path" "@query");keyid="made-up-id""#;
    assert_eq!(request.headers()[SIGNATURE_INPUT], input);
    assert_eq!(request.headers()[SIGNATURE], "sig1=***");
}

#[test]
fn an_explanation_shows_the_signature_base() {
    let steps = signer().explain(get(URL), &no_exchange()).unwrap();
    assert_eq!(steps[0].name, "signature base");
    assert!(steps[0].text.starts_with("\"@method\": GET\n\"@authority\": api.example.com\n"));
}
