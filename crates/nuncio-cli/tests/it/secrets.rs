//! A secret leaves by the wire alone, however a server writes it back.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::support::{Home, Ran, json, serve};

/// Has a character for every encoder to trip over.
const CANARY: &str = "made-up-canary/+\"x\"=1&2 é";

fn spellings() -> Vec<String> {
    let json = serde_json::to_string(CANARY).unwrap();
    vec![
        CANARY.to_owned(),
        json[1..json.len() - 1].to_owned(),
        url::form_urlencoded::byte_serialize(CANARY.as_bytes()).collect(),
        percent_encoding::utf8_percent_encode(CANARY, percent_encoding::NON_ALPHANUMERIC).to_string(),
        BASE64_STANDARD.encode(CANARY),
    ]
}

#[track_caller]
fn is_clean(place: &str, text: &str) {
    for spelling in spellings() {
        assert!(!text.contains(&spelling), "{spelling} in {place}: {text}");
    }
    assert!(!text.contains("made-up-canary"), "{place}: {text}");
}

fn home() -> Home {
    let home = Home::new().with_env("CANARY", CANARY);
    home.write("items.jsonl", "{\"n\":1}\n{\"n\":2}\n");
    home.write(
        "shop.yaml",
        "service: shop\nbase_url: https://api.example.com\nauth: { api_key: { query: key, value: '{{ env.CANARY }}' } }\n\
         operations:\n  a: { post: /a, input: { n: any }, body: { n: '{{ input.n }}', s: '{{ env.CANARY }}' } }\n  \
         l: { get: /l, records: data }\n",
    );
    home
}

fn check(home: &Home, what: &str, ran: &Ran) {
    is_clean(&format!("standard output of {what}"), &ran.out);
    is_clean(&format!("standard error of {what}"), &ran.err);
    for entry in std::fs::read_dir(home.dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            is_clean(&path.display().to_string(), &std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_output_has_a_secret_that_a_server_echoes() {
    let url = serve(|request| {
        let echo = spellings().join(" ");
        let status = if request.uri().path() == "/l" { 404 } else { 400 };
        let mut response = json(
            status,
            &serde_json::json!({"error": {"message": echo, "code": CANARY}, "raw": echo}).to_string(),
        );
        response.headers_mut().insert("x-echo", BASE64_STANDARD.encode(CANARY).parse().unwrap());
        response.headers_mut().insert("x-request-id", BASE64_STANDARD.encode(CANARY).parse().unwrap());
        response
    })
    .await;
    let service = ["--file", "shop.yaml", "--base-url", &url];
    let commands: [&[&str]; 7] = [
        &["call", "shop", "a", "n=1"],
        &["call", "shop", "a", "n=1", "-v"],
        &["call", "shop", "a", "n=1", "-v", "--json"],
        &["call", "shop", "a", "n=1", "--dry-run"],
        &["call", "shop", "a", "n=1", "--curl"],
        &["pull", "shop", "l", "--to", "l.jsonl", "-v"],
        &["each", "shop", "a", "--from", "items.jsonl", "n={{ item.n }}", "-v"],
    ];
    for command in commands {
        let home = home().with_env("NUNCIO_LOG", "trace");
        let ran = home.run(&[command, &service].concat());
        check(&home, &command.join(" "), &ran);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_output_has_a_secret_of_a_call_without_a_service_file() {
    let url = serve(|request| {
        let sent = format!("{:?} {:?}", request.uri(), request.headers().get("authorization"));
        json(500, &serde_json::json!({ "sent": sent, "echo": spellings().join(" ") }).to_string())
    })
    .await;
    let token = "made-up-canary-token";
    for auth in [
        "bearer:env:CANARY",
        "basic:ada:env:CANARY",
        "header:X-Key:env:CANARY",
        "query:key:env:CANARY",
        "cookie:key:env:CANARY",
    ] {
        let home = Home::new().with_env("CANARY", token);
        let ran = home.run(&["call", "POST", &url, "a=1", "--auth", auth, "-v"]);
        assert!(!ran.out.contains("canary-token") && !ran.err.contains("canary-token"), "{auth}: {ran:#?}");
        let pair = BASE64_STANDARD.encode(format!("ada:{token}"));
        assert!(!ran.out.contains(&pair) && !ran.err.contains(&pair), "{auth}: {ran:#?}");
    }
}
