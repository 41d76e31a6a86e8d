//! Keys that providers publish: which are asked for, from where, and which are believed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nuncio_webhook::{
    Cause, KeyCache, Keys, PublishedKey, Refusal, Request, Scheme, Secrets, explain, handshake, provider,
    verify,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::vectors::Case;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn scheme(name: &str) -> &'static Scheme {
    &provider(name).unwrap().scheme
}

/// The verdict on a recorded request at `now`, by a receiver with these secrets; and by which key.
fn judge_at(provider: &str, case: &Case, secrets: &Secrets, now: SystemTime) -> Result<String, Refusal> {
    let (body, headers) = (case.body(), case.headers());
    let request = Request { method: "POST", url: "", headers: &headers, body: &body };
    verify(scheme(provider), &request, secrets, now).map(|verified| verified.secret().to_owned())
}

fn judge(provider: &str, case: &Case, secrets: &Secrets) -> Result<String, Refusal> {
    judge_at(provider, case, secrets, case.now())
}

/// Serves one document wherever it is asked, and notes what was asked for.
#[derive(Default)]
struct Noted {
    document: Option<Vec<u8>>,
    asked: Mutex<Vec<String>>,
}

impl Noted {
    fn serving(document: impl Into<Vec<u8>>) -> Arc<Self> {
        Arc::new(Self { document: Some(document.into()), asked: Mutex::default() })
    }
}

impl Keys for Noted {
    fn find(&self, key: &PublishedKey, _now: SystemTime) -> Option<Arc<[u8]>> {
        self.asked.lock().unwrap().push(key.to_string());
        self.document.as_deref().map(Into::into)
    }
}

#[test]
fn a_key_that_is_not_known_is_a_value_to_fetch_and_the_request_is_taken_after_that() {
    let plaid = "https://sandbox.plaid.com/webhook_verification_key/get";
    let (google, kid) =
        ("https://www.googleapis.com/oauth2/v3/certs", "7d680d8c70d44e947133cbd499ebc1a61c3d5abc");
    let paypal = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77";
    let plaid_id = "bfbd5111-8e33-4643-8ced-b2e642a72f3c";
    for (provider, name, url, id, label) in [
        ("plaid", "plaid/valid", plaid, Some(plaid_id), format!("{plaid_id} at {plaid}")),
        ("google-pubsub", "google-pubsub/valid", google, None, format!("{kid} at {google}")),
        ("paypal", "paypal/valid-sample", paypal, None, paypal.to_owned()),
    ] {
        let case = Case::named(name);
        let cache = Arc::new(KeyCache::new(DAY));
        let secrets = case.secrets().keys(cache.clone());
        let refusal = judge(provider, &case, &secrets).unwrap_err();
        let Refusal::KeyNeeded { key } = &refusal else { panic!("{refusal:?}") };
        assert_eq!((key.url(), key.id()), (url, id));
        assert_eq!(refusal.key_to_fetch(), Some(key));

        assert!(cache.may_fetch(key, case.now()));
        cache.put(key, case.document().into_bytes(), case.now());
        assert_eq!(judge(provider, &case, &secrets), Ok(label), "{provider}");
    }
}

#[test]
fn without_keys_at_all_the_needed_one_is_told() {
    let case = Case::named("aws-sns/valid-notification-v2");
    let secrets = Secrets::new().setting("topic_arn", "arn:aws:sns:us-east-1:123456789012:made-up-topic");
    assert!(matches!(judge("aws-sns", &case, &secrets), Err(Refusal::KeyNeeded { .. })));
}

#[test]
fn no_key_is_looked_for_where_the_provider_has_none() {
    let paypal = Case::named("paypal/valid-sample");
    for url in [
        "https://api.paypal.com.evil.test/v1/notifications/certs/CERT-1",
        "https://api.paypal.com@evil.test/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
        "https://api.paypal.com./v1/notifications/certs/CERT-1",
        "https://API.PAYPAL.COM/v1/notifications/certs/CERT-1",
        "https://paypal.com/v1/notifications/certs/CERT-1",
        "https://evilpaypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/../../../evil",
        "https://api.paypal.com/v1/notifications/certs/%2e%2e",
        "https://api.paypal.com/v1/notifications/certs/CERT-1?x=1",
        "https://api.paypal.com/v1/notifications/certs/CERT-1#x",
        "https://api.paypal.com\\.evil.test/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/elsewhere",
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "//api.paypal.com/v1/notifications/certs/CERT-1",
        "file:///etc/passwd",
        "https://169.254.169.254/v1/notifications/certs/CERT-1",
        "\u{430}pi.paypal.com",
    ] {
        let keys = Noted::serving(paypal.document());
        let mut headers = paypal.headers();
        headers
            .iter_mut()
            .filter(|(name, _)| name == "PAYPAL-CERT-URL")
            .for_each(|(_, value)| *value = url.into());
        let request = Request { method: "POST", url: "", headers: &headers, body: &paypal.body() };
        let secrets = paypal.secrets().keys(keys.clone());
        let verdict = verify(scheme("paypal"), &request, &secrets, paypal.now()).map(|_| ());
        assert!(matches!(verdict, Err(Refusal::ForeignUrl { .. })), "{url}: {verdict:?}");
        assert!(keys.asked.lock().unwrap().is_empty(), "{url}");
    }
}

#[test]
fn a_setting_cannot_lead_to_another_host() {
    let case = Case::named("plaid/valid");
    for environment in ["development", "evil.test/x?", "evil.test#", "sandbox.plaid.com@evil.test", ""] {
        let secrets =
            Secrets::new().keys(Noted::serving(case.document())).setting("environment", environment);
        assert!(matches!(judge("plaid", &case, &secrets), Err(Refusal::ForeignUrl { .. })), "{environment}");
    }
}

#[test]
fn a_certificate_counts_within_its_time() {
    let case = Case::named("paypal/valid-sample");
    let reason = |seconds: u64| {
        let verdict = judge_at("paypal", &case, &case.secrets(), UNIX_EPOCH + Duration::from_secs(seconds));
        match verdict {
            Err(Refusal::UnusableKey { reason, .. }) => reason,
            Err(Refusal::TooOld { .. } | Refusal::TooNew { .. }) => "good",
            other => panic!("{other:?}"),
        }
    };
    // From 2015-03-18T00:00:00Z to 2017-03-22T12:00:00Z.
    assert_eq!(reason(1_426_636_799), "its certificate is not valid yet");
    assert_eq!(reason(1_426_636_800), "good");
    assert_eq!(reason(1_490_184_000), "good");
    assert_eq!(reason(1_490_184_001), "its certificate has expired");
}

/// Plaid's answer about its key, with one field changed.
fn plaid_with(field: &str, value: Value) -> String {
    let mut document: Value = serde_json::from_str(&Case::named("plaid/valid").document()).unwrap();
    document["key"][field] = value;
    document.to_string()
}

#[test]
fn a_document_that_is_no_key_for_the_signature_is_not_used() {
    let case = Case::named("plaid/valid");
    let rsa = Case::named("google-pubsub/valid")
        .document()
        .replace("7d680d8c70d44e947133cbd499ebc1a61c3d5abc", "bfbd5111-8e33-4643-8ced-b2e642a72f3c");
    let key: Value = serde_json::from_str(&case.document()).unwrap();
    let twice = serde_json::json!({"keys": [key["key"], key["key"]]}).to_string();
    for (document, expected) in [
        (String::new(), "it is no JSON Web Key"),
        ("<html>".to_owned(), "it is no JSON Web Key"),
        (r#"{"keys": 1}"#.to_owned(), "it is no JSON Web Key"),
        (Case::named("paypal/valid-sample").document(), "it is no JSON Web Key"),
        (format!("{}{}", case.document(), " ".repeat(64 * 1024)), "it is longer than 64 KiB"),
        (rsa, "it is a key for another purpose"),
        (twice, "two keys have this id"),
        (plaid_with("use", "enc".into()), "it is a key for another purpose"),
        (plaid_with("alg", "ES384".into()), "it is a key for another purpose"),
        (plaid_with("kty", "oct".into()), "it is a key of another kind"),
        (plaid_with("crv", "P-384".into()), "it is a key of another kind"),
        (plaid_with("x", "AAAA".into()), "it is no whole key"),
        (plaid_with("y", Value::Null), "it is no whole key"),
        (plaid_with("expired_at", 1_760_000_000.into()), "it is retired"),
    ] {
        let verdict = judge("plaid", &case, &case.secrets().keys(Noted::serving(document.clone())));
        assert!(
            matches!(&verdict, Err(Refusal::UnusableKey { reason, .. }) if *reason == expected),
            "{document}: {verdict:?}"
        );
    }
    let later = plaid_with("expired_at", 1_760_000_001.into());
    assert!(judge("plaid", &case, &case.secrets().keys(Noted::serving(later))).is_ok());
    let no_point = plaid_with("x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into());
    assert_eq!(judge("plaid", &case, &case.secrets().keys(Noted::serving(no_point))), Err(Refusal::NoMatch));
}

#[test]
fn a_key_id_that_the_provider_does_not_have_is_told_apart_from_a_key_that_is_not_known() {
    let case = Case::named("google-pubsub/unknown-kid");
    let refusal = judge("google-pubsub", &case, &case.secrets()).unwrap_err();
    assert!(matches!(&refusal, Refusal::UnknownKey { id, .. } if *id == "0".repeat(40)), "{refusal:?}");
    // It may be newer than what is known, and then a fetch tells, once a minute whatever the id.
    let cache = KeyCache::new(DAY);
    assert!(cache.may_fetch(refusal.key_to_fetch().unwrap(), case.now()));
    assert!(!cache.may_fetch(refusal.key_to_fetch().unwrap(), case.now()));
}

#[test]
fn the_sender_of_a_token_does_not_choose_the_algorithm() {
    for (provider, name) in [
        ("plaid", "plaid/alg-none"),
        ("plaid", "plaid/alg-none-with-signature"),
        ("plaid", "plaid/alg-hs256-by-public-key"),
        ("plaid", "plaid/alg-lower-case"),
        ("plaid", "plaid/crit"),
        ("google-pubsub", "google-pubsub/alg-none"),
        ("google-pubsub", "google-pubsub/alg-hs256-by-public-key"),
        ("google-pubsub", "google-pubsub/ps256"),
        ("google-pubsub", "google-pubsub/crit"),
        ("netlify", "netlify/alg-none"),
        ("netlify", "netlify/hs512-same-secret"),
    ] {
        let case = Case::named(name);
        let verdict = judge(provider, &case, &case.secrets());
        assert!(matches!(verdict, Err(Refusal::OtherAlgorithm { .. })), "{name}: {verdict:?}");
    }
}

#[test]
fn a_token_for_somebody_else_or_another_time_is_refused_for_that() {
    let refusal = |name: &str| {
        let case = Case::named(name);
        let verdict = judge(name.split('/').next().unwrap(), &case, &case.secrets());
        verdict.unwrap_err().to_string()
    };
    let other = "of the token in Bearer … of the header Authorization is not what it must be";
    assert_eq!(refusal("google-pubsub/wrong-audience"), format!("aud {other}"));
    assert_eq!(refusal("google-pubsub/wrong-issuer"), format!("iss {other}"));
    assert_eq!(refusal("google-pubsub/email-not-verified"), format!("email_verified {other}"));
    assert_eq!(refusal("google-pubsub/expired"), "it expired 1 seconds ago");
    assert_eq!(refusal("plaid/too-old"), "it was signed 301 seconds ago, more than 300 seconds");
    assert_eq!(refusal("plaid/not-before"), "it was signed 3600 seconds in the future, more than 60 seconds");
    assert_eq!(refusal("plaid/malformed-two-parts"), "the header Plaid-Verification is no JSON Web Token");
    assert_eq!(refusal("plaid/no-kid"), "kid of the token in the header Plaid-Verification is missing");
}

#[test]
fn sns_is_confirmed_at_the_url_that_it_signed_and_nothing_else_is_visited() {
    let answer = |name: &str, topic: &str| {
        let case = Case::named(name);
        let (body, headers) = (case.body(), case.headers());
        let request = Request { method: "POST", url: "", headers: &headers, body: &body };
        handshake(scheme("aws-sns"), &request, &case.secrets().setting("topic_arn", topic), case.now())
    };
    let topic = "arn:aws:sns:us-east-1:123456789012:made-up-topic";
    for version in ["1", "2"] {
        let confirmed =
            answer(&format!("aws-sns/valid-subscription-confirmation-v{version}"), topic).unwrap().unwrap();
        let url = confirmed.visit.unwrap();
        assert!(
            url.starts_with("https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn="),
            "{url}"
        );
    }
    assert_eq!(answer("aws-sns/valid-notification-v2", topic), Ok(None));
    assert_eq!(answer("aws-sns/valid-unsubscribe-confirmation-v2", topic), Ok(None));
    assert_eq!(answer("aws-sns/tampered-subscribe-url", topic), Err(Refusal::NoMatch));
    let other =
        answer("aws-sns/valid-subscription-confirmation-v2", "arn:aws:sns:us-east-1:123456789012:other");
    assert_eq!(other, Err(Refusal::Unexpected { place: "/TopicArn of the body".to_owned() }));
}

#[test]
fn a_url_to_visit_is_pinned_even_when_it_is_signed() {
    let scheme: Scheme = serde_json::from_str(
        r#"{"signatures": [{"at": {"header": "X-Token"}, "algorithm": "token", "encoding": "plain"}],
            "handshakes": [{"when": [], "signed": false, "answer": {"visit": {
                "url": {"json": "/url"}, "from": ["https://hooks.example.com/confirm?*"]}}}]}"#,
    )
    .unwrap();
    let visit = |token: &str, url: &str| {
        let headers = vec![("X-Token", token)];
        let body = serde_json::json!({ "url": url }).to_string();
        let request = Request { method: "POST", url: "", headers: &headers, body: body.as_bytes() };
        let secrets = Secrets::new().with("current", "made-up-token");
        handshake(&scheme, &request, &secrets, UNIX_EPOCH).map(|answer| answer.unwrap().visit.unwrap())
    };
    let url = "https://hooks.example.com/confirm?token=1";
    assert_eq!(visit("made-up-token", url).as_deref(), Ok(url));
    let foreign = visit("made-up-token", "https://hooks.example.com.evil.test/confirm?token=1");
    assert!(matches!(foreign, Err(Refusal::ForeignUrl { .. })));
    // To say that it is not signed does not make it so.
    assert_eq!(visit("made-up-other", url), Err(Refusal::NoMatch));
}

#[test]
fn what_sns_leaves_out_cannot_be_added() {
    let case = Case::named("aws-sns/valid-no-subject");
    let original = String::from_utf8(case.body()).unwrap();
    let headers = case.headers();
    let verdict = |addition: &str| {
        let body = original.replacen('{', &format!("{{{addition}"), 1);
        let request = Request { method: "POST", url: "", headers: &headers, body: body.as_bytes() };
        verify(scheme("aws-sns"), &request, &case.secrets(), case.now()).map(|_| ())
    };
    assert_eq!(verdict(""), Ok(()));
    for addition in [r#""Subject": "a","#, r#""Token": "a","#, r#""SubscribeURL": "a","#, r#""Subject": "","#]
    {
        assert_eq!(verdict(addition), Err(Refusal::NoMatch), "{addition}");
    }
    // Readers differ in what these are, so they are not nothing.
    for addition in [r#""Subject": {"a": 1},"#, r#""Subject": ["a"],"#, r#""Subject": "a", "Subject": "b","#]
    {
        assert!(verdict(addition).is_err(), "{addition}");
    }
}

#[test]
fn an_explanation_says_which_key_is_needed_and_from_where() {
    let told = |provider: &str, name: &str, secrets: &dyn Fn(Secrets) -> Secrets| {
        let case = Case::named(name);
        let (body, headers) = (case.body(), case.headers());
        let request = Request { method: "POST", url: "", headers: &headers, body: &body };
        explain(scheme(provider), &request, &secrets(case.secrets()), case.now())
    };
    let good = told("plaid", "plaid/valid", &|secrets| secrets).to_string();
    let key =
        "bfbd5111-8e33-4643-8ced-b2e642a72f3c at https://sandbox.plaid.com/webhook_verification_key/get";
    assert!(good.starts_with(&format!("accepted by the secret {key}\n")), "{good}");
    assert!(good.contains(&format!("read     the provider's key: {key}\n")), "{good}");
    assert!(good.contains(&format!("checked  EcdsaP256Fixed by {key}: matches\n")), "{good}");

    let needed =
        told("plaid", "plaid/valid", &|secrets| secrets.keys(Arc::new(KeyCache::new(DAY)))).to_string();
    assert!(needed.contains(&format!("read     the key {key} is not known: fetch it\n")), "{needed}");

    let foreign = told("aws-sns", "aws-sns/cert-url-userinfo", &|secrets| secrets).to_string();
    assert!(foreign.contains("amazonaws.com@evil.test/"), "{foreign}");
    assert!(foreign.contains("is not where this provider has it"), "{foreign}");

    let wrong = told("paypal", "paypal/wrong-webhook-id", &|secrets| secrets);
    assert_eq!(wrong.causes, [Cause::OtherContent]);
    let reserialised = told("paypal", "paypal/tampered-reserialised", &|secrets| secrets);
    assert_eq!(reserialised.causes, [Cause::Body("as JSON without spaces")]);
}

proptest! {
    #[test]
    fn any_document_gets_a_verdict(at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..8)) {
        for (provider, name) in [("plaid", "plaid/valid"), ("paypal", "paypal/valid-sample")] {
            let case = CASES.with(|cases| cases[name].clone());
            let mut document = case.document().into_bytes();
            let at = at.index(document.len());
            let end = (at + bytes.len()).min(document.len());
            document.splice(at..end, bytes.iter().copied());
            // Whatever is made of the key, it is no other key that verifies.
            let verdict = judge(provider, &case, &case.secrets().keys(Noted::serving(document)));
            prop_assert!(verdict.is_ok() || verdict.is_err_and(|refusal| refusal.key_to_fetch().is_some() || refusal == Refusal::NoMatch));
        }
    }
}

thread_local! {
    static CASES: BTreeMap<&'static str, std::rc::Rc<Case>> =
        ["plaid/valid", "paypal/valid-sample"].map(|name| (name, std::rc::Rc::new(Case::named(name)))).into();
}
