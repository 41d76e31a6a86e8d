use http::Method;
use serde_json::Value;

use super::*;
use crate::auth::Auth;
use crate::auth::testing::{get, signed};
use crate::{Body, Kind};

const URL: &str = "https://api.example.com/v1/items?page=2";

fn signer() -> HmacSigner {
    HmacSigner::new(Key::verbatim(&"made-up-hmac-secret".into()))
}

fn with_template(template: &str) -> HmacSigner {
    signer().template(template.parse().unwrap())
}

async fn headers(signer: HmacSigner, request: Request) -> HeaderMap {
    signed(Auth::hmac(signer), request).await.unwrap().headers().clone()
}

async fn refusal(signer: HmacSigner, request: Request) -> Error {
    signed(Auth::hmac(signer), request).await.unwrap_err()
}

/// What the server would compute for a template and what was sent in the headers it names.
fn signature_of(message: &str) -> String {
    signer().sign(message.as_bytes())
}

#[tokio::test]
async fn by_default_method_target_time_and_body_are_signed_in_hex() {
    let request = http::Request::post(URL).body(Body::from("{}".to_owned())).unwrap();
    let headers = headers(signer(), request).await;
    assert_eq!(headers["x-timestamp"], "1760000000");
    assert_eq!(headers["x-signature"], signature_of("POST\n/v1/items?page=2\n1760000000\n{}"));
    assert_eq!(headers.len(), 2);
}

#[tokio::test]
async fn the_signature_alone_is_sensitive() {
    let headers = headers(signer(), get(URL)).await;
    assert!(headers["x-signature"].is_sensitive());
    assert!(!headers["x-timestamp"].is_sensitive());
}

#[tokio::test]
async fn every_part_stands_for_what_goes_on_the_wire() {
    let template = "{method}|{path}|{query}|{path_and_query}|{host}|{url}|{body_sha256}|{header:accept}";
    let mut request = get("https://api.example.com:8443/a%2Fb?c=%20d");
    request.headers_mut().append("accept", HeaderValue::from_static("text/html"));
    request.headers_mut().append("accept", HeaderValue::from_static("*/*"));
    let empty_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let expected = format!(
        "GET|/a%2Fb|c=%20d|/a%2Fb?c=%20d|api.example.com:8443|https://api.example.com:8443/a%2Fb?c=%20d\
         |{empty_sha256}|text/html, */*"
    );
    let headers = headers(with_template(template), request).await;
    assert_eq!(headers["x-signature"], signature_of(&expected));
}

#[tokio::test]
async fn the_url_is_signed_as_the_wire_writes_it() {
    let headers = headers(with_template("{url}"), get("https://API.example.com:443?q=it's")).await;
    assert_eq!(headers["x-signature"], signature_of("https://api.example.com/?q=it's"));
}

#[tokio::test]
async fn a_timestamp_or_nonce_is_sent_when_it_is_signed() {
    let headers = headers(with_template("{nonce}:{body}"), get(URL)).await;
    let nonce = headers["x-nonce"].to_str().unwrap();
    assert_eq!(headers["x-signature"], signature_of(&format!("{nonce}:")));
    assert!(!headers.contains_key("x-timestamp"));
}

#[tokio::test]
async fn each_attempt_has_its_own_nonce() {
    let exchange = crate::auth::testing::no_exchange();
    let signer = with_template("{nonce}");
    let first = signer.authenticate(get(URL), &exchange).await.unwrap();
    let second = signer.authenticate(get(URL), &exchange).await.unwrap();
    assert_ne!(first.headers()["x-nonce"], second.headers()["x-nonce"]);
}

#[tokio::test]
async fn headers_prefix_encoding_and_key_id_are_free() {
    let name = HeaderName::from_static;
    let signer = with_template("{header:date-ms}/{nonce}/{header:key-id}/{timestamp}")
        .algorithm(Algorithm::Sha1)
        .encoding(Encoding::Base64)
        .signature_header(name("authorization"))
        .signature_prefix("HMAC ")
        .timestamp_header(name("date-ms"))
        .timestamp_format(TimestampFormat::Milliseconds)
        .nonce_header(name("once"))
        .key_id(name("key-id"), HeaderValue::from_static("made-up-id"));
    let key = Key::verbatim(&"made-up-hmac-secret".into());
    let headers = headers(signer, get(URL)).await;
    let nonce = headers["once"].to_str().unwrap();
    assert_eq!(headers["date-ms"], "1760000000000");
    let message = format!("1760000000000/{nonce}/made-up-id/1760000000000");
    let mac = Encoding::Base64.encode(&key.mac(Algorithm::Sha1, message.as_bytes()));
    assert_eq!(headers["authorization"], format!("HMAC {mac}"));
}

#[tokio::test]
async fn a_streaming_body_is_refused_unless_the_template_leaves_it_out() {
    let streaming = || {
        let body = Body::replay(|| futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"made-up"))]));
        http::Request::post(URL).body(body).unwrap()
    };
    for template in ["{body}", "{body_sha256}"] {
        let error = refusal(with_template(template), streaming()).await;
        assert_eq!(error.kind(), Kind::Configuration);
        assert_eq!(error.to_string(), "a body that is not held in memory cannot be signed");
    }
    assert!(headers(with_template("{method}"), streaming()).await.contains_key("x-signature"));
}

#[tokio::test]
async fn a_signed_header_that_is_missing_is_named() {
    let error = refusal(with_template("{header:Content-Type}"), get(URL)).await;
    assert_eq!(
        error.to_string(),
        "the signature signs the header content-type, which the request does not have"
    );
}

#[tokio::test]
async fn an_empty_secret_is_refused() {
    let error = refusal(HmacSigner::new(Key::verbatim(&"".into())), get(URL)).await;
    assert_eq!(error.to_string(), "the credential is empty");
}

#[test]
fn a_template_with_an_unknown_or_open_part_is_refused() {
    for template in ["{uri}", "{}", "{header:}", "{header:a b}", "{method", "{method}{"] {
        assert!(template.parse::<Template>().is_err(), "{template}");
    }
    assert!("} literal".parse::<Template>().is_ok());
}

#[test]
fn an_explanation_shows_what_is_signed() {
    let exchange = crate::auth::testing::no_exchange();
    let steps = Auth::hmac(with_template("{method} {timestamp}")).explain(get(URL), &exchange).unwrap();
    assert_eq!((steps[0].name, &*steps[0].text), ("string to sign", "GET 1760000000"));
}

#[test]
fn a_preview_blanks_signature_time_and_nonce() {
    let mut request = get(URL);
    let signer = with_template("{timestamp}{nonce}").signature_prefix("v1=");
    Auth::hmac(signer).preview(&mut request).unwrap();
    for (header, shown) in [("x-signature", "v1=***"), ("x-timestamp", "***"), ("x-nonce", "***")] {
        assert_eq!(request.headers()[header], shown);
    }
}

struct Case(Value);

impl Case {
    fn all() -> Vec<Self> {
        let file: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/hmac-request.json")).unwrap();
        file["cases"].as_array().unwrap().iter().cloned().map(Self).collect()
    }

    fn text(&self, pointer: &str) -> &str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    fn body(&self) -> Vec<u8> {
        use base64::prelude::{BASE64_STANDARD, Engine as _};
        match self.0.pointer("/body_repeat/times") {
            Some(times) => self
                .text("/body_repeat/text")
                .repeat(times.as_u64().unwrap().try_into().unwrap())
                .into_bytes(),
            None => BASE64_STANDARD.decode(self.text("/body_base64")).unwrap(),
        }
    }

    fn signer(&self) -> HmacSigner {
        let format = if self.text("/timestamp").ends_with('Z') {
            TimestampFormat::Rfc3339
        } else {
            TimestampFormat::Seconds
        };
        HmacSigner::new(Key::verbatim(&self.text("/secret").into())).timestamp_format(format)
    }
}

#[test]
fn recorded_signatures_are_reproduced_from_their_parts() {
    let cases = Case::all();
    assert_eq!(cases.len(), 14);
    for case in cases {
        let name = case.text("/name");
        let message = case
            .signer()
            .string_to_sign(&Parts {
                method: case.text("/method"),
                origin: "https://api.example.com",
                path_and_query: case.text("/path"),
                timestamp: case.text("/timestamp"),
                nonce: "",
                headers: &HeaderMap::new(),
                body: &case.body(),
            })
            .unwrap();
        if case.0.pointer("/expect/string_to_sign").is_some() {
            assert_eq!(String::from_utf8_lossy(&message), case.text("/expect/string_to_sign"), "{name}");
        }
        assert_eq!(case.signer().sign(&message), case.text("/expect/headers/X-Signature"), "{name}");
        assert!(case.signer().verify(&message, case.text("/expect/headers/X-Signature")), "{name}");
    }
}

/// Two recorded paths cannot be those of a request: one has a line end, which would move the boundary between two signed fields, the
/// other is empty, which the wire writes as `/`.
#[tokio::test]
async fn recorded_signatures_are_those_of_the_requests_sent() {
    let mut impossible = Vec::new();
    for case in Case::all() {
        let url = format!("https://api.example.com{}", case.text("/path"));
        let request =
            http::Request::builder().method(Method::from_bytes(case.text("/method").as_bytes()).unwrap());
        match request.uri(url).body(Body::from(case.body())) {
            Ok(request) if !case.text("/path").is_empty() => {
                let sent = headers(case.signer(), request).await;
                let expected = &case.0["expect"]["headers"];
                assert_eq!(sent["x-timestamp"], expected["X-Timestamp"].as_str().unwrap());
                assert_eq!(sent["x-signature"], expected["X-Signature"].as_str().unwrap());
            }
            _ => impossible.push(case.text("/name").to_owned()),
        }
    }
    assert_eq!(impossible, ["field-boundary-newline-in-path", "empty-path"]);
}
