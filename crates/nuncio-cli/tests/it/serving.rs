//! A gateway for tests: the binary, serving.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use nuncio_client::Clock;
use nuncio_webhook::{Outgoing, Secrets, provider, sign};
use serde_json::{Value, json};

use crate::support::Home;

pub(crate) const SECRET: &str = "made-up-secret-canary";
const BODY: &str = r#"{"id":"evt_made_up","type":"charge.failed"}"#;

/// A gateway that serves, and its URL.
pub(crate) struct Serving {
    child: Child,
    pub(crate) url: String,
}

impl Serving {
    pub(crate) fn start(home: &Home, args: &[&str]) -> Self {
        let args = [&["serve", "--listen", "127.0.0.1:0", "--store", "relay.db"], args].concat();
        let mut child = home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// How it ended, and what it wrote.
    pub(crate) fn end(self) -> (Option<i32>, String) {
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

/// What is set up of `name`, such as `sources/shop`.
pub(crate) fn set_up(home: &Home, url: &str, name: &str, value: &Value) {
    let json_type = "Content-Type: application/json";
    let (code, answer) =
        call(home, &["PUT", &format!("{url}/v1/{name}"), "-H", json_type, "-d", &value.to_string()]);
    assert_eq!(code, 0, "{answer}");
}

/// A source that takes webhooks of Stripe.
pub(crate) fn shop() -> Value {
    json!({ "scheme": "stripe", "secrets": { "current": SECRET } })
}

/// A request by the binary itself.
pub(crate) fn call(home: &Home, args: &[&str]) -> (i32, Value) {
    let ran = home.run(&[&["call"], args].concat());
    (ran.code, serde_json::from_str(&ran.out).unwrap_or(Value::Null))
}

/// A webhook as Stripe sends it, and the status that is answered.
pub(crate) fn webhook(home: &Home, url: &str) -> i32 {
    signed_webhook(home, url, "stripe", BODY)
}

/// A webhook of this scheme, and the status that is answered.
pub(crate) fn signed_webhook(home: &Home, url: &str, scheme: &str, body: &str) -> i32 {
    let secrets = Secrets::new().with("current", SECRET);
    let signed_at = Clock::system().now();
    let outgoing =
        Outgoing { id: "", signed_at, method: "POST", url, body: body.as_bytes(), content_type: None };
    let headers = sign(&provider(scheme).unwrap().scheme, &outgoing, &secrets).unwrap();
    let (name, value) = &headers[0];
    call(home, &["POST", url, "-H", &format!("{name}: {value}"), "-d", body]).0
}
