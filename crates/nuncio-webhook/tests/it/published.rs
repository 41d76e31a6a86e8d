//! Examples that vendors published.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nuncio_webhook::{Outgoing, Refusal, Request, Secrets, provider, sign, verify};

/// The providers whose examples are here, of those without verdicts of a library.
pub(crate) const PROVIDERS: &[&str] = &["bitbucket", "box", "buildkite", "circleci", "jira", "pagerduty"];

/// Whether the signature, alone in its header, is that of `body`.
fn is_taken(name: &str, header: &str, signature: &str, secret: &str, body: &str) -> bool {
    let headers = vec![(header, signature)];
    let request = Request { method: "POST", url: "", headers: &headers, body: body.as_bytes() };
    verify(&provider(name).unwrap().scheme, &request, &Secrets::new().with("theirs", secret), UNIX_EPOCH)
        .is_ok()
}

/// <https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/>, and the same at
/// <https://developer.atlassian.com/cloud/jira/platform/webhooks/>.
#[test]
fn the_example_of_atlassian_is_taken() {
    let signature = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9";
    for name in ["bitbucket", "jira"] {
        let taken = |body| is_taken(name, "X-Hub-Signature", signature, "It's a Secret to Everybody", body);
        assert!(taken("Hello World!") && !taken("Hello World?"), "{name}");
    }
}

/// <https://circleci.com/docs/outbound-webhooks>; a list may carry versions to come.
#[test]
fn the_examples_of_circleci_are_taken() {
    for (body, secret, signature) in [
        ("hello world", "secret", "734cc62f32841568f45715aeb9f4d7891324e6d948e4c6c60c0621cdac48623a"),
        ("lalala", "another-secret", "daa220016c8f29a8b214fbfc3671aeec2145cfb1e6790184ffb38b6d0425fa00"),
        (
            "an-important-request-payload",
            "hunter123",
            "9be2242094a9a8c00c64306f382a7f9d691de910b4a266f67bd314ef18ac49fa",
        ),
    ] {
        let taken = |header: &str, body| is_taken("circleci", "circleci-signature", header, secret, body);
        assert!(taken(&format!("v1={signature}"), body));
        assert!(taken(&format!("v1={signature},v2=00"), body));
        assert!(!taken(&format!("v2={signature}"), body));
        assert!(!taken(&format!("v1={signature}"), "another body"));
    }
}

/// The key pair, message and signature of the tests of the Svix server (`test_asymmetric_key_signing`); the pair is that of its README.
#[test]
fn the_asymmetric_signature_of_the_svix_server_is_made_and_verified() {
    let private = concat!(
        "whsk",
        "_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
    );
    let public = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    let signed_at = UNIX_EPOCH + Duration::from_secs(1_614_265_330);
    let body = br#"{"test": 2432232314}"#;
    let outgoing = Outgoing {
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
        signed_at,
        method: "POST",
        url: "",
        body,
        content_type: None,
    };

    let svix = &provider("svix").unwrap().scheme;
    let headers = sign(svix, &outgoing, &Secrets::new().with("private", private)).unwrap();
    let signature =
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
    assert_eq!(headers[2], ("svix-signature".to_owned(), signature.to_owned()));
    let request = Request { method: "POST", url: "", headers: &headers, body };
    assert!(verify(svix, &request, &Secrets::new().with("public", public), signed_at).is_ok());
}

/// The sample message of the tests of box-node-sdk, signed with two keys.
#[test]
fn the_sample_message_of_box_is_taken_by_either_key() {
    let body = br#"{"type":"webhook_event","webhook":{"id":"1234567890"},"trigger":"FILE.UPLOADED","source":{"id":"1234567890","type":"file","name":"Test.txt"}}"#;
    let headers = vec![
        ("box-delivery-id", "f96bb54b-ee16-4fc5-aa65-8c2d9e5b546f"),
        ("box-delivery-timestamp", "2020-01-01T00:00:00-07:00"),
        ("box-signature-algorithm", "HmacSHA256"),
        ("box-signature-primary", "6TfeAW3A1PASkgboxxA5yqHNKOwFyMWuEXny/FPD5hI="),
        ("box-signature-secondary", "v+1CD1Jdo3muIcbpv5lxxgPglOqMfsNHPV899xWYydo="),
        ("box-signature-version", "1"),
    ];
    let scheme = &provider("box").unwrap().scheme;
    let request = Request { method: "POST", url: "", headers: &headers, body };
    let sent = UNIX_EPOCH + Duration::from_secs(1_577_862_000);
    let verdict = |key: &str, now: SystemTime| {
        verify(scheme, &request, &Secrets::new().with("key", key), now).map(|event| event.event_type())
    };
    for key in ["SamplePrimaryKey", "SampleSecondaryKey"] {
        assert_eq!(verdict(key, sent + Duration::from_secs(300)), Ok(Some("FILE.UPLOADED".to_owned())));
        assert!(matches!(verdict(key, sent + Duration::from_secs(900)), Err(Refusal::TooOld { .. })));
    }
    assert_eq!(verdict("IncorrectKey", sent), Err(Refusal::NoMatch));
}

/// The webhook of the tests of go-buildkite (`TestValidatePayload`).
#[test]
fn the_ping_of_buildkite_is_taken() {
    let body = include_str!("../vectors/buildkite-ping.json").trim_end();
    let header =
        "timestamp=1642080837,signature=582d496ac2d869dd97a3101c4cda346288c49a742592daf582ec64c86449f79c";
    let headers = vec![("X-Buildkite-Signature", header), ("X-Buildkite-Event", "ping")];
    let request = Request { method: "POST", url: "", headers: &headers, body: body.as_bytes() };
    let secrets = Secrets::new().with("theirs", concat!("29b1ff5779c76bd4", "8ba6705eb99ff970"));
    let sent = UNIX_EPOCH + Duration::from_secs(1_642_080_837);
    let scheme = &provider("buildkite").unwrap().scheme;
    assert_eq!(verify(scheme, &request, &secrets, sent).unwrap().event_type().as_deref(), Some("ping"));
    let other = Request { body: &body.as_bytes()[1..], ..request };
    assert_eq!(verify(scheme, &other, &secrets, sent).unwrap_err(), Refusal::NoMatch);
}

/// The webhook of the tests of go-pagerduty (`TestVerifySignature`), and its wrong signature beside the good one, as during a rotation.
#[test]
fn the_incident_of_pagerduty_is_taken() {
    let body = include_str!("../vectors/pagerduty-incident.json").trim_end();
    let secret = concat!("lDQHScfUeXUKaQRNF+8XIiDKZ7XX3itB", "AYzwU0TARw8lJqRnkKl2iB1anSb0Z+IK");
    let good = "v1=0c0b9495b893a39e70d1fea2fe11fbe0a825f88b9f67846f6cc07dd2bc5476cd";
    let bad = "v1=7020c8a7ec668a9b7012bc3dd82e483394b038f4230acc6785efbf2a7d8bcaf5";
    let taken = |header: &str| is_taken("pagerduty", "X-PagerDuty-Signature", header, secret, body);
    assert!(taken(good) && taken(&format!("{bad},{good}")));
    assert!(!taken(bad));
}
