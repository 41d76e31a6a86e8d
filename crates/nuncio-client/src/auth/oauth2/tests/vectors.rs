//! Requests that other libraries made: pairs are compared as multisets.

use serde_json::Value;

use super::super::request::*;
use super::*;
use crate::auth::basic;

struct Case(Value);

impl Case {
    fn of_kind(kind: &str) -> Vec<Self> {
        let file: Value =
            serde_json::from_str(include_str!("../../../../tests/vectors/oauth2-requests.json")).unwrap();
        let cases: Vec<_> = file["cases"].as_array().unwrap().iter().cloned().map(Self).collect();
        assert_eq!(cases.len(), 13);
        cases.into_iter().filter(|case| case.text("kind") == Some(kind)).collect()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0[name].as_str()
    }

    fn secret(&self, name: &str) -> Option<Secret> {
        self.text(name).map(Secret::from)
    }

    fn scopes(&self) -> Vec<String> {
        self.0.get("scope").map(|scopes| serde_json::from_value(scopes.clone()).unwrap()).unwrap_or_default()
    }

    fn assert_pairs(&self, sent: impl Iterator<Item = (String, String)>) {
        let mut expected: Vec<(String, String)> =
            serde_json::from_value(self.0["expect"]["pairs"].clone()).unwrap();
        let mut sent: Vec<_> = sent.collect();
        expected.sort();
        sent.sort();
        assert_eq!(sent, expected, "{:?}", self.text("name"));
    }
}

#[test]
fn authorization_urls_are_those_of_other_libraries() {
    for case in Case::of_kind("authorize-url") {
        let request = AuthorizationRequest {
            client_id: case.text("client_id").unwrap(),
            redirect_uri: case.text("redirect_uri"),
            scopes: &case.scopes(),
            state: case.text("state").unwrap(),
            code_challenge: case.text("code_challenge"),
        };
        let endpoint = case.text("endpoint").unwrap();
        let url = authorization_url(&endpoint.parse().unwrap(), &request);
        assert!(url.as_str().starts_with(endpoint));
        case.assert_pairs(url.query_pairs().into_owned());
    }
}

#[test]
fn token_bodies_are_those_of_other_libraries() {
    for case in Case::of_kind("token-body") {
        let (code, code_verifier) = (case.secret("code"), case.secret("code_verifier"));
        let refresh_token = case.secret("refresh_token");
        let grant = match (&code, &refresh_token) {
            (Some(code), _) => Grant::AuthorizationCode {
                code,
                redirect_uri: case.text("redirect_uri"),
                code_verifier: code_verifier.as_ref(),
            },
            (None, Some(token)) => Grant::RefreshToken(token),
            (None, None) => Grant::ClientCredentials,
        };
        let body = token_body(&TokenRequest {
            grant,
            // With client credentials the library that was recorded puts them into a Basic header.
            client_id: case.text("client_id").filter(|_| code.is_some()),
            client_secret: case.secret("client_secret").as_ref(),
            scopes: &case.scopes(),
            params: &[],
        });
        case.assert_pairs(form_urlencoded::parse(body.as_bytes()).into_owned());
    }
}

#[test]
fn basic_headers_are_those_of_the_rfcs() {
    for case in Case::of_kind("basic-header") {
        let (pair, expected) = match case.text("client_id") {
            Some(id) => (
                client_pair(id, case.text("client_secret").unwrap()),
                "authorization_rfc6749_form_encoded_first",
            ),
            None => (
                basic::pair(case.text("username").unwrap(), case.text("password").unwrap()),
                "authorization_utf8_bytes",
            ),
        };
        assert_eq!(case.0["expect"][expected], format!("Basic {pair}"), "{:?}", case.text("name"));
    }
}

#[test]
fn a_client_secret_is_form_encoded_before_it_goes_into_a_basic_header() {
    // RFC 6749, section 2.3.1: `:` and `%` within id and secret survive.
    let header = basic_header("made:up", &"made-up pass%wörd".into());
    let expected = basic::pair("made%3Aup", "made-up+pass%25w%C3%B6rd");
    assert_eq!(header, format!("Basic {expected}"));
}

#[test]
fn a_client_shows_its_credentials_in_one_place() {
    let in_header = client().token_request(&Context::default()).unwrap();
    assert!(in_header.headers().contains_key("authorization"));
    assert_eq!(in_header.body().as_bytes(), Some(&b"grant_type=client_credentials"[..]));

    let in_body = client().client_auth(ClientAuth::Body).token_request(&Context::default()).unwrap();
    assert!(!in_body.headers().contains_key("authorization"));
    assert_eq!(
        in_body.body().as_bytes(),
        Some(
            &b"grant_type=client_credentials&client_id=made-up-client&client_secret=made-up-client-secret"[..]
        )
    );
}

#[test]
fn scopes_audience_resources_and_parameters_are_sent() {
    let client = client()
        .scopes(["read", "write:all"])
        .audience("https://api.example.com")
        .resource("https://a.example.com")
        .resource("https://b.example.com")
        .param("tenant", "7");
    let request = client.token_request(&Context::default()).unwrap();
    let pairs: Vec<_> = form_urlencoded::parse(request.body().as_bytes().unwrap()).into_owned().collect();
    let expected = [
        ("grant_type", "client_credentials"),
        ("scope", "read write:all"),
        ("audience", "https://api.example.com"),
        ("resource", "https://a.example.com"),
        ("resource", "https://b.example.com"),
        ("tenant", "7"),
    ];
    assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}
