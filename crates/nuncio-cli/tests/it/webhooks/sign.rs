//! Signatures that are made are taken, and commands do what they say.

use nuncio_webhook::providers;
use serde_json::Value;

use super::{AT, KEY, home};
use crate::support::Home;

/// With a time where Linear has it, and its digest in the query, where Twilio has it.
const BODY: &str = r#"{"webhookTimestamp":1760000000000}"#;
const URL: &str =
    "https://a.example/in?bodySHA256=26e90c4b8aa1f84eee142241a9dbe94d5115763ed6bc5383284a4cd21a97957d";

#[test]
fn what_is_signed_as_a_provider_is_genuine_for_it() {
    let home = home();
    home.write("body.json", BODY);
    let mut count = 0;
    for (name, provider) in providers() {
        let settings: Vec<String> =
            provider.scheme.settings().iter().map(|setting| format!("--setting={setting}=made-up")).collect();
        let mut args = vec!["--secret-env", "KEY", "--url", URL, "--body-file", "body.json"];
        args.extend(settings.iter().map(String::as_str));
        let ran = home.run(&[&["webhook", "sign", name, "--id", "msg_1", "--at", AT], &args[..]].concat());
        if ran.code != 0 {
            assert!(ran.code == 1 && ran.err.starts_with("nuncio: "), "{name}: {ran:?}");
            continue;
        }
        // A token is not shown.
        home.write("headers.txt", &ran.out.replace("***", KEY));
        let verify = ["webhook", "verify", name, "-H", "@headers.txt", "--at", AT];
        let ran = home.run(&[&verify, &args[..]].concat());
        ran.ends_with(0);
        count += 1;
    }
    assert!(count >= 29, "{count}");
}

#[test]
fn a_new_secret_signs_and_a_new_key_pair_too() {
    let home = Home::new();
    let secret = home.run(&["webhook", "secret"]).ends_with(0).out;
    assert!(secret.starts_with("whsec_") && secret.lines().count() == 1);
    assert_ne!(secret, home.run(&["webhook", "secret"]).out);
    let pair = home.run(&["webhook", "secret", "--key-pair", "--json"]).ends_with(0).out;
    let pair: Value = serde_json::from_str(&pair).unwrap();
    home.write("secret.txt", &secret);
    home.write("private.txt", pair["private_key"].as_str().unwrap());
    home.write("public.txt", pair["public_key"].as_str().unwrap());

    let sign = |more: &[&str]| {
        let ran = home
            .run_with(&[&["webhook", "sign", "standard-webhooks", "--body-file", "-"], more].concat(), BODY);
        home.write("headers.txt", &ran.ends_with(0).out);
        home.read("headers.txt")
    };
    let verify = |more: &[&str]| {
        let args = ["webhook", "verify", "standard-webhooks", "--body-file", "-", "-H", "@headers.txt"];
        home.run_with(&[&args, more].concat(), BODY)
    };
    assert!(sign(&["--secret-file", "private.txt"]).contains("v1a,"));
    verify(&["--public-key-file", "public.txt"]).ends_with(0);
    // While it is rotated, both sign and either verifies.
    let headers = sign(&["--secret-file", "secret.txt", "--secret-file", "private.txt"]);
    assert!(headers.contains("v1,") && headers.contains("v1a,"), "{headers}");
    verify(&["--public-key-file", "public.txt"]).ends_with(0);
    verify(&["--secret-file", "secret.txt"]).ends_with(0);
}

#[test]
fn what_cannot_be_signed_says_so() {
    let home = home();
    for (provider, told) in [
        ("plaid", "are verified and not made"),
        ("mailgun", "only headers are made"),
        ("pusher", "the setting app_key is not given"),
        ("strpe", "did you mean stripe?"),
        ("twilio", "--curl"),
    ] {
        let ran = home.run(&["webhook", "sign", provider, "--secret-env", "KEY"]).ends_with(1);
        assert!(ran.err.contains(told) && ran.out.is_empty(), "{ran:?}");
    }
    assert!(home.run(&["webhook", "sign", "stripe"]).ends_with(1).err.contains("--secret-env"));
}

/// What a shell hands to curl.
#[cfg(unix)]
fn arguments(home: &Home, command: &str) -> Vec<String> {
    let script = format!("curl() {{ for word; do printf '%s\\0' \"$word\"; done; }}\n{command}");
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .env("KEY", KEY)
        .current_dir(home.dir.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().split_terminator('\0').map(str::to_owned).collect()
}

#[cfg(unix)]
#[test]
fn a_curl_command_survives_the_shell() {
    let home = home();
    let url = "http://localhost:8080/it's $HOME `x`?a=1&b=2";
    let body = "{\"text\": \"it's\r\n$HOME `x` \\\\ \"}";
    let command = |body_file: &str, body: &[u8]| {
        let args = [
            "webhook",
            "sign",
            "stripe",
            "--secret-env",
            "KEY",
            "--at",
            AT,
            "--curl",
            url,
            "--body-file",
            body_file,
        ];
        home.run_with(&args, body)
    };
    let words = arguments(&home, &command("-", body.as_bytes()).ends_with(0).out);
    assert_eq!(
        (&words[..3], &words[words.len() - 2..]),
        (&["-X", "POST", url].map(str::to_owned)[..], &["--data-raw", body].map(str::to_owned)[..])
    );
    let signature = words.iter().find_map(|word| word.strip_prefix("Stripe-Signature: ")).unwrap();
    home.write("headers.txt", &format!("Stripe-Signature: {signature}\n"));
    super::verified(&home, "stripe", body, &["--secret-env", "KEY"]).ends_with(0);

    home.write("it's @.bin", b"\xff\0");
    let words = arguments(&home, &command("it's @.bin", b"").ends_with(0).out);
    assert_eq!(words[words.len() - 2..], ["--data-binary", "@it's @.bin"]);
    assert!(command("-", b"\xff").ends_with(1).err.contains("not text"));
}

#[cfg(unix)]
#[test]
fn a_token_is_named_and_not_shown() {
    let home = home();
    let args = ["webhook", "sign", "gitlab", "--secret-env", "KEY"];
    let ran = home.run(&args).ends_with(0);
    assert!(ran.out.contains("X-Gitlab-Token: ***") && ran.err.contains("--curl"), "{ran:?}");
    let command = home.run(&[&args[..], &["--curl", "http://localhost:8080/"]].concat()).ends_with(0).out;
    assert!(command.contains("${KEY}") && !command.contains(KEY), "{command}");
    assert!(arguments(&home, &command).contains(&format!("X-Gitlab-Token: {KEY}")));
    home.write("secret.txt", KEY);
    let file =
        ["webhook", "sign", "gitlab", "--secret-file", "secret.txt", "--curl", "http://localhost:8080/"];
    assert!(home.run(&file).ends_with(1).err.contains("--secret-env"));
}
