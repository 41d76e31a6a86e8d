//! A page on this machine that the browser comes back to (RFC 8252, section 7.3).

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::select_all;
use futures_util::stream::FuturesUnordered;
use http::{Method, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use url::{Host, Url};

use super::BrowserLogin;
use crate::{Error, Evidence, Kind};

/// Browsers open connections that they may need. More than these are not taken at a time.
const MOST_CONNECTIONS: usize = 16;

/// Bound on the head of a request: 16 KiB.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// A port on this machine, and on no other, that waits for the browser to come back.
#[derive(Debug)]
pub struct Loopback {
    listeners: Vec<TcpListener>,
    redirect_uri: Url,
}

impl Loopback {
    /// Waits where `redirect_uri` leads: `http` to `127.0.0.1`, `[::1]` or `localhost`, with a path. Without a port any that is free is
    /// taken, which servers allow for addresses (RFC 8252, section 7.3) and rarely for `localhost`.
    ///
    /// # Errors
    /// [`Kind::Configuration`] for a URI that does not lead to this machine, and for a port that is taken.
    pub async fn bind(redirect_uri: &Url) -> Result<Self, Error> {
        let addresses = addresses(redirect_uri)?;
        let mut port = redirect_uri.port().unwrap_or(0);
        let mut listeners = Vec::new();
        for address in addresses {
            match TcpListener::bind((*address, port)).await {
                Ok(listener) => {
                    port = listener.local_addr().map_err(|error| unbound(redirect_uri, error))?.port();
                    listeners.push(listener);
                }
                // A machine without IPv6 is none the worse for `localhost`.
                Err(error) if error.kind() != io::ErrorKind::AddrInUse && !listeners.is_empty() => {}
                Err(error) => return Err(unbound(redirect_uri, error)),
            }
        }
        let mut redirect_uri = redirect_uri.clone();
        redirect_uri.set_port(Some(port)).expect("a URL with a host may have a port");
        Ok(Self { listeners, redirect_uri })
    }

    /// Where the server is to send the user, with the port.
    #[must_use]
    pub fn redirect_uri(&self) -> &Url {
        &self.redirect_uri
    }

    /// Waits until the browser comes back from `login`, shows a page that says how it went, and returns the URL that it came back with. Other
    /// paths are answered with 404, such as the icon that browsers ask for.
    ///
    /// # Errors
    /// [`Kind::Timeout`] when nobody comes `within` that time; those of [`BrowserLogin::code`].
    pub async fn receive(self, login: &BrowserLogin, within: Duration) -> Result<Url, Error> {
        timeout(within, self.redirected(login)).await.unwrap_or_else(|_| {
            Err(Error::new(
                Kind::Timeout,
                format!("nobody came back from the browser within {} s", within.as_secs()),
            )
            .evidence_is(Evidence::NeverSent)
            .advise("begin again and finish in the browser; where there is none, log in with a device code"))
        })
    }

    async fn redirected(&self, login: &BrowserLogin) -> Result<Url, Error> {
        let mut connections = FuturesUnordered::new();
        loop {
            tokio::select! {
                stream = self.accept(), if connections.len() < MOST_CONNECTIONS => {
                    connections.push(self.serve(stream, login));
                }
                Some(Some(result)) = connections.next() => return result,
            }
        }
    }

    /// The next connection. One that broke before it was taken is none.
    async fn accept(&self) -> TcpStream {
        loop {
            let accepting = self.listeners.iter().map(|listener| Box::pin(listener.accept()));
            match select_all(accepting).await.0 {
                Ok((stream, _)) => return stream,
                // Out of file descriptors, for example, which passes.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Answers the one request of a connection, and says what it ended the wait with, if it did.
    async fn serve(&self, stream: TcpStream, login: &BrowserLogin) -> Option<Result<Url, Error>> {
        let ended = Mutex::new(None);
        let service = service_fn(|request: http::Request<Incoming>| {
            let Some(redirected) = self.target(&request) else {
                return std::future::ready(Ok::<_, Infallible>(page(
                    StatusCode::NOT_FOUND,
                    "There is nothing here.",
                )));
            };
            let checked = login.code(&redirected);
            let page = match &checked {
                Ok(_) => page(StatusCode::OK, "You are logged in. You can close this page."),
                Err(error) => page(StatusCode::BAD_REQUEST, &format!("The login failed: {error}.")),
            };
            *ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(checked.map(|_| redirected));
            std::future::ready(Ok(page))
        });
        // A connection that breaks off has asked for nothing, or does not want to see the page.
        let _ = http1::Builder::new()
            .keep_alive(false)
            .max_buf_size(MAX_HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .await;
        ended.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The URL that the browser came back with, unless it asks for something else.
    fn target(&self, request: &http::Request<Incoming>) -> Option<Url> {
        let uri = request.uri();
        if request.method() != Method::GET || uri.path() != self.redirect_uri.path() {
            return None;
        }
        let mut redirected = self.redirect_uri.clone();
        redirected.set_query(uri.query());
        Some(redirected)
    }
}

fn addresses(redirect_uri: &Url) -> Result<&'static [IpAddr], Error> {
    const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
    match redirect_uri.host() {
        Some(Host::Ipv4(Ipv4Addr::LOCALHOST)) if redirect_uri.scheme() == "http" => Ok(&[V4]),
        Some(Host::Ipv6(Ipv6Addr::LOCALHOST)) if redirect_uri.scheme() == "http" => Ok(&[V6]),
        Some(Host::Domain("localhost")) if redirect_uri.scheme() == "http" => Ok(&[V4, V6]),
        _ => Err(Error::configuration(format!(
            "the redirect URI {redirect_uri} does not lead to this machine"
        ))
        .advise("use one like http://127.0.0.1/callback, and register it with the provider")),
    }
}

fn unbound(redirect_uri: &Url, error: io::Error) -> Error {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program has the port, perhaps an earlier login: end it, or use another port that the provider knows"
        }
        _ => "check that the address exists on this machine and the port may be used",
    };
    Error::configuration(format!("{redirect_uri} cannot be waited at")).because(error).advise(advice)
}

/// `text` as a page that stays where it is: no cache, no referrer, nothing loaded.
fn page(status: StatusCode, text: &str) -> http::Response<Full<Bytes>> {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let html = format!("<!doctype html><meta charset=\"utf-8\"><title>nuncio</title><p>{text}</p>\n");
    http::Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::REFERRER_POLICY, "no-referrer")
        .header(header::CONTENT_SECURITY_POLICY, "default-src 'none'")
        .body(Full::from(html))
        .expect("all parts are valid")
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    async fn bound(redirect_uri: &str) -> Loopback {
        Loopback::bind(&redirect_uri.parse().unwrap()).await.unwrap()
    }

    /// What the browser gets for `path`.
    async fn shown(loopback_uri: &Url, path: &str) -> String {
        let address = (loopback_uri.host_str().unwrap(), loopback_uri.port().unwrap());
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nhost: made-up\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn the_browser_comes_back_past_an_idle_connection_and_an_icon() {
        let loopback = bound("http://127.0.0.1/callback").await;
        let uri = loopback.redirect_uri().clone();
        assert_ne!(uri.port(), None);
        let browser = async {
            let _idle = TcpStream::connect(("127.0.0.1", uri.port().unwrap())).await.unwrap();
            assert!(shown(&uri, "/favicon.ico").await.starts_with("HTTP/1.1 404"));
            shown(&uri, "/callback?code=made-up-code&state=made-up-state").await
        };
        let login = BrowserLogin::made_up();
        let (redirected, page) = tokio::join!(loopback.receive(&login, PATIENCE), browser);
        let expected = format!("{uri}?code=made-up-code&state=made-up-state");
        assert_eq!(redirected.unwrap().as_str(), expected);
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("You are logged in"), "{page}");
        assert!(page.contains("cache-control: no-store") && !page.contains("made-up-code"), "{page}");
    }

    #[tokio::test]
    async fn an_unexpected_state_ends_the_wait_with_an_error_on_both_sides() {
        let loopback = bound("http://127.0.0.1/callback").await;
        let uri = loopback.redirect_uri().clone();
        let login = BrowserLogin::made_up();
        let (redirected, page) =
            tokio::join!(loopback.receive(&login, PATIENCE), shown(&uri, "/callback?code=c&state=other"));
        let error = redirected.unwrap_err();
        assert_eq!(error.to_string(), "the redirect carries a `state` that is not of this login");
        assert!(page.starts_with("HTTP/1.1 400") && page.contains(&error.to_string()), "{page}");
    }

    #[tokio::test]
    async fn what_the_server_says_is_text_on_the_page() {
        let loopback = bound("http://127.0.0.1/callback").await;
        let uri = loopback.redirect_uri().clone();
        let login = BrowserLogin::made_up();
        let path = "/callback?state=made-up-state&error=%3Cscript%3E&error_description=%26amp%3B";
        let (redirected, page) = tokio::join!(loopback.receive(&login, PATIENCE), shown(&uri, path));
        assert_eq!(redirected.unwrap_err().to_string(), "the authorization server refused: <script> (&amp;)");
        assert!(page.contains("&lt;script> (&amp;amp;)") && !page.contains("<script"), "{page}");
    }

    #[tokio::test]
    async fn localhost_is_waited_at_under_both_addresses() {
        let loopback = bound("http://localhost/").await;
        let port = loopback.redirect_uri().port().unwrap();
        assert!(TcpStream::connect(("127.0.0.1", port)).await.is_ok());
        let has_ipv6 = TcpListener::bind("[::1]:0").await.is_ok();
        assert_eq!(TcpStream::connect(("::1", port)).await.is_ok(), has_ipv6);
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_told() {
        let first = bound("http://127.0.0.1/callback").await;
        let error = Loopback::bind(first.redirect_uri()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Configuration);
        assert_eq!(error.to_string(), format!("{} cannot be waited at", first.redirect_uri()));
        assert!(error.advice().unwrap().starts_with("another program has the port"));
    }

    #[tokio::test]
    async fn other_machines_are_not_waited_at() {
        for uri in [
            "http://0.0.0.0/",
            "http://192.0.2.1/",
            "http://example.com/",
            "https://127.0.0.1/",
            "made-up:/back",
        ] {
            let error = Loopback::bind(&uri.parse().unwrap()).await.unwrap_err();
            assert!(error.to_string().ends_with("does not lead to this machine"), "{uri}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_forever() {
        let loopback = bound("http://127.0.0.1/callback").await;
        let error = loopback.receive(&BrowserLogin::made_up(), PATIENCE).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Timeout);
        assert_eq!(error.to_string(), "nobody came back from the browser within 60 s");
    }
}
