//! The floor: one connection, kept, and nothing else that a client has.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A connection over which one request is made after the other.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    /// Connects.
    ///
    /// # Panics
    /// When no one listens.
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        stream.set_nodelay(true).expect("a connected socket");
        let (sender, driver) = handshake(TokioIo::new(stream)).await.expect("a handshake");
        tokio::spawn(driver);
        Self { sender, host: address.to_string() }
    }

    /// The body of the answer to a GET.
    ///
    /// # Panics
    /// When the exchange fails, or the status is not a good one.
    pub async fn get(&mut self, path: &str) -> Bytes {
        self.exchange(Request::get(path), Bytes::new()).await
    }

    /// The body of the answer to a POST of JSON.
    ///
    /// # Panics
    /// As [`get`](Self::get).
    pub async fn post(&mut self, path: &str, body: Bytes) -> Bytes {
        self.exchange(
            Request::builder().method(Method::POST).uri(path).header("content-type", "application/json"),
            body,
        )
        .await
    }

    /// The body of the answer to a request.
    ///
    /// # Panics
    /// As [`get`](Self::get).
    pub async fn exchange(&mut self, request: http::request::Builder, body: Bytes) -> Bytes {
        let request = request.header("host", &self.host).body(Full::new(body)).expect("a request");
        // The driver may not have seen the end of the answer before yet.
        self.sender.ready().await.expect("a connection");
        let response = self.sender.send_request(request).await.expect("an answer");
        assert!(response.status().is_success(), "{}", response.status());
        response.into_body().collect().await.expect("a body").to_bytes()
    }
}
