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

/// A service whose requests are signed with the canary, and one that is told it.
fn two_services() -> Home {
    let home = Home::new();
    let operation = "operations:\n  a: { post: /a, input: { n: any }, body: { n: '{{ input.n }}' } }\n";
    for (name, auth) in [
        (
            "signed",
            "hmac: { secret: '{{ env.CANARY }}', key_id: { header: X-Key, value: '{{ env.KEY_ID }}' } }",
        ),
        ("told", "basic: { user: '{{ env.KEY_ID }}', password: '{{ env.CANARY }}' }"),
    ] {
        let text = format!("service: {name}\nbase_url: http://127.0.0.1:1\nauth: {{ {auth} }}\n{operation}");
        home.write(&format!("services/{name}.yaml"), &text);
    }
    home
}

/// Every file of the home, and those of its folders.
fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[track_caller]
fn no_file_has_it(home: &Home, after: &str) {
    let key = std::fs::read_to_string(home.path(KEY_FILE)).unwrap();
    let key = key.lines().last().unwrap();
    let mut spellings: Vec<Vec<u8>> = spellings().into_iter().map(String::into_bytes).collect();
    spellings.push(CANARY.bytes().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes());
    spellings.push(b"made-up-canary".to_vec());
    // Only where it belongs.
    let keys = [key.as_bytes().to_vec(), BASE64_STANDARD.decode(key).unwrap()];
    for path in files(home.dir.path()) {
        let bytes = std::fs::read(&path).unwrap();
        let keys = keys.iter().filter(|_| !path.ends_with(KEY_FILE));
        for secret in spellings.iter().chain(keys) {
            let found = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!found, "{} in {} after {after}", String::from_utf8_lossy(secret), path.display());
        }
    }
}

const KEY_FILE: &str = ".local/share/nuncio/credentials.key";

#[test]
fn a_stored_secret_is_in_no_file_listing_explanation_or_error() {
    let home = two_services().with_env("NUNCIO_LOG", "trace");
    let mut logins = Vec::new();
    for service in ["signed", "told"] {
        let values = serde_json::json!({ "CANARY": CANARY, "KEY_ID": "made-up-id" }).to_string();
        logins.push(home.run_with(&["login", service], &values).ends_with(0));
        logins.push(home.run_with(&["login", service, "--as", "b"], CANARY).ends_with(1));
        logins
            .push(home.run_with(&["login", service, "--as", "b"], &format!("CANARY={CANARY}")).ends_with(1));
    }
    for login in &logins {
        is_clean("a login", &format!("{}{}", login.out, login.err));
    }
    no_file_has_it(&home, "login");

    let commands: [&[&str]; 16] = [
        &["connections", "list"],
        &["connections", "list", "--json"],
        &["connections", "show", "signed"],
        &["connections", "show", "told", "--json"],
        &["connections", "test", "told", "-v"],
        &["auth", "explain", "signed"],
        &["auth", "explain", "signed", "a", "n=1"],
        &["auth", "explain", "signed", "a", "n=1", "--json"],
        &["auth", "explain", "told", "a", "n=1"],
        &["call", "told", "a", "n=1", "--dry-run"],
        &["call", "signed", "a", "n=1", "--curl"],
        &["call", "signed", "a", "n=1", "-v", "--deadline=300ms"],
        &["call", "told", "a", "n=1", "-v", "--json", "--deadline=300ms"],
        &["call", "told", "a", "--as", "none"],
        &["connections", "rekey"],
        &["logout", "told"],
    ];
    for command in commands {
        let ran = home.run(command);
        is_clean(&command.join(" "), &format!("{}{}", ran.out, ran.err));
        no_file_has_it(&home, &command.join(" "));
    }
    let key = std::fs::read_to_string(home.path(KEY_FILE)).unwrap();
    let exported = home.run_with(&["connections", "export"], "made-up-passphrase\n").ends_with(0);
    home.write("export.json", &exported.out);
    home.run_with(&["connections", "import", "export.json"], "made-up-wrong\n").ends_with(1);
    for ran in [
        home.run_with(&["connections", "import", "export.json"], "made-up-passphrase\n").ends_with(1),
        home.run_with(&["connections", "import", "export.json", "--replace"], "made-up-passphrase\n")
            .ends_with(0),
    ] {
        is_clean("an import", &format!("{}{}{}", exported.out, ran.out, ran.err));
        assert!(
            !exported.out.contains(key.lines().last().unwrap())
                && !exported.out.contains("made-up-passphrase")
        );
    }
    no_file_has_it(&home, "an export");
}
