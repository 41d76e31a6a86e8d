//! Verdicts, their codes, and what is told.

use serde_json::Value;

use super::{AT, KEY, LATER, home, signed, verified};
use crate::support::Home;

const BODY: &str = r#"{"id":"evt_1","type":"ping"}"#;
const SECRET: [&str; 2] = ["--secret-env", "KEY"];

#[test]
fn a_genuine_webhook_ends_with_0_and_its_event_is_told() {
    let home = home();
    signed(&home, "stripe", BODY);
    let ran = verified(&home, "stripe", BODY, &SECRET).ends_with(0);
    assert_eq!(
        ran.out,
        "genuine: signed by Stripe, with the secret KEY\nid         evt_1\ntype       ping\n\
         signed at  1760000000 (100 seconds ago)\nbody       28 bytes\n"
    );
    let ran = verified(&home, "stripe", BODY, &[&SECRET[..], &["--json"]].concat()).ends_with(0);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let expected = serde_json::json!({
        "verdict": "genuine", "provider": "Stripe", "id": "evt_1", "type": "ping", "timestamp": 1_760_000_000,
        "secret": "KEY", "body_bytes": 28,
    });
    assert_eq!(told, expected);
}

#[test]
fn one_that_is_not_genuine_ends_with_15_and_says_why() {
    let home = home().with_env("OTHER", "made-up-other");
    signed(&home, "stripe", BODY);
    let refused = |body: &str, more: &[&str]| verified(&home, "stripe", body, more).ends_with(15).out;
    assert!(refused("{}", &SECRET).contains("no signature matches"));
    assert!(refused(BODY, &["--secret-env", "OTHER"]).contains("no signature matches"));
    let out = refused(BODY, &["--secret-env", "OTHER", "--json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&told["verdict"], &told["refusal"]), (&"refused".into(), &"no_match".into()));

    let args =
        ["webhook", "verify", "stripe", "-H", "@headers.txt", "--body-file", "-", "--secret-env", "KEY"];
    let at = |seconds: &str| home.run_with(&[&args[..], &["--at", seconds]].concat(), BODY).ends_with(15).out;
    assert!(at("1760000301").contains("301 seconds ago, more than 300"));
    assert!(at("1759999699").contains("301 seconds in the future"));
    let ran = home.run(&["webhook", "verify", "stripe", "--secret-env", "KEY"]).ends_with(15);
    assert!(
        ran.out.contains("is missing") && ran.out.contains("-H @FILE") && ran.out.contains("body is empty")
    );
}

#[test]
fn what_is_not_enough_for_a_verdict_ends_with_1_and_says_what_to_give() {
    let home = home();
    for (args, told) in [
        (&["strpe"][..], "did you mean stripe?"),
        (&["stripe"], "--secret-env"),
        (&["stripe", "--secret-env", "MISSING"], "MISSING is not set"),
        (&["stripe", "--secret-env", "KEY", "-H", "@none.txt"], "none.txt cannot be read"),
        (&["stripe", "--secret-env", "KEY", "-H", "no colon"], "a header has no colon"),
        (&["stripe", "--secret-env", "KEY", "--body-file", "none.json"], "none.json cannot be read"),
        (&["stripe", "--secret-env", "KEY", "--setting", "app_key=x"], "asks for no setting app_key"),
        (&["stripe", "--public-key-file", "key.pem"], "signs with a shared secret"),
        (&["pusher", "--secret-env", "KEY", "--setting", "appkey=x"], "did you mean app_key?"),
        (&["pusher", "--secret-env", "KEY"], "the setting app_key is not given"),
        (&["twilio", "--secret-env", "KEY"], "--url"),
        (&["./none.yaml", "--secret-env", "KEY"], "none.yaml cannot be read"),
    ] {
        let ran = home.run(&[&["webhook", "verify"], args].concat()).ends_with(1);
        assert!(
            ran.err.contains(told) && ran.err.contains("help:") | ran.err.contains("because:"),
            "{ran:?}"
        );
        assert_eq!(ran.out, "");
    }
    for args in [
        &[][..],
        &["stripe", "--at", "now"],
        &["stripe", "--at", "253402300800"],
        &["stripe", "--setting", "x"],
    ] {
        home.run(&[&["webhook", "verify"], args].concat()).ends_with(2);
    }
}

#[test]
fn a_body_of_any_bytes_is_taken_as_it_is() {
    let home = home();
    let large = vec![b'x'; 10 * 1024 * 1024];
    for body in [&b"\xff\xfe{"[..], b"\xef\xbb\xbf{}", b"a\r\nb\r\n", b"\0a\0", b"", b"\n", &large] {
        signed(&home, "github", body);
        verified(&home, "github", body, &SECRET).ends_with(0);
        home.write("body", body);
        let file = [
            "webhook",
            "verify",
            "github",
            "-H",
            "@headers.txt",
            "--body-file",
            "body",
            "--secret-env",
            "KEY",
        ];
        home.run(&file).ends_with(0);
        verified(&home, "github", &[body, b"\n"].concat(), &SECRET).ends_with(15);
    }
}

#[test]
fn a_body_over_the_bound_is_refused() {
    let home = home();
    let file = std::fs::File::create(home.path("large")).unwrap();
    file.set_len(64 * 1024 * 1024 + 1).unwrap();
    let ran = home
        .run(&["webhook", "verify", "github", "--secret-env", "KEY", "--body-file", "large"])
        .ends_with(1);
    assert!(ran.err.contains("larger than 67108864 bytes"), "{}", ran.err);
}

#[test]
fn headers_of_any_bytes_and_any_number_give_a_verdict() {
    let home = home();
    signed(&home, "github", BODY);
    let good = home.read("headers.txt");
    let verdict = |headers: Vec<u8>| {
        home.write("headers.txt", &headers);
        verified(&home, "github", BODY, &SECRET)
    };
    verdict([good.as_bytes(), b"X-Other: \xff\xfe\r\n\r\n"].concat()).ends_with(0);
    assert!(
        verdict([good.as_bytes(), good.as_bytes()].concat()).ends_with(15).out.contains("more than once")
    );
    verdict(b"X-Hub-Signature-256: sha256=\xff\xfe\n".to_vec()).ends_with(15);
    verdict(good.replace("sha256=", "sha256= ").into_bytes()).ends_with(15);
    assert!(verdict(b"X-Other: \0\n".to_vec()).ends_with(1).err.contains("it stands in headers.txt"));
}

#[test]
fn an_explanation_finds_the_usual_mistakes() {
    let home = home().with_env("SPACED", &format!("{KEY} "));
    let explained = |provider: &str, sent: &str, got: &str, more: &[&str]| {
        signed(&home, provider, sent);
        verified(&home, provider, got, &[&["--explain"], more].concat()).ends_with(15).out
    };
    for (sent, got, cause) in [
        (BODY, "{\"id\":\"evt_1\",\"type\":\"ping\"}\n", "without the line end after it was signed"),
        (
            "{\"id\": \"evt_1\", \"n\": 1}",
            "{\"id\":\"evt_1\",\"n\":1}",
            "with a space after each comma and colon",
        ),
        ("a\r\nb", "a\nb", "with CR LF at the ends of its lines"),
        ("one", "two", "no usual mistake explains it"),
    ] {
        let out = explained("stripe", sent, got, &SECRET);
        assert!(out.contains(cause), "{out}");
        assert!(!out.contains("--explain"), "{out}");
    }
    let out = explained("stripe", BODY, BODY, &["--secret-env", "SPACED"]);
    assert!(out.contains("a space or a line end around it"), "{out}");
    let out = explained("stripe", "a\r\n\0\u{feff}", "a\r\n\0\u{feff}", &["--secret-env", "new=SPACED"]);
    assert!(
        out.contains(r"signed   1760000000.a\r\n\0\u{feff}") && out.contains("by the secret new"),
        "{out}"
    );

    let out =
        verified(&home, "stripe", BODY, &["--explain", "--json", "--secret-env", "KEY"]).ends_with(15).out;
    let told: Value = serde_json::from_str(&out).unwrap();
    let attempt = &told["explanation"]["attempts"][0];
    assert_eq!((&attempt["secret"], &attempt["matches"]), (&"KEY".into(), &false.into()));
    assert!(
        told["explanation"]["causes"][0].is_string() && told["explanation"]["read"][0]["place"].is_string()
    );
}

#[test]
fn a_url_that_a_proxy_changed_is_found() {
    let home = home();
    let sign = ["webhook", "sign", "twilio", "--secret-env", "KEY", "--url", "https://a.example/in"];
    home.write("headers.txt", &home.run(&sign).ends_with(0).out);
    let verify = |url: &str| {
        home.run(&[
            "webhook",
            "verify",
            "twilio",
            "--secret-env",
            "KEY",
            "-H",
            "@headers.txt",
            "--explain",
            "--url",
            url,
        ])
    };
    verify("https://a.example:443/in").ends_with(0);
    let out = verify("http://a.example/in").ends_with(15).out;
    assert!(out.contains("the URL https://a.example/in was signed"), "{out}");
}

#[test]
fn several_secrets_are_tried_and_the_one_that_matches_is_named() {
    let home = home().with_env("NEW", "made-up-new-secret");
    signed(&home, "github", BODY);
    let out =
        verified(&home, "github", BODY, &["--secret-env", "NEW", "--secret-env", "old=KEY"]).ends_with(0).out;
    assert!(out.contains("with the secret old"), "{out}");
    home.write("secret.txt", &format!("{KEY}\r\n"));
    let out = verified(&home, "github", BODY, &["--secret-file", "now=secret.txt"]).ends_with(0).out;
    assert!(out.contains("with the secret now"), "{out}");
}

#[test]
fn a_handshake_is_known_and_its_answer_told() {
    let home = home().with_env("TOKEN", "made-up-token");
    let challenge = r#"{"type":"url_verification","challenge":"made-up-challenge"}"#;
    signed(&home, "slack", challenge);
    let out = verified(&home, "slack", challenge, &SECRET).ends_with(0).out;
    assert!(out.starts_with("handshake: ") && out.contains("body       made-up-challenge"), "{out}");
    verified(&home, "slack", "{\"type\":\"url_verification\"}", &SECRET).ends_with(15);

    let url = "https://a.example/?hub.mode=subscribe&hub.verify_token=made-up-token&hub.challenge=12";
    let meta = ["webhook", "verify", "meta", "--method", "get", "--url", url, "--json"];
    let ran = home.run(&[&meta[..], &["--setting-env", "verify_token=TOKEN"]].concat()).ends_with(0);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&told["verdict"], &told["answer"]["body"]), (&"handshake".into(), &"12".into()));
    home.run(&[&meta[..], &["--setting", "verify_token=made-up-other"]].concat()).ends_with(15);
}

#[test]
fn what_an_event_says_of_itself_cannot_move_the_cursor() {
    let home = home();
    signed(&home, "stripe", r#"{"id":"evt\u001b[2J\n1","type":"é"}"#);
    let out = verified(&home, "stripe", r#"{"id":"evt\u001b[2J\n1","type":"é"}"#, &SECRET).ends_with(0).out;
    assert!(out.contains(r"evt\u{1b}[2J\n1") && out.contains("type       é"), "{out}");
}

#[test]
fn the_time_is_now_unless_another_is_given() {
    let home = Home::new().with_env("KEY", KEY);
    let sign = ["webhook", "sign", "stripe", "--secret-env", "KEY", "--body-file", "-"];
    let verify =
        ["webhook", "verify", "stripe", "--secret-env", "KEY", "--body-file", "-", "-H", "@headers.txt"];
    home.write("headers.txt", &home.run_with(&sign, BODY).ends_with(0).out);
    home.run_with(&verify, BODY).ends_with(0);
    home.write("headers.txt", &home.run_with(&[&sign[..], &["--at", AT]].concat(), BODY).ends_with(0).out);
    home.run_with(&verify, BODY).ends_with(15);
    home.run_with(&[&verify[..], &["--at", LATER]].concat(), BODY).ends_with(0);
}
