//! The key `auth.oauth2`: each grant, each way to show the client, and what a login needs.

use std::sync::Arc;

use nuncio_client::auth::oauth2::{MemoryStore, NeedsLogin, Tokens, store};
use nuncio_client::{Client, Error, Kind};
use nuncio_service::{Connection, Env, Inputs, Service, Settings};
use serde_json::{Value, json};

use crate::connection::{Seen, connect, file};

const OPERATION: &str = "operations: { op: { get: /x } }\n";

/// A key that was made for the recorded tokens of the client's tests, as a YAML text of one line.
fn pem(name: &str) -> String {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../nuncio-client/tests/vectors/jwt-sign.json")).unwrap();
    let der = vectors["keys"][name]["pkcs8_der_base64"].as_str().unwrap();
    format!(r#""-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n""#)
}

fn token(seen: &Seen) -> (u16, Value) {
    let token = json!({"access_token": "made-up-access", "token": "made-up-access"});
    (200, if seen.url.contains("token") { token } else { json!({}) })
}

/// The token request that a call is preceded by, as its URL, its headers and its pairs without signatures.
async fn asked(oauth2: &str) -> (Seen, Vec<(String, String)>) {
    let (connection, log) = connect(file(&format!("auth: {{ oauth2: {{ {oauth2} }} }}\n{OPERATION}")), token);
    connection.call("op", Inputs::new()).unwrap().send().await.unwrap();
    let log = log.lock().unwrap();
    assert_eq!(log[1].headers["authorization"], "Bearer made-up-access", "{oauth2}");
    let pairs = url::form_urlencoded::parse(log[0].body.as_bytes()).into_owned();
    (log[0].clone(), pairs.filter(|(name, _)| !name.ends_with("assertion")).collect())
}

async fn assert_asks(oauth2: &str, expected: &[(&str, &str)]) {
    let (seen, pairs) = asked(oauth2).await;
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(pairs, expected, "{oauth2}");
    assert_eq!((seen.method.as_str(), seen.url.as_str()), ("POST", "https://shop.example.com/v1/token"));
}

#[tokio::test]
async fn each_grant_asks_with_what_it_says() {
    assert_asks(
        "token_url: /token, client_id: me, grant: { refresh_token: '{{ env.MADE_UP_REFRESH }}' }",
        &[("grant_type", "refresh_token"), ("refresh_token", "made-up-refresh"), ("client_id", "me")],
    )
    .await;
    assert_asks(
        "token_url: /token, client_id: me, client_secret: s3, client_auth: body, scopes: [a], \
         grant: { token_exchange: { subject_token: '{{ env.MADE_UP_SUBJECT }}', actor_token: made-up-actor } }",
        &[
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("scope", "a"),
            ("subject_token", "made-up-subject"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("actor_token", "made-up-actor"),
            ("actor_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("client_id", "me"),
            ("client_secret", "s3"),
        ],
    )
    .await;
    let statement = format!(
        "token_url: /token, scopes: [a, b], grant: {{ jwt_bearer: {{ private_key: {}, claims: {{ iss: me }} }} }}",
        pem("ed1")
    );
    let expected = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("scope", "a b")];
    assert_asks(&statement, &expected).await;
}

#[tokio::test]
async fn each_way_to_show_the_client_is_known() {
    let id = ("client_id", "me");
    let grant = ("grant_type", "client_credentials");
    let statement = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert_asks("token_url: /token, client_id: me, client_secret: s3", &[grant]).await;
    assert_asks(
        "token_url: /token, client_id: me, client_secret: s3, client_auth: secret_jwt",
        &[grant, id, statement],
    )
    .await;
    let with_key = format!("token_url: /token, client_id: me, private_key: {}, key_id: k1", pem("ed1"));
    assert_asks(&with_key, &[grant, id, statement]).await;
    assert_asks("token_url: /token, client_id: me, client_auth: tls", &[grant, id]).await;
}

#[tokio::test]
async fn audience_resources_and_parameters_are_asked_for() {
    let oauth2 = "token_url: /token, client_id: me, client_secret: s3, audience: aud, \
                  resources: [https://a.example.com, https://b.example.com], params: { tenant: '{{ env.MADE_UP_TENANT }}' }";
    let expected = [
        ("grant_type", "client_credentials"),
        ("audience", "aud"),
        ("resource", "https://a.example.com"),
        ("resource", "https://b.example.com"),
        ("tenant", "made-up-tenant"),
    ];
    assert_asks(oauth2, &expected).await;
}

#[tokio::test]
async fn a_github_app_asks_under_the_base_url() {
    let oauth2 = format!(
        r#"client_id: app1, grant: {{ github_app: {{ installation: "7", private_key: {} }} }}"#,
        pem("rsa1")
    );
    let (seen, _) = asked(&oauth2).await;
    assert_eq!(seen.url, "https://shop.example.com/v1/app/installations/7/access_tokens");
    assert!(seen.headers["authorization"].to_str().unwrap().starts_with("Bearer ey"));
}

#[tokio::test]
async fn an_issuer_is_asked_where_its_endpoints_are() {
    let text = format!(
        "auth: {{ oauth2: {{ issuer: https://auth.example.com/7, client_id: me, client_secret: s3 }} }}\n{OPERATION}"
    );
    let (connection, log) = connect(file(&text), |seen| match seen.url.as_str() {
        "https://auth.example.com/.well-known/oauth-authorization-server/7" => (
            200,
            json!({"issuer": "https://auth.example.com/7", "token_endpoint": "https://auth.example.com/7/token"}),
        ),
        _ => token(seen),
    });
    connection.call("op", Inputs::new()).unwrap().send().await.unwrap();
    assert_eq!(log.lock().unwrap()[1].url, "https://auth.example.com/7/token");
}

const LOGIN: &str = "auth: { oauth2: { grant: authorization_code, token_url: /token, authorization_url: /authorize, \
                     client_id: me, scopes: [read] } }\n";

#[tokio::test]
async fn a_login_leads_to_the_page_and_its_tokens_are_taken_from_the_store() {
    let service = file(&format!("{LOGIN}{OPERATION}"));
    let (connection, log) = connect(service.clone(), |_| (200, json!({})));
    let login = connection.login().unwrap().unwrap();
    assert!(!login.by_device);
    assert_eq!(login.redirect_uri.as_str(), "http://127.0.0.1/callback");
    let exchange = connection.client().exchange();
    let begun = login.client.begin_login("http://127.0.0.1:1/callback", exchange).await.unwrap();
    assert!(
        begun
            .url()
            .as_str()
            .starts_with("https://shop.example.com/v1/authorize?response_type=code&client_id=me")
    );

    let error = connection.call("op", Inputs::new()).unwrap().send().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    assert_eq!(error.cause::<NeedsLogin>().unwrap().reason(), "nobody has logged in yet");
    assert!(log.lock().unwrap().is_empty());

    let kept = MemoryStore::default();
    let tokens = Tokens { access_token: Some("made-up-of-login".into()), ..Tokens::default() };
    store::replace(&kept, &tokens).await.unwrap();
    let wire = tower::service_fn(|request: nuncio_client::Request| async move {
        assert_eq!(request.headers()["authorization"], "Bearer made-up-of-login");
        Ok::<_, Error>(nuncio_client::Response::new(nuncio_client::Body::from("{}".to_owned())))
    });
    let settings = Settings {
        env: Env::default(),
        tokens: Some(Arc::new(kept)),
        client: Client::builder().transport(wire),
        ..Settings::default()
    };
    let connection = Connection::new(service, settings).unwrap();
    connection.call("op", Inputs::new()).unwrap().send().await.unwrap();
}

#[test]
fn other_grants_have_no_login() {
    let text =
        format!("auth: {{ oauth2: {{ token_url: /t, client_id: me, client_secret: s3 }} }}\n{OPERATION}");
    assert!(connect(file(&text), |_| (200, json!({}))).0.login().unwrap().is_none());
}

#[test]
fn what_a_grant_needs_and_has_not_is_told_when_the_file_is_loaded() {
    let mistakes = |oauth2: &str| {
        let text = format!(
            "service: shop\nbase_url: https://shop.example.com\nauth: {{ oauth2: {{ {oauth2} }} }}\n{OPERATION}"
        );
        let error = Service::from_yaml(&text, "shop.yaml").unwrap_err();
        error.report()
    };
    for (oauth2, mistake) in [
        ("client_id: a, client_secret: b", "client_credentials needs token_url or issuer"),
        (
            "token_url: /t, client_id: a",
            "client_credentials needs client_secret, private_key or client_auth: tls",
        ),
        ("token_url: /t, client_secret: b", "client_credentials needs client_id"),
        (
            "token_url: /t, client_id: a, grant: authorization_code",
            "authorization_code needs authorization_url or issuer",
        ),
        (
            "token_url: /t, client_id: a, grant: device_code",
            "device_code needs device_authorization_url or issuer",
        ),
        ("token_url: /t, client_id: a, client_auth: secret_jwt", "client_auth needs client_secret"),
        ("token_url: /t, client_id: a, client_auth: private_key_jwt", "client_auth needs private_key"),
        ("issuer: nowhere, client_id: a, client_secret: b", "\"nowhere\" is neither a URL nor a path"),
        (
            "token_url: /t, client_id: a, grant: { jwt_bearer: { private_key: '{{ input.x }}', claims: {} } }",
            "input.x",
        ),
    ] {
        let report = mistakes(oauth2);
        assert!(report.contains(mistake), "{oauth2}: {report}");
    }
}
