//! Starting and stopping.

use nuncio_sandbox::{Error, Options, Sandbox};
use nuncio_service::Service;

use crate::support::{Played, answer, catalog, example, options, service};

async fn refused(options: Options) -> String {
    match Sandbox::start(options).await {
        Err(error) => error.to_string(),
        Ok(_) => panic!("it started"),
    }
}

#[tokio::test]
async fn services_share_a_port_and_each_has_its_path() {
    let services = vec![catalog("slack"), catalog("stripe")];
    let sandbox = Sandbox::start(Options { services, ..Options::default() }).await.expect("it starts");
    let [slack, stripe] = ["slack", "stripe"].map(|name| sandbox.url(name).expect("it is played"));
    assert_eq!(slack.strip_suffix("slack"), stripe.strip_suffix("stripe"));
    assert_eq!(sandbox.url("github"), None);
}

#[tokio::test]
async fn a_service_that_is_alone_is_at_the_root_as_well() {
    let status = async |services: Vec<Service>| {
        let sandbox = Sandbox::start(Options { services, ..Options::default() }).await.expect("it starts");
        let url = sandbox.url("slack").expect("it is played").replace("/slack", "/api.test");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        client.post(url).send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(status(vec![catalog("slack")]).await, 200);
    assert_eq!(status(vec![catalog("slack"), catalog("stripe")]).await, 404);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_at_the_start() {
    let twice = Options { services: vec![service(""), service("")], ..Options::default() };
    assert!(refused(twice).await.starts_with("the service example is there twice"));
    let records = [("example.ordres".to_owned(), 2)].into();
    let unknown = Options { records, ..example() };
    assert!(refused(unknown).await.starts_with("there is no resource example.ordres"));
    let faults = vec!["503:on=rows.lst".parse().expect("a fault")];
    let nowhere = Options {
        faults,
        ..options(service("operations: { rows.list: { get: /rows }, rows.get: { get: /row } }"))
    };
    assert_eq!(
        refused(nowhere).await,
        "there is no operation rows.lst for a fault to strike; there are: rows.get, rows.list"
    );
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    match Sandbox::start(Options { address, ..Options::default() }).await {
        Err(Error::Listen { address: named, .. }) => assert_eq!(named, address),
        other => panic!("{:?}", other.err()),
    }
}

#[tokio::test]
async fn it_is_gone_after_it_is_stopped() {
    let played = Played::start(options(service("operations: { rows.list: { get: /rows } }"))).await;
    assert_eq!(answer(played.get("/rows")).await.0, 200);
    let request = played.get("/rows");
    played.sandbox.stop().await;
    assert!(request.send().await.is_err());
}
