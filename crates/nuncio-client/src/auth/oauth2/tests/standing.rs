//! Grants that stand: signed statements and tokens of another kind.

use super::*;
use crate::Clock;
use crate::auth::hmac::Key;
use crate::auth::jwt::{Algorithm, Verifier};
use crate::auth::key::SigningKey;
use crate::auth::key::testing::{der, key};

/// The forms that `scheme` sends to a server that hands out tokens of a minute, one for each of `calls`.
async fn sent(scheme: &OAuth2, calls: usize) -> Vec<Vec<(String, String)>> {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let copy = Arc::clone(&sent);
    let exchange = exchange(move |request| {
        copy.lock().unwrap().push(pairs(&request));
        async { answer(200, r#"{"access_token": "made-up-token-1.", "expires_in": 60}"#) }
    });
    for _ in 0..calls {
        assert_eq!(call(scheme, &exchange).await.unwrap(), token(1));
        tokio::time::advance(60 * SECOND).await;
    }
    std::mem::take(&mut *sent.lock().unwrap())
}

fn named<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    &form.iter().find(|(key, _)| key == name).unwrap().1
}

#[tokio::test(start_paused = true)]
async fn a_statement_is_signed_anew_for_each_token() {
    let signer = Signer::new(key("ec1")).claim("iss", "made-up-issuer").claim("sub", "made-up-user");
    let forms = sent(&OAuth2::jwt_bearer(client().scopes(["read"]), signer), 2).await;
    let mut seen = std::collections::HashSet::new();
    for (form, second) in forms.iter().zip([0, 60]) {
        assert_eq!(named(form, "grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
        assert_eq!(named(form, "scope"), "read");
        let now = Clock::fixed(std::time::UNIX_EPOCH + Duration::from_secs(1_760_000_000 + second));
        let verifier = Verifier::new([Algorithm::Es256]).issuer("made-up-issuer").audience(TOKEN_URL);
        let keys = key("ec1").verifying_key().into();
        let verified = verifier.verify(named(form, "assertion"), &keys, &now).unwrap();
        assert_eq!(verified.claims["sub"], "made-up-user");
        assert_eq!(verified.claims["iat"], 1_760_000_000 + second);
        assert!(seen.insert(verified.claims["jti"].to_string()));
    }
    assert_eq!(seen.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_exchanged_for_another() {
    let own = TokenExchange::new("made-up-subject".into())
        .subject_type(TokenExchange::JWT)
        .actor("made-up-actor".into(), TokenExchange::ACCESS_TOKEN)
        .requested_type(TokenExchange::ACCESS_TOKEN);
    let scheme = OAuth2::token_exchange(client().audience("orders").resource("https://a.example.com"), own);
    let expected = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", "made-up-subject"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("actor_token", "made-up-actor"),
        ("actor_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("audience", "orders"),
        ("resource", "https://a.example.com"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(sent(&scheme, 1).await, [expected]);
}

fn key_file(kind: &str) -> Secret {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        BASE64_STANDARD.encode(der("rsa1"))
    );
    let file = serde_json::json!({
        "type": kind,
        "client_email": "made-up@made-up.iam.example.com",
        "private_key": pem,
        "private_key_id": "made-up-key-id",
        "token_uri": TOKEN_URL,
    });
    file.to_string().into()
}

#[tokio::test(start_paused = true)]
async fn a_google_service_account_shows_its_scopes_in_the_statement_and_nothing_else() {
    let scheme =
        OAuth2::google_service_account(&key_file("service_account"), &["a", "b"], Some("made-up-user"));
    let forms = sent(&scheme.unwrap(), 1).await;
    let [form] = &forms[..] else { panic!("{forms:?}") };
    assert_eq!(form.len(), 2, "no client id, no scope: {form:?}");
    let now = Clock::fixed(std::time::UNIX_EPOCH + Duration::from_secs(1_760_000_000));
    let keys = key("rsa1").verifying_key().into();
    let verified =
        Verifier::new([Algorithm::Rs256]).audience(TOKEN_URL).verify(named(form, "assertion"), &keys, &now);
    let verified = verified.unwrap();
    assert_eq!(verified.header["kid"], "made-up-key-id");
    assert_eq!(verified.claims["iss"], "made-up@made-up.iam.example.com");
    assert_eq!((&verified.claims["scope"], &verified.claims["sub"]), (&"a b".into(), &"made-up-user".into()));
}

#[test]
fn another_file_of_google_is_told_and_not_quoted() {
    let refused = |file: &Secret| OAuth2::google_service_account(file, &["a"], None).err().unwrap();
    let error = refused(&key_file("authorized_user"));
    assert_eq!(error.kind(), Kind::Configuration);
    assert_eq!(
        error.to_string(),
        "the key file of the Google service account is of type \"authorized_user\""
    );
    let error = refused(&"{\n \"type\": made-up-unquoted }".into());
    assert_eq!(error.to_string(), "the key file of the Google service account cannot be read at line 2");
    assert!(!error.report().contains("unquoted"));
    let error = refused(&r#"{"type": "service_account"}"#.into());
    assert!(error.to_string().ends_with("has no client_email, private_key or token_uri"));
}

#[tokio::test(start_paused = true)]
async fn a_statement_is_not_sent_twice_where_the_server_may_have_seen_it() {
    for (auth, repeatable) in
        [(ClientAuth::None, true), (ClientAuth::secret_jwt(&"made-up-client-secret".into()), false)]
    {
        let exchange = exchange(move |request| async move {
            assert_eq!(Context::of(&request).repeatable, repeatable);
            answer(200, r#"{"access_token": "made-up-token-1."}"#)
        });
        call(&OAuth2::client_credentials(client().auth(auth)), &exchange).await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_statement_tells_how_far_the_clock_is_off() {
    let exchange = dated_refusals();
    let key = SigningKey::shared(Key::verbatim(&"made-up-client-secret".into()));
    let signing = OAuth2::client_credentials(client().auth(ClientAuth::private_key_jwt(key)));
    let error = call(&signing, &exchange).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the authorization server refused: invalid_client; this machine's clock is 600 s ahead of the server's"
    );
    assert_eq!(error.advice(), Some("set this machine's clock: what was refused is signed with the time"));

    let error = call(&scheme(), &exchange).await.unwrap_err();
    assert_eq!(error.to_string(), "the authorization server refused: invalid_client");
}

/// A server that refuses, ten minutes ago by its clock.
fn dated_refusals() -> Exchange {
    exchange(|_| async {
        let mut refusal = answer(401, r#"{"error": "invalid_client"}"#)?;
        refusal.headers_mut().insert("date", "Thu, 09 Oct 2025 08:43:20 GMT".parse().unwrap());
        Ok(refusal)
    })
}
