//! The innermost service: one HTTP exchange over the network.
//!
//! [`Wire`] sends exactly what it is given, once: no redirects, no retries, no cookies of its own. It speaks HTTP/1.1 and
//! HTTP/2, keeps connections, undoes gzip, brotli and zstd, and refuses plain HTTP to anything but this machine unless told
//! otherwise. The body of an answer is read inside the exchange or handed out as it comes, as
//! [`Context::read`](crate::Context::read) says; the body of a failure is always read, up to [`MAX_FAILURE_BYTES`].

mod encoding;
mod failure;
mod handshake;
mod resolver;

use std::net::IpAddr;
use std::task::{self, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{Stream, StreamExt as _};
use http::{Uri, header};
use tower::Service;
use url::Url;

use crate::{Body, Context, Error, Event, Kind, Read, Request, Response};

pub use resolver::Resolver;

/// How much of a failure's body is kept: 1 MiB. The rest is not read.
pub const MAX_FAILURE_BYTES: usize = 1024 * 1024;

/// Default time to establish a connection, TLS included: 10 s.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Which proxy the wire goes through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Proxy {
    /// What the environment and the system say (`HTTPS_PROXY`, `NO_PROXY`, …).
    #[default]
    System,
    /// None.
    Direct,
    /// This one for everything: an `http`, `https` or `socks5` URL.
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
    /// Time to establish a connection. Default: 10 s.
    pub connect_timeout: Duration,
    /// Further certificate authorities to trust, as PEM. Default: those of the system alone.
    pub root_certificates: Vec<Vec<u8>>,
    /// Value of `User-Agent` for requests that set none. Default: `nuncio/` and the version.
    pub user_agent: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow_http: false,
            proxy: Proxy::default(),
            resolver: None,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            root_certificates: Vec::new(),
            user_agent: concat!("nuncio/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Sends requests over the network. Copies share one pool of connections.
///
/// Dropping the future of a call closes its connection (HTTP/1.1) or resets its stream (HTTP/2); whether the server acted on it
/// is then unknown.
#[derive(Debug, Clone)]
pub struct Wire {
    client: reqwest::Client,
    allow_http: bool,
}

impl Wire {
    /// A wire with these settings.
    ///
    /// # Errors
    /// [`Kind::Configuration`] when a certificate or the proxy cannot be used.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // Hidden retries would be counted by no one.
            .retry(reqwest::retry::never())
            .connect_timeout(settings.connect_timeout)
            .tcp_nodelay(true)
            .user_agent(&settings.user_agent);
        builder = match &settings.proxy {
            Proxy::System => builder,
            Proxy::Direct => builder.no_proxy(),
            Proxy::Url(url) => builder.proxy(reqwest::Proxy::all(url.clone()).map_err(|error| {
                Error::configuration("the proxy cannot be used").because(error.without_url())
            })?),
        };
        if let Some(resolver) = &settings.resolver {
            builder = builder.dns_resolver(resolver.clone());
        }
        for pem in &settings.root_certificates {
            let certificates = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|error| Error::configuration("a root certificate cannot be read").because(error))?;
            if certificates.is_empty() {
                return Err(Error::configuration("no root certificate stands where one should")
                    .advise("give it as PEM: -----BEGIN CERTIFICATE-----"));
            }
            builder = certificates.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate);
        }
        let client = builder
            .build()
            .map_err(|error| Error::configuration("the HTTP client cannot be set up").because(error))?;
        Ok(Self { client, allow_http: settings.allow_http })
    }

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

/// Whether `host` names this machine: `localhost`, a name below it, or a loopback address.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return true;
    }
    let address = name.trim_start_matches('[').trim_end_matches(']');
    address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

impl Service<Request> for Wire {
    type Response = Response;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Response, Error>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let wire = self.clone();
        Box::pin(async move {
            let context = Context::of(&request);
            let (method, uri) = (request.method().clone(), request.uri().clone());
            let result = match wire.vet(&uri) {
                Ok(()) => exchange(&wire.client, request, &context).await,
                Err(refusal) => Err(refusal),
            };
            result.map_err(|error| {
                context.observer.notify(&Event::Failed { kind: error.kind(), message: &error.to_string() });
                error.on(&method, &uri)
            })
        })
    }
}

async fn exchange(client: &reqwest::Client, request: Request, context: &Context) -> Result<Response, Error> {
    context.observer.notify(&Event::Sending {
        method: request.method(),
        uri: request.uri(),
        headers: request.headers(),
        body: request.body().as_bytes(),
    });
    let started = tokio::time::Instant::now();
    let mut request = request.map(outgoing);
    encoding::accept(request.headers_mut());
    let request = reqwest::Request::try_from(request).map_err(|error| {
        Error::configuration("the request cannot be sent as it is").because(error.without_url())
    })?;
    let response = client.execute(request).await.map_err(failure::of_exchange)?;

    let (mut parts, body) = http::Response::from(response).into_parts();
    let pieces = http_body_util::BodyDataStream::new(body).map(|piece| piece.map_err(failure::of_body));
    let pieces = encoding::undo(&mut parts.headers, pieces);
    let failed = parts.status.is_client_error() || parts.status.is_server_error();
    let body = match context.read {
        _ if failed => Body::from(prefix(pieces, MAX_FAILURE_BYTES).await),
        Read::Whole { max_bytes } => {
            vet_length(&parts.headers, max_bytes)?;
            Body::from(Body::once(pieces).collect(max_bytes).await?)
        }
        Read::Stream => Body::once(patient(pieces, context.attempt_timeout)),
    };
    context.observer.notify(&Event::Answered {
        status: parts.status,
        headers: &parts.headers,
        body: body.as_bytes(),
        took: started.elapsed(),
    });
    Ok(http::Response::from_parts(parts, body))
}

fn outgoing(body: Body) -> reqwest::Body {
    match body {
        Body::Empty => reqwest::Body::default(),
        Body::Bytes(bytes) => reqwest::Body::from(bytes),
        streamed @ (Body::Replay(_) | Body::Once(_)) => reqwest::Body::wrap_stream(streamed.into_stream()),
    }
}

/// Refuses an answer that announces more than will be read, before reading any of it.
fn vet_length(headers: &http::HeaderMap, max_bytes: usize) -> Result<(), Error> {
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match announced {
        Some(length) if length > max_bytes as u64 => Err(crate::body::too_large(max_bytes)),
        _ => Ok(()),
    }
}

/// The beginning of a failure's body, as far as it comes: the status says what happened even when the words behind it break off.
async fn prefix(pieces: impl Stream<Item = Result<Bytes, Error>> + Send, max_bytes: usize) -> Bytes {
    let mut pieces = std::pin::pin!(pieces);
    let mut kept = Vec::new();
    while let Some(Ok(piece)) = pieces.next().await {
        let room = max_bytes - kept.len();
        kept.extend_from_slice(&piece[..piece.len().min(room)]);
        if kept.len() == max_bytes {
            break;
        }
    }
    kept.into()
}

/// Fails when a piece takes longer than `patience` to come.
fn patient(
    pieces: impl Stream<Item = Result<Bytes, Error>> + Send + 'static,
    patience: Duration,
) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
    futures_util::stream::try_unfold(Box::pin(pieces), move |mut pieces| async move {
        match tokio::time::timeout(patience, pieces.next()).await {
            Ok(Some(piece)) => Ok(Some((piece?, pieces))),
            Ok(None) => Ok(None),
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
        wire.vet(&url.parse().expect(url)).map_err(|error| error.kind())
    }

    #[test]
    fn root_certificates_that_are_none_are_refused_rather_than_passed_over() {
        for pem in ["", "made up", "-----BEGIN CERTIFICATE-----\nbWFkZSB1cA==\n-----END CERTIFICATE-----\n"] {
            let settings = Settings { root_certificates: vec![pem.into()], ..Settings::default() };
            assert_eq!(
                Wire::new(&settings).map(drop).map_err(|e| e.kind()),
                Err(Kind::Configuration),
                "{pem}"
            );
        }
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
