//! What an operator does: start, reload, stop.

use std::path::Path;
use std::sync::Arc;

use nuncio_client::{Clock, Random, wire};
use nuncio_gateway::{Config, Gateway, Options, Parts, Tls};
use nuncio_relay::inbox::ClientFetch;
use nuncio_relay::store::{DocumentKind, FaultyStore, MemoryStore};
use nuncio_service::Env;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{
    Delivered, ENDPOINT_SECRET, SECRET, Served, document, env, logs, source, stripe_headers, unconnected,
    until,
};

const EVENT: &str = r#"{"id":"evt_made_up","type":"charge.failed"}"#;

const FILE: &str = r#"
sources:
  shop: { scheme: stripe, secrets: { current: "{{ env.MADE_UP }}" } }
"#;

async fn serve(path: &Path) -> Served {
    std::fs::write(path, FILE).unwrap();
    Served::start(Config::read(path, &env()).unwrap().options(), Vec::new()).await
}

#[tokio::test]
async fn a_file_that_changes_is_taken_over_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reloaded.yaml");
    let served = serve(&path).await;
    assert_eq!(served.stripe("shop", EVENT, SECRET).await.status(), 200);

    let with_other =
        format!("{FILE}  other: {{ scheme: stripe, secrets: {{ current: \"{{{{ env.MADE_UP }}}}\" }} }}\n");
    std::fs::write(&path, format!("{with_other}  broken: {{ scheme: nobody, secrets: {{}} }}\n")).unwrap();
    served.handle.reload();
    // Its place is told: the fifth line, third column.
    until(async || logs().contains("reloaded.yaml:5:3")).await;
    assert_eq!(served.stripe("other", EVENT, SECRET).await.status(), 404);
    assert_eq!(served.stripe("shop", EVENT, SECRET).await.status(), 200);

    std::fs::write(&path, with_other.replace("shop:", "store:")).unwrap();
    served.handle.reload();
    until(async || served.stripe("other", EVENT, SECRET).await.status() == 200).await;
    assert_eq!(served.stripe("shop", EVENT, SECRET).await.status(), 404);
    assert_eq!(served.stripe("store", EVENT, SECRET).await.status(), 200);
    assert!(!logs().contains(SECRET));
}

#[tokio::test]
async fn every_mistake_of_a_file_is_told_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.yaml");
    let text = "\
listen: 127.0.0.1
tokens:
  ops: { token: short, scopes: [admin] }
sources:
  shop: { scheme: stripe, secrets: { current: \"{{ env.NOT_SET }}\" } }
endpoints:
  lost: { from: source/nobody, to: { http: { url: \"https://receiver.example.test/\" } } }
";
    std::fs::write(&path, text).unwrap();
    let told = Config::read(&path, &env()).unwrap_err().report();
    assert!(told.contains("relay.yaml:1:9"), "{told}");
    std::fs::write(&path, text.replace("127.0.0.1", "127.0.0.1:0")).unwrap();
    let told = Config::read(&path, &env()).unwrap_err().report();
    for place in ["relay.yaml:3:3", "relay.yaml:5:3", "NOT_SET", "relay.yaml:7:3", "nobody"] {
        assert!(told.contains(place), "{place}: {told}");
    }
}

#[tokio::test]
async fn a_token_of_the_file_opens_the_api() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.yaml");
    std::fs::write(&path, "tokens: { ops: { token: \"{{ env.MADE_UP }}\", scopes: [read] } }").unwrap();
    let served = Served::start(Config::read(&path, &env()).unwrap().options(), Vec::new()).await;
    assert_eq!(served.get("/v1/stats").send().await.unwrap().status(), 401);
    assert_eq!(served.get("/v1/stats").bearer_auth(SECRET).send().await.unwrap().status(), 200);
    let stored = format!("{:?}", served.store.documents().await.unwrap());
    assert!(!stored.contains(SECRET), "{stored}");
}

#[tokio::test]
async fn a_request_that_is_under_way_ends_well_when_the_gateway_stops() {
    let served = Served::start(Options::default(), vec![source("shop", "stripe")]).await;
    let mut stream = TcpStream::connect(served.address()).await.unwrap();
    let signed: String =
        stripe_headers(EVENT, SECRET).iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = EVENT.len();
    let head = format!("POST /in/shop HTTP/1.1\r\nHost: a\r\n{signed}Content-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&EVENT.as_bytes()[..10]).await.unwrap();
    // It has begun when it is counted.
    until(async || {
        served.get("/metrics").send().await.unwrap().text().await.unwrap().contains("nuncio_connections 2")
    })
    .await;
    let (address, store) = (served.address().to_owned(), Arc::clone(&served.store));
    let stopping = tokio::spawn(served.stop());
    until(async || TcpStream::connect(&address).await.is_err()).await;
    stream.write_all(&EVENT.as_bytes()[10..]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    stopping.await.unwrap();
    assert_eq!(store.stats().await.unwrap().events, 1);
}

#[tokio::test]
async fn whoever_is_not_trusted_cannot_say_for_whom_he_forwards() {
    let settings = json!({
        "scheme": "stripe", "secrets": { "current": SECRET }, "allow_from": ["198.51.100.0/24"],
    });
    let documents = vec![document(DocumentKind::Source, "shop", settings)];
    let trusting = Options { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..Options::default() };
    for (options, expected) in [(Options::default(), 403), (trusting, 200)] {
        let served = Served::start(options, documents.clone()).await;
        let forwarded =
            served.stripe_request("shop", EVENT, SECRET).header("X-Forwarded-For", "198.51.100.7");
        assert_eq!(forwarded.send().await.unwrap().status(), expected);
        assert_eq!(served.stripe("shop", EVENT, SECRET).await.status(), 403);
    }
}

#[tokio::test]
async fn nobody_beyond_this_machine_is_served_without_any_token() {
    let parts = Parts {
        store: Arc::new(MemoryStore::default()),
        deliver: Arc::new(Delivered::default()),
        connect: unconnected(),
        fetch: Arc::new(ClientFetch::new(wire::Settings::default()).unwrap()),
        env: Env::default(),
        clock: Clock::system(),
        random: Random::new(),
    };
    let options = Options { listen: ([0, 0, 0, 0], 0).into(), ..Options::default() };
    let error = Gateway::open(options, parts).await.unwrap_err();
    assert!(error.report().contains("NUNCIO_TOKEN"), "{}", error.report());
}

#[test]
fn every_config_in_the_documentation_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let env = Env::new(|_| Some(ENDPOINT_SECRET.to_owned()));
    let text = include_str!("../../../../docs/relay.md");
    let blocks: Vec<_> =
        text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let path = folder.path().join("relay.yaml");
        std::fs::write(&path, block).unwrap();
        if let Err(error) = Config::read(&path, &env) {
            panic!("{}", error.report());
        }
    }
}

#[tokio::test]
async fn a_certificate_makes_it_https() {
    let certificates = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../nuncio-client/tests/certificates"));
    let tls = Tls { cert: certificates.join("server.pem"), key: certificates.join("server.key") };
    let served = Served::start(Options { tls: Some(tls), ..Options::default() }, Vec::new()).await;
    let mut wire = wire::Settings::default();
    wire.root_certificates.push(std::fs::read(certificates.join("ca.pem")).unwrap());
    let client = nuncio_client::Client::builder().wire(wire).build().unwrap();
    let answer = client.get(format!("https://{}/healthz", served.address())).send().await.unwrap();
    assert_eq!(answer.body.as_ref(), b"ok\n");
}

#[tokio::test]
async fn while_the_store_fails_nothing_is_acknowledged_and_afterwards_all_goes_on() {
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new())));
    let served =
        Served::with_store(Options::default(), vec![source("shop", "stripe")], Arc::clone(&store) as _).await;
    assert_eq!(served.get("/readyz").send().await.unwrap().status(), 200);
    store.set_failing(true);
    assert_eq!(served.get("/readyz").send().await.unwrap().status(), 503);
    assert_eq!(served.get("/healthz").send().await.unwrap().status(), 200);
    assert_eq!(served.stripe("shop", EVENT, SECRET).await.status(), 503);
    let published = served.post("/v1/events").json(&json!({ "application": "a", "type": "b", "payload": 1 }));
    assert!(!published.send().await.unwrap().status().is_success());
    assert_eq!(served.get("/v1/events").send().await.unwrap().status(), 503);
    store.set_failing(false);
    assert_eq!(served.get("/readyz").send().await.unwrap().status(), 200);
    assert_eq!(served.stripe("shop", EVENT, SECRET).await.status(), 200);
    assert_eq!(served.store.stats().await.unwrap().events, 1);
}
