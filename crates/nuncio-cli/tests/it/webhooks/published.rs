//! Keys that the provider publishes, and the URL by which SNS is confirmed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::Home;

/// A recorded request in files of `home`, its body, and the arguments that verify it.
fn recorded(home: &Home, file: &str, name: &str, settings: &[&str]) -> (Vec<u8>, Vec<String>) {
    let path = format!("{}/../nuncio-webhook/tests/vectors/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let document: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let case = document["cases"].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap();
    let headers = case["headers"].as_object().unwrap().iter();
    let headers: String =
        headers.map(|(name, value)| format!("{name}: {}\n", value.as_str().unwrap())).collect();
    home.write("headers.txt", &headers);
    let key = document["documents"].as_object().unwrap().values().next().unwrap();
    home.write("key.txt", key.as_str().unwrap());
    let mut args =
        ["webhook", "verify", file, "-H", "@headers.txt", "--body-file", "-"].map(str::to_owned).to_vec();
    args.extend(["--at".to_owned(), case["now"].to_string()]);
    args.extend(settings.iter().flat_map(|setting| ["--setting".to_owned(), (*setting).to_owned()]));
    (STANDARD.decode(case["body_base64"].as_str().unwrap()).unwrap(), args)
}

fn run<'a>(home: &Home, args: &'a [String], more: &[&'a str], body: &[u8]) -> crate::support::Ran {
    let args: Vec<&str> = args.iter().map(String::as_str).chain(more.iter().copied()).collect();
    home.run_with(&args, body)
}

#[test]
fn a_key_that_has_to_be_fetched_is_no_verdict_and_its_file_makes_one() {
    let home = Home::new();
    let (body, args) = recorded(&home, "plaid", "valid", &["environment=sandbox"]);
    let ran = run(&home, &args, &[], &body).ends_with(1);
    assert!(
        ran.err.contains("https://sandbox.plaid.com/webhook_verification_key/get is not known: fetch it"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("--published-key-file"), "{}", ran.err);

    let ran = run(&home, &args, &["--published-key-file", "key.txt"], &body).ends_with(0);
    assert!(ran.out.starts_with("genuine: signed by Plaid"), "{}", ran.out);
    run(&home, &args, &["--published-key-file", "key.txt"], b"{}").ends_with(15);
    let ran = run(&home, &args, &["--published-key-file", "headers.txt"], &body).ends_with(1);
    assert!(ran.err.contains("is of no use: it is no JSON Web Key"), "{}", ran.err);
}

#[test]
fn a_key_from_somewhere_else_is_a_verdict() {
    let home = Home::new();
    let topic = "topic_arn=arn:aws:sns:us-east-1:123456789012:made-up-topic";
    let (body, args) = recorded(&home, "aws-sns", "cert-url-userinfo", &[topic]);
    let ran = run(&home, &args, &["--published-key-file", "key.txt"], &body).ends_with(15);
    assert!(
        ran.out.contains("is not where this provider has it") && ran.out.contains("fetch nothing"),
        "{}",
        ran.out
    );
}

#[test]
fn the_url_that_confirms_a_subscription_is_told() {
    let home = Home::new();
    let topic = "topic_arn=arn:aws:sns:us-east-1:123456789012:made-up-topic";
    let (body, args) = recorded(&home, "aws-sns", "valid-subscription-confirmation-v2", &[topic]);
    let ran = run(&home, &args, &["--published-key-file", "key.txt"], &body).ends_with(0);
    assert!(
        ran.out.contains("visit      https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&"),
        "{}",
        ran.out
    );
    let ran = run(&home, &args, &["--published-key-file", "key.txt", "--json"], &body).ends_with(0);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert!(told["visit"].as_str().unwrap().starts_with("https://sns.us-east-1.amazonaws.com/"), "{told}");
}
