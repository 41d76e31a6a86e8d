//! `nuncio serve`, as an operator runs it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use nuncio_client::Clock;
use nuncio_webhook::{Outgoing, Secrets, provider, sign};
use serde_json::{Value, json};

use crate::support::Home;

const SECRET: &str = "made-up-secret-canary";
const BODY: &str = r#"{"id":"evt_made_up","type":"charge.failed"}"#;

/// A gateway that serves, and its URL.
struct Serving(Child, String);

impl Serving {
    fn start(home: &Home, args: &[&str]) -> Self {
        let args = [&["serve", "--listen", "127.0.0.1:0", "--store", "relay.db"], args].concat();
        let mut child = home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self(child, url.trim().to_owned())
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// How it ended, and what it wrote.
    fn end(self) -> (Option<i32>, String) {
        let output = self.0.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}

/// A request by the binary itself.
fn call(home: &Home, args: &[&str]) -> (i32, Value) {
    let ran = home.run(&[&["call"], args].concat());
    (ran.code, serde_json::from_str(&ran.out).unwrap_or(Value::Null))
}

/// A webhook as Stripe sends it, and the status that is answered.
fn webhook(home: &Home, url: &str) -> i32 {
    let secrets = Secrets::new().with("current", SECRET);
    let signed_at = Clock::system().now();
    let outgoing = Outgoing { id: "", signed_at, method: "POST", url, body: BODY.as_bytes() };
    let headers = sign(&provider("stripe").unwrap().scheme, &outgoing, &secrets).unwrap();
    let (name, value) = &headers[0];
    call(home, &["POST", url, "-H", &format!("{name}: {value}"), "-d", BODY]).0
}

#[test]
fn what_is_acknowledged_is_there_after_a_kill() {
    let home = Home::new();
    let serving = Serving::start(&home, &[]);
    let url = serving.1.clone();
    let source = json!({ "scheme": "stripe", "secrets": { "current": SECRET } }).to_string();
    let json_type = "Content-Type: application/json";
    let (code, _) = call(&home, &["PUT", &format!("{url}/v1/sources/shop"), "-H", json_type, "-d", &source]);
    assert_eq!(code, 0);
    assert_eq!(webhook(&home, &format!("{url}/in/shop")), 0);
    serving.signal("KILL");
    serving.end();

    let serving = Serving::start(&home, &[]);
    let (_, events) = call(&home, &["GET", &format!("{}/v1/events", serving.1)]);
    assert_eq!(events["items"][0]["type"], "charge.failed", "{events}");
    serving.signal("TERM");
    let (code, told) = serving.end();
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("/in/shop"), "{told}");
    assert!(!told.contains(SECRET), "{told}");
}

#[test]
fn a_file_is_read_again_on_a_hangup() {
    let home = Home::new().with_env("SHOP_SECRET", SECRET);
    let file = "sources:\n  shop: { scheme: stripe, secrets: { current: \"{{ env.SHOP_SECRET }}\" } }\n";
    home.write("relay.yaml", file);
    let serving = Serving::start(&home, &["relay.yaml"]);
    let shop = format!("{}/in/shop", serving.1);
    assert_eq!(webhook(&home, &shop), 0);
    home.write("relay.yaml", &file.replace("shop:", "store:"));
    serving.signal("HUP");
    let store = format!("{}/in/store", serving.1);
    let taken_over = (0..100).any(|_| webhook(&home, &store) == 0);
    assert!(taken_over);
    assert_eq!(webhook(&home, &shop), 4, "it is gone");
    serving.signal("TERM");
    let (_, told) = serving.end();
    assert!(told.contains("taken over") && !told.contains(SECRET), "{told}");
}

#[test]
fn a_mistake_in_the_file_is_told_with_its_place() {
    let home = Home::new();
    home.write("relay.yaml", "sources:\n  shop: { scheme: strype, secrets: {} }\n");
    let ran = home.run(&["serve", "relay.yaml", "--store", "relay.db", "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("relay.yaml:2:3"), "{}", ran.err);
    assert!(!home.path("relay.db").exists(), "nothing has begun");
}

#[test]
fn others_are_not_served_without_a_token() {
    let home = Home::new();
    let ran = home.run(&["serve", "--store", "relay.db", "--listen", "0.0.0.0:0"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("NUNCIO_TOKEN"), "{}", ran.err);
}
