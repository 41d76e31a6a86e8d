//! Connections: accepted within bounds, served as HTTP/1.1, ended in good order.
//!
//! HTTP/1.1 alone, since every provider and every proxy speaks it, and a connection has one request at a time then: what it can take up is known.

mod patience;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::client::Peer;
use crate::metrics::Metrics;
use crate::options::Limits;

use patience::Patient;
pub(crate) use tls::Certificate;

/// The most header lines of a request; hyper answers more with 431.
const MAX_HEADERS: usize = 200;

/// How long to wait when no connection can be accepted, for want of file descriptors most often.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves connections.
pub(crate) struct Server {
    pub(crate) router: Router,
    pub(crate) certificate: Option<Arc<Certificate>>,
    pub(crate) limits: Limits,
    pub(crate) metrics: Arc<Metrics>,
}

impl Server {
    /// Serves every connection to `listener` until `stop`. Then none is accepted any more, and those that are idle end at once; requests that are
    /// under way have `grace` to end.
    pub(crate) async fn run(self, listener: TcpListener, stop: CancellationToken, grace: Duration) {
        let server = Arc::new(self);
        let slots = Arc::new(Semaphore::new(server.limits.connections.get()));
        let graceful = GracefulShutdown::new();
        let until_stop = async {
            loop {
                let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
                let (stream, peer) = accept(&listener).await;
                let (server, watcher) = (Arc::clone(&server), graceful.watcher());
                tokio::spawn(async move {
                    server.metrics.connections.inc();
                    server.connection(stream, peer, watcher).await;
                    server.metrics.connections.dec();
                    drop(slot);
                });
            }
        };
        stop.run_until_cancelled(until_stop).await;
        drop(listener);
        if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
            tracing::warn!("requests that are under way were given up");
        }
    }

    async fn connection(&self, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        let _ = stream.set_nodelay(true);
        let stream = Patient::new(stream, self.limits.write_timeout.0);
        let Some(certificate) = &self.certificate else {
            return self.serve(stream, Peer { address: peer.ip(), is_tls: false }, watcher).await;
        };
        let handshake = certificate.acceptor().accept(stream);
        match tokio::time::timeout(self.limits.header_timeout.0, handshake).await {
            Ok(Ok(stream)) => self.serve(stream, Peer { address: peer.ip(), is_tls: true }, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, %peer, "the TLS handshake failed"),
            Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
        }
    }

    async fn serve<S>(&self, stream: S, peer: Peer, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let router = self.router.clone();
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            router.clone().oneshot(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.header_timeout.0)
            .max_header_size(self.limits.header_bytes.get())
            .max_headers(MAX_HEADERS)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, peer = %peer.address, "a connection broke");
        }
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::debug!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
