//! Bodies of which each item is signed, and what else a scheme can say of a part of a request.

use std::time::{Duration, UNIX_EPOCH};

use nuncio_webhook::{Refusal, Request, Scheme, Secrets, provider, verify};

use crate::vectors::Case;

fn adyen(body: &str) -> Result<(), Refusal> {
    let case = Case::named("adyen/valid-two-items");
    let headers = case.headers();
    let request = Request { method: "POST", url: "", headers: &headers, body: body.as_bytes() };
    verify(&provider("adyen").unwrap().scheme, &request, &case.secrets(), case.now()).map(|_| ())
}

#[test]
fn every_item_must_hold_and_there_must_be_one() {
    let good = String::from_utf8(Case::named("adyen/valid-two-items").body()).unwrap();
    assert_eq!(adyen(&good), Ok(()));
    assert_eq!(adyen(&good.replacen("8313547924770610", "8313547924770611", 1)), Err(Refusal::NoMatch));
    assert_eq!(adyen(&good.replacen("7914073381342284", "7914073381342285", 1)), Err(Refusal::NoMatch));
    let missing = || Err(Refusal::Missing { place: "/notificationItems of the body".to_owned() });
    assert_eq!(adyen(r#"{"notificationItems": []}"#), missing());
    assert_eq!(adyen(r#"{"notificationItems": {}}"#), missing());
    assert_eq!(adyen("{}"), missing());
    // A second list would be read by others.
    assert_eq!(adyen(&good.replacen('{', r#"{"notificationItems": [],"#, 1)), missing());
    let many = format!(r#"{{"notificationItems": [{}]}}"#, vec!["{}"; 101].join(","));
    assert!(matches!(adyen(&many), Err(Refusal::TooManySignatures { count: 101, max: 100, .. })));
}

/// Shaped as on <https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks>.
#[test]
fn every_notification_of_microsoft_graph_has_the_client_state() {
    let graph = |body: &str| {
        let none: Vec<(&str, &str)> = Vec::new();
        let request = Request { method: "POST", url: "", headers: &none, body: body.as_bytes() };
        let secrets = Secrets::new().with("current", "made-up-client-state");
        let verdict = verify(&provider("microsoft-graph").unwrap().scheme, &request, &secrets, UNIX_EPOCH);
        verdict.map(|event| event.event_type())
    };
    let item = |state: &str| format!(r#"{{"changeType": "updated", "clientState": "{state}"}}"#);
    let of = |items: &[String]| format!(r#"{{"value": [{}]}}"#, items.join(","));
    let good = item("made-up-client-state");
    assert_eq!(graph(&of(&[good.clone(), good.clone()])), Ok(Some("updated".to_owned())));
    assert_eq!(graph(&of(&[good.clone(), item("another")])), Err(Refusal::NoMatch));
    let missing = Err(Refusal::Missing { place: "/clientState of the body".to_owned() });
    assert_eq!(graph(&of(&[good, r#"{"changeType": "updated"}"#.to_owned()])), missing);
}

#[test]
fn of_two_timestamps_in_one_header_neither_counts() {
    let good = "t=1760000000,v1=f182012bd49ba93537deac1e738d77b92fb1c7ebf652fd2f7deed66fb956d6e0";
    let body = br#"{"id":"evt_test_1","type":"ping","object":"event","data":{"n":1,"ok":true}}"#;
    let verdict = |header: String| {
        let headers = vec![("Stripe-Signature", header)];
        let request = Request { method: "POST", url: "", headers: &headers, body };
        let secrets = Secrets::new().with("current", "whsec_nuncio_test_only_secret");
        let now = UNIX_EPOCH + Duration::from_secs(1_760_000_000);
        verify(&provider("stripe").unwrap().scheme, &request, &secrets, now).map(|_| ())
    };
    assert_eq!(verdict(good.to_owned()), Ok(()));
    let place = || "t=… of the header Stripe-Signature".to_owned();
    assert_eq!(verdict(format!("{good},t=1760000001")), Err(Refusal::Ambiguous { place: place() }));
}

#[test]
fn a_signature_is_for_the_requests_that_it_names_alone() {
    let scheme: Scheme = serde_json::from_str(
        r#"{"signatures": [
            {"when": [{"at": {"header": "X-Version"}, "equals": {"text": "1"}}],
             "at": {"header": "X-Token"}, "algorithm": "token", "encoding": "plain", "key_prefix": "one_"},
            {"when": [{"at": {"header": "X-Version"}, "equals": {"text": "2"}}],
             "at": {"header": "X-Token"}, "algorithm": "token", "encoding": "plain", "key_prefix": "two_"}]}"#,
    )
    .unwrap();
    let verdict = |version: &str, token: &str| {
        let headers = vec![("X-Version", version), ("X-Token", token)];
        let request = Request { method: "POST", url: "", headers: &headers, body: b"" };
        let secrets = Secrets::new().with("first", "one_made-up-a").with("second", "two_made-up-b");
        verify(&scheme, &request, &secrets, UNIX_EPOCH).map(|verified| verified.secret().to_owned())
    };
    assert_eq!(verdict("1", "made-up-a").as_deref(), Ok("first"));
    assert_eq!(verdict("2", "made-up-b").as_deref(), Ok("second"));
    assert_eq!(verdict("1", "made-up-b"), Err(Refusal::NoMatch));
    assert_eq!(verdict("2", "made-up-a"), Err(Refusal::NoMatch));
    let other = Err(Refusal::Unexpected { place: "the header X-Version".to_owned() });
    assert_eq!(verdict("3", "made-up-a"), other);
}
