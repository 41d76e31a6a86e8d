//! A login by one request, whose answer authorises the others.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{HeaderName, header};
use subtle::ConstantTimeEq as _;

use super::oauth2::Tokens;
use super::oauth2::cache::TokenCache;
use super::oauth2::token::Token;
use super::{Authenticate, Exchange, Refusal};
use crate::redact::BLANK;
use crate::{Answer, Context, Error, Event, Kind, Read, Request, Secret};

/// Bound on the answer to a login: 1 MiB.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Logs in with a request of one's own and sends what its answer gave with every other. Many wait for one login; a 401 makes for another.
///
/// ```
/// use http::header;
/// use nuncio_client::auth::{Auth, Session};
/// use nuncio_client::{Body, Error, Kind, Request, Secret};
///
/// let session = Session::new(
///     || {
///         let body = r#"{"user": "made-up-user", "password": "made-up-password"}"#;
///         let request = http::Request::post("https://api.example.com/login").header(header::CONTENT_TYPE, "application/json");
///         request.body(Body::from(body.to_owned())).map_err(|error| Error::configuration("no request").because(error))
///     },
///     |answer| {
///         let answer: serde_json::Value = answer.json()?;
///         let ticket = answer["ticket"].as_str().ok_or_else(|| Error::new(Kind::Auth, "no ticket came back"))?;
///         Ok(Secret::new(ticket))
///     },
/// )
/// .header(http::HeaderName::from_static("x-ticket"), "");
/// let auth = Auth::custom(session);
/// ```
pub struct Session {
    login: Box<LogIn>,
    read: Arc<FindCredential>,
    header: HeaderName,
    prefix: String,
    lifetime: Option<Duration>,
    cache: TokenCache,
}

type LogIn = dyn Fn() -> Result<Request, Error> + Send + Sync;
type FindCredential = dyn Fn(&Answer) -> Result<Secret, Error> + Send + Sync;

impl Session {
    /// A session that `login` asks for, and whose credential `read` finds in the answer, which is one of success.
    #[must_use]
    pub fn new(
        login: impl Fn() -> Result<Request, Error> + Send + Sync + 'static,
        read: impl Fn(&Answer) -> Result<Secret, Error> + Send + Sync + 'static,
    ) -> Self {
        Self {
            login: Box::new(login),
            read: Arc::new(read),
            header: header::AUTHORIZATION,
            prefix: "Bearer ".to_owned(),
            lifetime: None,
            cache: TokenCache::default(),
        }
    }

    /// The header that carries the credential, and the text before it. Default: `Authorization: Bearer …`.
    #[must_use]
    pub fn header(mut self, name: HeaderName, prefix: impl Into<String>) -> Self {
        (self.header, self.prefix) = (name, prefix.into());
        self
    }

    /// How long a session is good for; another is begun a little before. Default: until the service answers 401.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    fn log_in(&self, exchange: Exchange) -> BoxFuture<'static, Result<Token, Error>> {
        let (request, read, lifetime) = ((self.login)(), Arc::clone(&self.read), self.lifetime);
        async move {
            let mut request = request?;
            let (method, url) = (request.method().clone(), request.uri().clone());
            request.extensions_mut().insert(Context {
                // Read here and not on the wire, where events would show what the redactor does not know yet.
                read: Read::Stream,
                observer: exchange.observer.clone(),
                ..Context::default()
            });
            let failed =
                |error: Error| Error::new(Kind::Auth, "the login failed").because(error).on(&method, &url);
            let answer = Answer::read(exchange.send(request).await.map_err(failed)?, MAX_ANSWER_BYTES).await;
            let answer = answer.map_err(failed)?;
            if !answer.status.is_success() {
                let message = format!("the server answered {}", answer.status);
                return Err(failed(Error::new(Kind::Status, message).answered(answer)));
            }
            let obtained_at = exchange.clock.now();
            let tokens = Tokens {
                access_token: Some(read(&answer).map_err(failed)?),
                obtained_at,
                expires_at: lifetime.and_then(|lifetime| obtained_at.checked_add(lifetime)),
                ..Tokens::default()
            };
            exchange.observer.notify(&Event::Token { reason: "logged in" });
            Ok(Token::of(&tokens, &exchange.clock).expect("there is one"))
        }
        .boxed()
    }
}

impl Authenticate for Session {
    fn authenticate<'a>(
        &'a self,
        mut request: Request,
        exchange: &'a Exchange,
    ) -> BoxFuture<'a, Result<Request, Error>> {
        Box::pin(async move {
            let observer = Context::of(&request).observer;
            let log_in = |_| self.log_in(exchange.observed_by(observer));
            let credential = self.cache.get(&exchange.clock, log_in).await?;
            request.headers_mut().insert(self.header.clone(), credential.header(&self.prefix)?);
            Ok(request)
        })
    }

    fn refused(&self, refusal: &Refusal<'_>) -> bool {
        let sent = refusal.sent.get(&self.header).map_or(&b""[..], |value| value.as_bytes());
        let sent = sent.strip_prefix(self.prefix.as_bytes()).unwrap_or_default();
        if self.cache.drop_if(|credential| credential.expose().as_bytes().ct_eq(sent).into()) {
            let reason = "dropped the session: the service refused it";
            refusal.context.observer.notify(&Event::Token { reason });
        }
        // Where another attempt has dropped or replaced it already, the next one carries that one's.
        true
    }

    fn preview(&self, request: &mut Request) -> Result<(), Error> {
        request.headers_mut().insert(self.header.clone(), Secret::new(BLANK).header(&self.prefix)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;
    use crate::Body;
    use crate::auth::testing::{answer, exchange, get};

    fn session() -> Session {
        let login = || Ok(http::Request::post("https://api.example.com/login").body(Body::Empty).unwrap());
        let read = |answer: &Answer| {
            let answer: serde_json::Value = answer.json()?;
            let ticket = answer["ticket"].as_str().ok_or_else(|| Error::new(Kind::Auth, "no ticket"))?;
            Ok(Secret::new(ticket))
        };
        Session::new(login, read).header(HeaderName::from_static("x-ticket"), "Ticket ")
    }

    /// A server that numbers its tickets, and how many it gave.
    fn server() -> (Exchange, Arc<AtomicUsize>) {
        let given = Arc::new(AtomicUsize::new(0));
        let copy = Arc::clone(&given);
        let exchange = exchange(move |request| {
            assert_eq!(request.uri().path(), "/login");
            let number = copy.fetch_add(1, Ordering::Relaxed) + 1;
            async move { answer(200, &format!(r#"{{"ticket": "made-up-ticket-{number}."}}"#)) }
        });
        (exchange, given)
    }

    async fn carried(session: &Session, exchange: &Exchange) -> String {
        let request = session.authenticate(get("https://api.example.com/"), exchange).await.unwrap();
        request.headers()["x-ticket"].to_str().unwrap().to_owned()
    }

    fn refuse(session: &Session, value: &str) {
        let mut sent = http::HeaderMap::new();
        sent.insert("x-ticket", value.parse().unwrap());
        let (answered, context) = (http::HeaderMap::new(), Context::default());
        assert!(session.refused(&Refusal { sent: &sent, answered: &answered, context: &context }));
    }

    #[tokio::test(start_paused = true)]
    async fn all_calls_share_one_login() {
        let (session, (exchange, given)) = (session(), server());
        let all = join_all((0..100).map(|_| carried(&session, &exchange))).await;
        assert!(all.iter().all(|value| value == "Ticket made-up-ticket-1."));
        assert_eq!(given.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_is_refused_is_replaced_once() {
        let (session, (exchange, given)) = (session(), server());
        let first = carried(&session, &exchange).await;
        refuse(&session, &first);
        let second = carried(&session, &exchange).await;
        assert_eq!(second, "Ticket made-up-ticket-2.");
        refuse(&session, &first);
        assert_eq!(carried(&session, &exchange).await, second, "the refusal was of the one before");
        assert_eq!(given.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_is_replaced_before_its_end() {
        let (session, (exchange, _)) = (session().lifetime(Duration::from_secs(100)), server());
        carried(&session, &exchange).await;
        tokio::time::advance(Duration::from_secs(89)).await;
        assert_eq!(carried(&session, &exchange).await, "Ticket made-up-ticket-1.");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(carried(&session, &exchange).await, "Ticket made-up-ticket-2.");
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_that_fails_is_told_with_what_the_server_said() {
        for (status, body, cause) in
            [(403, "no", "the server answered 403 Forbidden"), (200, "{}", "no ticket")]
        {
            let exchange = exchange(move |_| async move { answer(status, body) });
            let error = session().authenticate(get("https://api.example.com/"), &exchange).await.unwrap_err();
            assert_eq!((error.kind(), error.url()), (Kind::Auth, Some("https://api.example.com/login")));
            assert_eq!(error.cause::<Error>().unwrap().to_string(), cause);
        }
    }
}
