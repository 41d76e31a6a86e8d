//! The innermost service: one HTTP exchange over the network.
//!
//! [`Wire`] sends exactly what it is given, once: no redirects, no retries, no cookies of its own. It speaks HTTP/1.1 and
//! HTTP/2, keeps connections, undoes gzip, brotli and zstd, and refuses plain HTTP to anything but this machine unless told
//! otherwise. With a [`Guard`] it connects to public addresses alone. The body of an answer is read inside the exchange or handed out as it comes, as
//! [`Context::read`](crate::Context::read) says; the body of a failure is always read, up to [`MAX_FAILURE_BYTES`].

mod cidr;
mod connector;
mod encoding;
mod failure;
mod guard;
mod handshake;
mod identity;
mod resolver;
mod special;
mod tls;

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use futures_util::{Stream, StreamExt as _};
use http::{HeaderMap, HeaderValue, Uri, header};
use http_body_util::{Either, Full, StreamBody};
use hyper::body::Frame;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::Service;
use url::Url;

use crate::{Body, Context, Error, Event, Kind, Read, Request, Response};

use connector::Connector;
use encoding::Arriving;

pub use cidr::Cidr;
pub use guard::Guard;
pub use identity::Identity;
pub use resolver::Resolver;

/// Default for how much of a failure's body is kept: 1 MiB. The rest is not read.
pub const MAX_FAILURE_BYTES: usize = 1024 * 1024;

/// Default time to establish a connection, TLS included: 10 s.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection is kept that nobody uses. Servers may close it sooner: a request that finds it closed goes out on another.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// Which proxy the wire goes through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Proxy {
    /// What the environment and the system say (`HTTPS_PROXY`, `NO_PROXY`, …).
    #[default]
    System,
    /// None.
    Direct,
    /// This one for everything: an `http`, `https`, `socks5` or `socks5h` URL. For `socks5` names are looked up here, for `socks5h` by the proxy.
    Url(Url),
}

/// Settings of a [`Wire`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Allow plain HTTP to other machines. Loopback is always allowed. Default: no.
    pub allow_http: bool,
    /// Default: as the system says.
    pub proxy: Proxy,
    /// Finds the addresses of host names. Default: the system.
    pub resolver: Option<Resolver>,
    /// Keeps calls to public addresses, for URLs that others give. Default: none, calls go where the caller says.
    pub guard: Option<Guard>,
    /// Time to establish a connection. Default: 10 s.
    pub connect_timeout: Duration,
    /// Further certificate authorities to trust, as PEM. Default: those of the system alone.
    pub root_certificates: Vec<Vec<u8>>,
    /// The certificate to show to servers that ask for one, proxies excepted. Default: none.
    pub identity: Option<Identity>,
    /// How much of a failure's body is kept, in bytes after decompression. The rest is not read. Default: [`MAX_FAILURE_BYTES`].
    pub max_failure_bytes: usize,
    /// Value of `User-Agent` for requests that set none. Default: `nuncio/` and the version.
    pub user_agent: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow_http: false,
            proxy: Proxy::default(),
            resolver: None,
            guard: None,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            root_certificates: Vec::new(),
            identity: None,
            max_failure_bytes: MAX_FAILURE_BYTES,
            user_agent: concat!("nuncio/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Sends requests over the network. Copies share one pool of connections.
///
/// Dropping the future of a call closes its connection (HTTP/1.1) or resets its stream (HTTP/2); whether the server acted on it
/// is then unknown.
#[derive(Clone)]
pub struct Wire(Arc<Inner>);

struct Inner {
    client: legacy::Client<Connector, Outgoing>,
    connector: Connector,
    user_agent: HeaderValue,
    allow_http: bool,
    max_failure_bytes: usize,
}

type Outgoing = Either<Full<Bytes>, StreamBody<Frames>>;
type Frames = Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, Error>> + Send>>;

impl Wire {
    /// A wire with these settings.
    ///
    /// # Errors
    /// [`Kind::Configuration`] when a certificate, the proxy or the user agent cannot be used, or a proxy is named beside a guard.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let connector = Connector::new(settings)?;
        let user_agent = HeaderValue::from_str(&settings.user_agent)
            .map_err(|error| Error::configuration("the user agent is no header value").because(error))?;
        let client = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(connector.clone());
        let Settings { allow_http, max_failure_bytes, .. } = *settings;
        Ok(Self(Arc::new(Inner { client, connector, user_agent, allow_http, max_failure_bytes })))
    }
}

impl Inner {
    fn vet(&self, uri: &Uri) -> Result<(), Error> {
        match uri.scheme_str() {
            Some("https") => Ok(()),
            Some("http") if self.allow_http || is_loopback(uri.host().unwrap_or_default()) => Ok(()),
            Some("http") => {
                Err(Error::configuration("plain http would send credentials and data unprotected")
                    .advise("use https, or say `allow_http: true` for a network you trust"))
            }
            Some(other) => {
                Err(Error::configuration(format!("a URL with the scheme {other:?} cannot be called"))
                    .advise("use an https URL"))
            }
            None => Err(Error::configuration("the URL has no scheme").advise("write it out: https://…")),
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("allow_http", &self.0.allow_http).finish_non_exhaustive()
    }
}

/// Whether `host` names this machine: `localhost`, a name below it, or a loopback address.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let name = host.trim_end_matches('.');
    let top = name.rsplit('.').next().unwrap_or_default();
    if top.eq_ignore_ascii_case("localhost") {
        return true;
    }
    literal(name).is_some_and(|address| address.to_canonical().is_loopback())
}

/// The address that stands for the host of a URL, in brackets or not.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

impl Service<Request> for Wire {
    type Response = Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response, Error>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let wire = Arc::clone(&self.0);
        Box::pin(async move {
            let context = Context::of(&request);
            let (method, uri) = (request.method().clone(), request.uri().clone());
            let result = match wire.vet(&uri) {
                Ok(()) => wire.exchange(request, &context).await,
                Err(refusal) => Err(refusal),
            };
            result.map_err(|error| {
                context.observer.notify(&Event::Failed { kind: error.kind(), message: &error.to_string() });
                error.on(&method, &uri)
            })
        })
    }
}

impl Inner {
    async fn exchange(&self, mut request: Request, context: &Context) -> Result<Response, Error> {
        context.observer.notify(&Event::Sending {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            body: request.body().as_bytes(),
        });
        context.history.sending();
        let started = tokio::time::Instant::now();
        self.complete(&mut request);
        let response = self.client.request(request.map(outgoing)).await.map_err(failure::of_exchange)?;

        let (mut parts, body) = response.into_parts();
        let body = encoding::undo(&mut parts.headers, body);
        let failed = parts.status.is_client_error() || parts.status.is_server_error();
        let body = match context.read {
            _ if failed => {
                // A body that hangs must not turn what the status says into a timeout of the attempt.
                let patience = context.attempt_timeout.saturating_sub(started.elapsed()) / 2;
                Body::from(prefix(body, self.max_failure_bytes, started + started.elapsed() + patience).await)
            }
            Read::Whole { max_bytes } => {
                vet_length(&parts.headers, max_bytes)?;
                Body::from(whole(body, max_bytes).await?)
            }
            Read::Stream => Body::once(patient(body, context.attempt_timeout)),
        };
        context.observer.notify(&Event::Answered {
            status: parts.status,
            headers: &parts.headers,
            body: body.as_bytes(),
            took: started.elapsed(),
        });
        Ok(http::Response::from_parts(parts, body))
    }

    /// Adds the headers that every request has.
    fn complete(&self, request: &mut Request) {
        let proxy_authorization = self.connector.proxy_authorization(request.uri());
        let headers = request.headers_mut();
        headers.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        headers.entry(header::USER_AGENT).or_insert_with(|| self.user_agent.clone());
        encoding::accept(headers);
        if let Some(value) = proxy_authorization {
            headers.entry(header::PROXY_AUTHORIZATION).or_insert(value);
        }
    }
}

fn outgoing(body: Body) -> Outgoing {
    match body {
        Body::Empty => Either::Left(Full::default()),
        Body::Bytes(bytes) => Either::Left(Full::new(bytes)),
        streamed @ (Body::Replay(_) | Body::Once(_)) => Either::Right(StreamBody::new(Box::pin(
            streamed.into_stream().map(|piece| piece.map(Frame::data)),
        ))),
    }
}

/// Refuses an answer that announces more than will be read, before reading any of it.
fn vet_length(headers: &HeaderMap, max_bytes: usize) -> Result<(), Error> {
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match announced {
        Some(length) if length > max_bytes as u64 => Err(crate::body::too_large(max_bytes)),
        _ => Ok(()),
    }
}

/// Pieces put together. A body that comes in one piece, as most do, is not copied.
#[derive(Default)]
struct Whole {
    first: Bytes,
    more: BytesMut,
}

impl Whole {
    fn len(&self) -> usize {
        self.first.len().max(self.more.len())
    }

    fn push(&mut self, piece: Bytes) {
        if self.len() == 0 {
            self.first = piece;
            return;
        }
        if self.more.is_empty() {
            self.more.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.more.extend_from_slice(&piece);
    }
}

impl From<Whole> for Bytes {
    fn from(whole: Whole) -> Self {
        if whole.more.is_empty() { whole.first } else { whole.more.freeze() }
    }
}

/// All of a body.
async fn whole(mut body: Arriving, max_bytes: usize) -> Result<Bytes, Error> {
    let mut whole = Whole::default();
    while let Some(piece) = body.piece().await? {
        if whole.len() + piece.len() > max_bytes {
            return Err(crate::body::too_large(max_bytes));
        }
        whole.push(piece);
    }
    Ok(whole.into())
}

/// The beginning of a failure's body, as far as it comes in time: the status says what happened even when the words behind it break off.
async fn prefix(mut body: Arriving, max_bytes: usize, until: tokio::time::Instant) -> Bytes {
    let mut kept = Whole::default();
    while kept.len() < max_bytes
        && let Ok(Ok(Some(mut piece))) = tokio::time::timeout_at(until, body.piece()).await
    {
        piece.truncate(max_bytes - kept.len());
        kept.push(piece);
    }
    kept.into()
}

/// Fails when a piece takes longer than `patience` to come.
fn patient(body: Arriving, patience: Duration) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
    futures_util::stream::try_unfold(body, move |mut body| async move {
        match tokio::time::timeout(patience, body.piece()).await {
            Ok(piece) => Ok(piece?.map(|piece| (piece, body))),
            Err(_) => Err(Error::new(
                Kind::Timeout,
                format!("the body stopped coming in for {} s", patience.as_secs_f64()),
            )),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vet(url: &str, allow_http: bool) -> Result<(), Kind> {
        let wire = Wire::new(&Settings { allow_http, ..Settings::default() }).expect("defaults work");
        wire.0.vet(&url.parse().expect(url)).map_err(|error| error.kind())
    }

    #[test]
    fn plain_http_goes_to_this_machine_only_unless_allowed() {
        for url in ["http://localhost:1", "http://api.localhost", "http://127.0.0.9", "http://[::1]:1"] {
            assert_eq!(vet(url, false), Ok(()), "{url}");
        }
        for url in [
            "http://api.example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://127.1.example",
        ] {
            assert_eq!(vet(url, false), Err(Kind::Configuration), "{url}");
            assert_eq!(vet(url, true), Ok(()), "{url}");
        }
        assert_eq!(vet("ftp://localhost", true), Err(Kind::Configuration));
    }
}
