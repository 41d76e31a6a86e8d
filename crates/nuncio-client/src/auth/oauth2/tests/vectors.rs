//! Requests that other libraries made: pairs are compared as multisets.

use serde_json::Value;

use super::super::client_auth::client_pair;
use super::super::grant::Grant;
use super::*;
use crate::auth::basic;
use crate::auth::testing::no_exchange;

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
        let endpoint = case.text("endpoint").unwrap();
        let client = Client::new(Server::default(), case.text("client_id").unwrap()).scopes(case.scopes());
        let url = client.authorization_url(
            &endpoint.parse().unwrap(),
            case.text("redirect_uri"),
            case.text("state").unwrap(),
            case.text("code_challenge"),
        );
        assert!(url.as_str().starts_with(endpoint));
        case.assert_pairs(url.query_pairs().into_owned());
    }
}

#[tokio::test]
async fn token_bodies_are_those_of_other_libraries() {
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
        let mut form = grant.form(&case.scopes(), &[]);
        // With client credentials the library that was recorded puts them into a Basic header.
        if let Some(id) = case.text("client_id").filter(|_| code.is_some()) {
            let auth = case.secret("client_secret").map_or(ClientAuth::None, ClientAuth::Body);
            let audience = TOKEN_URL.parse().unwrap();
            auth.put_on(id, &audience, &no_exchange(), &mut form, &mut http::HeaderMap::new()).unwrap();
        }
        case.assert_pairs(form.into_iter());
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
