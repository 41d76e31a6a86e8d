//! What the layers cost a call: the same GET of a small JSON document, over a connection that is kept, one call after the other.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper_util::rt::TokioIo;
use nuncio_bench::{Way, print, runtime, serve};
use nuncio_client::Client;
use tokio::net::TcpStream;

const BODY: &[u8] = br#"{"id":"cus_1","object":"customer","email":"ada@example.com","name":"Ada","metadata":{"plan":"gold"}}"#;
const ROUNDS: usize = 9;
const CALLS: u32 = 3_000;

fn main() {
    println!("{ROUNDS} rounds of {CALLS} calls each way, in turns; the median, and its ratio to bare hyper");
    runtime().block_on(measure());
}

async fn measure() {
    let address = serve(BODY);
    let url = format!("http://{address}/v1/customers/cus_1");

    let stream = TcpStream::connect(address).await.expect("the server listens");
    stream.set_nodelay(true).expect("a connected socket");
    let (mut connection, driver) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a handshake");
    tokio::spawn(driver);
    let reqwest = reqwest::Client::builder().no_proxy().build().expect("a client");
    let nuncio = Client::builder().base_url(format!("http://{address}")).build().expect("a client");

    let (mut bare, mut wire, mut stack) =
        (Way::new("hyper, one connection"), Way::new("reqwest"), Way::new("nuncio, every layer"));
    // In turns, so that a slow moment of the machine falls on all alike.
    for _ in 0..ROUNDS {
        let exchange = async || {
            let request = Request::get("/v1/customers/cus_1").header("host", "localhost");
            let request = request.body(Empty::<Bytes>::new()).expect("a request");
            let response = connection.send_request(request).await.expect("an answer");
            assert_eq!(response.into_body().collect().await.expect("a body").to_bytes(), BODY);
        };
        bare.sample(CALLS, exchange).await;
        wire.sample(CALLS, async || {
            let response = reqwest.get(&url).send().await.expect("an answer");
            assert_eq!(response.bytes().await.expect("a body"), BODY);
        })
        .await;
        stack
            .sample(CALLS, async || {
                let answer = nuncio.get("/v1/customers/cus_1").send().await.expect("an answer");
                assert_eq!(answer.body, BODY);
            })
            .await;
    }
    print(&[&bare, &wire, &stack]);
}
