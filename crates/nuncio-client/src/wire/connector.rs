//! Opens connections: over TCP, through a proxy where one is set, with TLS where the URL says so.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::str::FromStr as _;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::uri::Scheme;
use http::{HeaderValue, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connected, Connection as ConnectionInfo, HttpConnector};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tower::{Service, ServiceExt as _};

use crate::{BoxError, Error};

use super::tls::Tls;
use super::{Guard, Proxy, Resolver, Settings, guard};

/// To a proxy or, without one, to the server.
type Hop = MaybeHttpsStream<TokioIo<TcpStream>>;

#[derive(Clone)]
pub(super) struct Connector(Arc<Inner>);

struct Inner {
    tcp: HttpConnector<Resolver>,
    resolver: Resolver,
    guard: Option<Guard>,
    proxies: Matcher,
    tls: Tls,
    timeout: Duration,
}

impl Connector {
    pub(super) fn new(settings: &Settings) -> Result<Self, Error> {
        if settings.guard.is_some() && matches!(settings.proxy, Proxy::Url(_)) {
            return Err(guard::no_proxy());
        }
        let resolver = settings.resolver.clone().unwrap_or_else(Resolver::system);
        let resolver = match settings.guard.clone() {
            Some(guard) => resolver.guarded(guard),
            None => resolver,
        };
        let mut tcp = HttpConnector::new_with_resolver(resolver.clone());
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        let inner = Inner {
            tcp,
            resolver,
            guard: settings.guard.clone(),
            proxies: proxies(&settings.proxy)?,
            tls: Tls::new(&settings.root_certificates, settings.identity.clone())?,
            timeout: settings.connect_timeout,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// What a proxy wants to see in a request that it reads itself: one without TLS.
    pub(super) fn proxy_authorization(&self, uri: &Uri) -> Option<HeaderValue> {
        if uri.scheme() != Some(&Scheme::HTTP) {
            return None;
        }
        self.0.proxies.intercept(uri)?.basic_auth().cloned()
    }
}

fn proxies(proxy: &Proxy) -> Result<Matcher, Error> {
    let matcher = match proxy {
        Proxy::System => Matcher::from_system(),
        Proxy::Direct => Matcher::builder().build(),
        Proxy::Url(url) => {
            let matcher = Matcher::builder().all(url.as_str()).build();
            let is_understood = matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h")
                && matcher.intercept(&Uri::from_static("http://any.invalid")).is_some();
            if !is_understood {
                let message = format!("the proxy {:?} cannot be used", crate::redact::url(url));
                return Err(Error::configuration(message)
                    .advise("give an http, https, socks5 or socks5h URL with a host"));
            }
            matcher
        }
    };
    Ok(matcher)
}

impl Service<Uri> for Connector {
    type Response = Connection;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Connection, BoxError>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let connected = tokio::time::timeout(inner.timeout, inner.connect(uri)).await;
            connected.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
        })
    }
}

impl Inner {
    async fn connect(&self, uri: Uri) -> Result<Connection, BoxError> {
        let is_secure = uri.scheme() == Some(&Scheme::HTTPS);
        let proxy = self.proxies.intercept(&uri);
        self.vet(&uri, proxy.as_ref())?;
        let (hop, is_proxied) = match proxy {
            Some(proxy) if is_socks(&proxy) => {
                (MaybeHttpsStream::Http(self.through_socks(&proxy, &uri).await?), false)
            }
            Some(proxy) if is_secure => (self.through_tunnel(&proxy, uri.clone()).await?, false),
            Some(proxy) => (self.to_proxy(proxy.uri().clone()).await?, true),
            None => (MaybeHttpsStream::Http(self.tcp.clone().oneshot(uri.clone()).await?), false),
        };
        let stream = if is_secure {
            let name = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
            let name = ServerName::try_from(name.to_owned())?;
            let tls = TlsConnector::from(self.tls.configs()?.server).connect(name, TokioIo::new(hop)).await?;
            MaybeHttpsStream::Https(TokioIo::new(tls))
        } else {
            MaybeHttpsStream::Http(hop)
        };
        Ok(Connection { stream, is_proxied })
    }

    /// What the resolver does not see: addresses, and names that a proxy would look up.
    fn vet(&self, uri: &Uri, proxy: Option<&Intercept>) -> Result<(), Error> {
        match &self.guard {
            Some(_) if proxy.is_some() => Err(guard::no_proxy()),
            Some(guard) => guard.vet_host(uri.host().unwrap_or_default()),
            None => Ok(()),
        }
    }

    async fn to_proxy(&self, proxy: Uri) -> Result<Hop, BoxError> {
        if proxy.scheme() == Some(&Scheme::HTTPS) {
            return HttpsConnector::from((self.tcp.clone(), self.tls.configs()?.proxy)).oneshot(proxy).await;
        }
        Ok(MaybeHttpsStream::Http(self.tcp.clone().oneshot(proxy).await?))
    }

    async fn through_tunnel(&self, proxy: &Intercept, uri: Uri) -> Result<Hop, BoxError> {
        let to_proxy = HttpsConnector::from((self.tcp.clone(), self.tls.configs()?.proxy));
        let mut tunnel = Tunnel::new(proxy.uri().clone(), to_proxy);
        if let Some(value) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(value.clone());
        }
        Ok(tunnel.oneshot(uri).await?)
    }

    async fn through_socks(&self, proxy: &Intercept, uri: &Uri) -> Result<TokioIo<TcpStream>, BoxError> {
        let host = uri.host().unwrap_or_default();
        // With socks5h the proxy looks the name up.
        let host =
            if proxy.uri().scheme_str() == Some("socks5") { self.look_up(host).await? } else { host.into() };
        // Without a port, 443 would be taken for http too.
        let port = uri.port_u16().unwrap_or(if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 });
        let uri = Uri::builder()
            .scheme("socks5")
            .authority(format!("{host}:{port}"))
            .path_and_query("/")
            .build()?;
        let mut socks = SocksV5::new(proxy.uri().clone(), self.tcp.clone());
        if let Some((user, password)) = proxy.raw_auth() {
            socks = socks.with_auth(user.to_owned(), password.to_owned());
        }
        Ok(socks.oneshot(uri).await?)
    }

    /// The address of a host, as it stands in a URL.
    async fn look_up(&self, host: &str) -> Result<String, BoxError> {
        if host.starts_with('[') {
            return Ok(host.to_owned());
        }
        let found = self.resolver.clone().oneshot(Name::from_str(host)?).await?.next();
        match found.ok_or("dns error: the name has no address")?.ip() {
            IpAddr::V4(address) => Ok(address.to_string()),
            IpAddr::V6(address) => Ok(format!("[{address}]")),
        }
    }
}

fn is_socks(proxy: &Intercept) -> bool {
    proxy.uri().scheme_str().is_some_and(|scheme| scheme.starts_with("socks"))
}

/// An open connection.
pub(super) struct Connection {
    stream: MaybeHttpsStream<Hop>,
    /// Whether requests go to a proxy that reads them.
    is_proxied: bool,
}

impl ConnectionInfo for Connection {
    fn connected(&self) -> Connected {
        self.stream.connected().proxy(self.is_proxied)
    }
}

impl Read for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Write for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it is when the system names a proxy.
    #[tokio::test]
    async fn a_call_that_would_go_through_a_proxy_is_refused_under_a_guard() {
        let proxy = Proxy::Url("http://127.0.0.1:1".parse().expect("a URL"));
        let settings = Settings { proxy, ..Settings::default() };
        let mut inner =
            Arc::into_inner(Connector::new(&settings).expect("a connector").0).expect("the only one");
        inner.guard = Some(Guard::default());
        for uri in ["http://93.184.215.14", "https://example.com", "http://10.0.0.1"] {
            let Err(error) = inner.connect(Uri::from_static(uri)).await else {
                panic!("{uri} is connected to")
            };
            let error = error.downcast::<Error>().expect("our own");
            assert_eq!(error.to_string(), "a guard cannot vet what a proxy connects to", "{uri}");
        }
    }
}
