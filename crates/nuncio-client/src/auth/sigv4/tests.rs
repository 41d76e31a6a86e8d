use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::HeaderMap;
use serde_json::Value;

use super::*;
use crate::auth::Auth;
use crate::auth::testing::{exchange, get, signed};
use crate::{Clock, Kind};

const NOW: Duration = Duration::from_secs(1_440_938_160);
const URL: &str = "https://example.amazonaws.com/";

fn signer(service: &str) -> SigV4Signer {
    let credentials = Credentials::new("MADEUPKEYID", "made-up-secret-access-key".into());
    SigV4Signer::new(credentials, "us-east-1", service)
}

fn exchange_at(now: Duration) -> Exchange {
    let mut exchange = exchange(|_| async { panic!("nothing needs to be fetched") });
    exchange.clock = Clock::fixed(std::time::UNIX_EPOCH + now);
    exchange
}

async fn sent(signer: &SigV4Signer, request: Request) -> Request {
    signer.authenticate(request, &exchange_at(NOW)).await.unwrap()
}

async fn refusal(signer: SigV4Signer, request: Request) -> Error {
    signed(Auth::sigv4(signer), request).await.unwrap_err()
}

fn stream(url: &str) -> Request {
    let body = Body::once(futures_util::stream::iter([Ok(bytes::Bytes::from_static(b"made-up"))]));
    http::Request::put(url).body(body).unwrap()
}

struct Case(Value);

impl Case {
    fn all() -> Vec<Self> {
        let file: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/aws-sigv4.json")).unwrap();
        file["cases"].as_array().unwrap().iter().cloned().map(Self).collect()
    }

    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_default()
    }

    fn expected(&self, name: &str) -> &str {
        self.0["expect"][name].as_str().unwrap()
    }

    fn signer(&self) -> SigV4Signer {
        let mut credentials = Credentials::new(self.text("access_key"), self.text("secret_key").into());
        if let Some(token) = self.0["session_token"].as_str() {
            credentials = credentials.session_token(token.into());
        }
        let signer = SigV4Signer::new(credentials, self.text("region"), self.text("service"));
        match self.0["expires"].as_u64() {
            Some(secs) => signer.presigned(Duration::from_secs(secs)),
            None => signer,
        }
    }

    fn now(&self) -> Duration {
        Duration::from_secs(self.0["now"].as_u64().unwrap())
    }

    fn url(&self) -> String {
        let params: Vec<String> = self.0["params"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| format!("{name}={}", canonical::encode_value(value.as_str().unwrap())))
            .collect();
        let mark = if params.is_empty() { "" } else { "?" };
        format!("{}{mark}{}", self.text("url"), params.join("&"))
    }

    fn headers(&self) -> HeaderMap {
        let pairs: Vec<(String, String)> = serde_json::from_value(self.0["headers"].clone()).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        headers
    }

    fn request(&self) -> Request {
        let body = BASE64_STANDARD.decode(self.text("body_base64")).unwrap();
        let mut request = http::Request::builder()
            .method(self.text("method"))
            .uri(self.url())
            .body(Body::from(body))
            .unwrap();
        *request.headers_mut() = self.headers();
        request
    }
}

#[test]
fn recorded_signatures_are_reproduced_step_by_step() {
    let cases = Case::all();
    assert_eq!(cases.len(), 54);
    for case in cases {
        let (name, signer) = (case.text("name"), case.signer());
        let time = amz_date(case.now());
        let mut request = case.request();
        let as_written = request.uri().clone();
        signer.prepare(&mut request, &time).unwrap();
        if signer.presigned.is_none() {
            // The library signs what it is given.
            *request.uri_mut() = as_written;
        }
        let payload = signer.payload(&request).unwrap();
        let signing = signer.sign(&Message::of(&request).unwrap(), &time, &payload);
        assert_eq!(signing.canonical_request, case.expected("canonical_request"), "{name}");
        assert_eq!(signing.string_to_sign, case.expected("string_to_sign"), "{name}");
        assert_eq!(signing.signature, case.expected("signature"), "{name}");
    }
}

/// Where the recorded library signs a query as it is written, the scheme writes it first so that no service can read it otherwise.
#[tokio::test]
async fn recorded_signatures_are_those_of_the_requests_sent() {
    let mut written_otherwise = Vec::new();
    for case in Case::all() {
        let name = case.text("name").to_owned();
        let request = case.signer().authenticate(case.request(), &exchange_at(case.now())).await.unwrap();
        let uri = request.uri().to_string();
        if case.0["expires"].is_u64() {
            let (expected, _) = case.expected("final_url").split_once("&X-Amz-Signature").unwrap();
            assert_eq!(uri.split_once("&X-Amz-Signature").unwrap().0, expected, "{name}");
        }
        let added = case.0["expect"]["headers_added"].as_object().unwrap();
        let same =
            added.iter().all(|(name, value)| request.headers()[name.as_str()] == value.as_str().unwrap());
        if !same || (added.is_empty() && uri != case.expected("final_url")) {
            written_otherwise.push(name);
        }
    }
    assert_eq!(
        written_otherwise,
        ["query-lower-case-percent-encoding", "query-literal-plus", "query-value-with-equals"]
    );
}

#[tokio::test]
async fn what_is_signed_verifies() {
    for case in Case::all() {
        let (name, signer) = (case.text("name"), case.signer());
        let request = signer.authenticate(case.request(), &exchange_at(case.now())).await.unwrap();
        let verdict = signer.verify(&Message::of(&request).unwrap(), case.now() + Duration::from_secs(50));
        assert!(verdict.is_ok(), "{name}: {verdict:?}");
    }
}

#[tokio::test]
async fn an_altered_request_does_not_verify() {
    let signer = signer("service");
    let request = || {
        let body = Body::from("{}".to_owned());
        http::Request::post("https://example.amazonaws.com/a?b=1")
            .header("content-type", "a/b")
            .body(body)
            .unwrap()
    };
    let good = sent(&signer, request()).await;
    let verdict = |change: &dyn Fn(&mut Message<'_>), now: Duration| {
        let mut message = Message::of(&good).unwrap();
        change(&mut message);
        signer.verify(&message, now).map_err(|error| error.to_string())
    };
    let mut unsigned = good.headers().clone();
    unsigned.insert("x-amz-acl", HeaderValue::from_static("public"));
    let mut other_type = good.headers().clone();
    other_type.insert("content-type", HeaderValue::from_static("c/d"));
    let none = HeaderMap::new();
    assert_eq!(verdict(&|_| {}, NOW), Ok(()));
    for (change, why) in [
        (&(|it: &mut Message<'_>| it.method = "PUT") as &dyn Fn(&mut Message<'_>), "is wrong"),
        (&|it| it.path = "/c", "is wrong"),
        (&|it| it.query = Some("b=2"), "is wrong"),
        (&|it| it.body = Some(b"[]"), "is wrong"),
        (&|it| it.authority = "other.example.com".into(), "is wrong"),
        (&|_| {}, "is from another time"),
    ] {
        let now = if why == "is wrong" { NOW } else { NOW + Duration::from_secs(901) };
        assert_eq!(verdict(change, now), Err(format!("the signature {why}")));
    }
    for (headers, why) in [
        (&unsigned, "leaves out the header x-amz-acl"),
        (&other_type, "is wrong"),
        (&none, "is missing or unreadable"),
    ] {
        let mut message = Message::of(&good).unwrap();
        message.headers = headers;
        assert_eq!(signer.verify(&message, NOW).unwrap_err().to_string(), format!("the signature {why}"));
    }
}

#[tokio::test]
async fn another_key_region_or_service_does_not_verify() {
    let request = sent(&signer("service"), get(URL)).await;
    let message = Message::of(&request).unwrap();
    let other_secret = SigV4Signer::new(
        Credentials::new("MADEUPKEYID", "made-up-other-secret".into()),
        "us-east-1",
        "service",
    );
    for other in [signer("iam"), other_secret] {
        assert_eq!(other.verify(&message, NOW).unwrap_err().kind(), Kind::Auth);
    }
}

#[tokio::test]
async fn a_presigned_url_is_good_for_its_time_and_no_longer() {
    let signer = signer("s3").presigned(Duration::from_secs(3600));
    let request = sent(&signer, get("https://bucket.s3.amazonaws.com/key")).await;
    assert!(request.headers().is_empty());
    let message = Message::of(&request).unwrap();
    assert!(signer.verify(&message, NOW + Duration::from_secs(3600)).is_ok());
    assert!(signer.verify(&message, NOW + Duration::from_secs(3601)).is_err());
}

#[tokio::test]
async fn a_stream_goes_to_s3_over_tls_unsigned_and_nowhere_else() {
    let request = sent(&signer("s3"), stream("https://bucket.s3.amazonaws.com/key")).await;
    assert_eq!(request.headers()["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
    for (service, url) in [("s3", "http://localhost/key"), ("execute-api", URL)] {
        let error = refusal(signer(service), stream(url)).await;
        assert_eq!(error.kind(), Kind::Configuration);
        assert_eq!(error.to_string(), "a body that is not held in memory cannot be signed");
    }
    let request = sent(&signer("execute-api").unsigned_payload(), stream(URL)).await;
    assert_eq!(request.headers()["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
}

#[tokio::test]
async fn a_query_is_sent_in_the_one_spelling_that_all_services_sign() {
    let request =
        sent(&signer("service"), get("https://example.amazonaws.com/a+b?q=c+d&t=1:2&acl&k=a=b&x=%2f")).await;
    assert_eq!(request.uri(), "https://example.amazonaws.com/a+b?q=c%20d&t=1%3A2&acl=&k=a%3Db&x=%2F");
    let request = sent(&signer("s3"), get("https://bucket.s3.amazonaws.com/a%2fb/c(d)")).await;
    assert_eq!(request.uri(), "https://bucket.s3.amazonaws.com/a%2Fb/c%28d%29");
}

#[tokio::test]
async fn the_signature_and_the_token_are_sensitive() {
    let credentials = Credentials::new("MADEUPKEYID", "made-up-secret-access-key".into());
    let signer =
        SigV4Signer::new(credentials.session_token("made-up-session".into()), "us-east-1", "service");
    let request = sent(&signer, get(URL)).await;
    for name in ["authorization", "x-amz-security-token"] {
        assert!(request.headers()[name].is_sensitive(), "{name}");
    }
}

#[tokio::test]
async fn an_empty_credential_is_refused() {
    for credentials in
        [Credentials::new("", "made-up-secret".into()), Credentials::new("MADEUPKEYID", "".into())]
    {
        let error = refusal(SigV4Signer::new(credentials, "us-east-1", "service"), get(URL)).await;
        assert_eq!(error.to_string(), "the credential is empty");
    }
}

#[test]
fn an_explanation_shows_what_is_signed() {
    let steps = signer("service").explain(get(URL), &exchange_at(NOW)).unwrap();
    assert_eq!(steps[0].name, "canonical request");
    assert!(steps[0].text.starts_with("GET\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n"));
    assert_eq!(steps[1].name, "string to sign");
    assert!(
        steps[1]
            .text
            .starts_with("AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\n")
    );
}

#[test]
fn a_preview_shows_who_signs_and_no_more() {
    let mut request = get(URL);
    signer("s3").preview(&mut request).unwrap();
    assert_eq!(
        request.headers()["authorization"],
        "AWS4-HMAC-SHA256 Credential=MADEUPKEYID/***/us-east-1/s3/aws4_request, SignedHeaders=***, Signature=***"
    );
    let mut request = get(URL);
    signer("s3").presigned(Duration::from_secs(60)).preview(&mut request).unwrap();
    assert_eq!(request.uri(), "https://example.amazonaws.com/?X-Amz-Signature=***");
}
