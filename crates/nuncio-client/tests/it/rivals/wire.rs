//! What only a connection shows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nuncio_client::{Client, Evidence, Kind};
use tokio::io::AsyncReadExt as _;

// reqwest-retry: hyper's `IncompleteMessage` passes for safe to retry, whatever the method.
#[tokio::test]
async fn a_post_whose_connection_is_closed_without_an_answer_is_not_repeated() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/jobs", listener.local_addr().expect("bound"));
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut head = [0; 1024];
            if connection.read(&mut head).await.expect("a request") > 0 {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let client = Client::builder().build().expect("valid");
    let error = client.post(&url).json(&serde_json::json!({"n": 1})).send().await.expect_err("closed");
    assert_eq!((error.kind(), error.evidence()), (Kind::Connect, Evidence::Unknown));
    assert_eq!(requests.load(Ordering::Relaxed), 1);
}
