//! Sends the requests for pages, each on a task of its own.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use http::request::Parts;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tower::{Service, ServiceExt as _};
use tracing::Instrument as _;
use url::Url;

use crate::context::DEFAULT_MAX_BODY_BYTES;
use crate::{Body, Context, Error, History, Kind, Read, Request, Response};

use super::{Pages, Position};

/// Sends the request for the first page, changed for each page, over `service`.
pub(super) struct Fetcher<S> {
    service: S,
    parts: Parts,
    body: Body,
    context: Context,
    delay: Duration,
    /// When the last request was, or will be, sent.
    last: Option<Instant>,
}

/// A page that was asked for. Dropping it ends the exchange.
pub(super) struct Fetch {
    pub(super) position: Position,
    pub(super) url: Url,
    exchange: Task<Result<Response, Error>>,
}

impl Fetch {
    pub(super) async fn response(&mut self) -> Result<Response, Error> {
        (&mut self.exchange).await?
    }
}

impl<S> Fetcher<S>
where
    S: Service<Request, Response = Response, Error = Error> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    /// # Errors
    /// [`Kind::Configuration`] for a body that cannot be sent again.
    pub(super) fn new(service: S, request: Request, pages: &Pages) -> Result<Self, Error> {
        let mut context = Context::of(&request);
        let is_streamed = !pages.whole && pages.parallel.get() == 1;
        context.read = if is_streamed { Read::Stream } else { whole(context.read) };
        let (parts, body) = request.into_parts();
        if matches!(body, Body::Once(_)) {
            return Err(Error::configuration(
                "a body that can be read only once cannot ask for several pages",
            ));
        }
        Ok(Self { service, parts, body, context, delay: pages.delay, last: None })
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn method(&self) -> &http::Method {
        &self.parts.method
    }

    /// Asks for the page at `position`, `delay` after the request before it.
    pub(super) fn fetch(&mut self, position: Position, pages: &Pages) -> Result<Fetch, Error> {
        self.fetch_and(self.context.read, position, pages)
    }

    /// Asks for the page at `position` and reads it whole, so that a body that breaks off is the retry layer's business.
    pub(super) fn fetch_whole(&mut self, position: Position, pages: &Pages) -> Result<Fetch, Error> {
        self.fetch_and(whole(self.context.read), position, pages)
    }

    fn fetch_and(&mut self, read: Read, position: Position, pages: &Pages) -> Result<Fetch, Error> {
        let body = self.body.try_clone().expect("checked when the fetcher was made");
        let mut request = Request::from_parts(self.parts.clone(), body);
        pages.apply(&position, &mut request)?;
        let context = Context { history: History::default(), read, ..self.context.clone() };
        request.extensions_mut().insert(context);
        let url = url_of(&request)?;

        let now = Instant::now();
        let start = self.last.map_or(now, |last| last.max(now) + self.delay);
        self.last = Some(start);
        let service = self.service.clone();
        let exchange = async move {
            // Even a sleep that is over takes up to a millisecond.
            if start > now {
                tokio::time::sleep_until(start).await;
            }
            service.oneshot(request).await
        };
        Ok(Fetch { position, url, exchange: Task::spawn(exchange.in_current_span()) })
    }
}

fn whole(read: Read) -> Read {
    match read {
        Read::Stream => Read::Whole { max_bytes: DEFAULT_MAX_BODY_BYTES },
        whole @ Read::Whole { .. } => whole,
    }
}

/// # Errors
/// [`Kind::Configuration`] for a request without scheme and host.
pub(super) fn url_of(request: &Request) -> Result<Url, Error> {
    request.uri().to_string().parse().map_err(|source| {
        Error::new(Kind::Configuration, "paging needs the whole URL of the first page").because(source)
    })
}

/// A spawned task that ends when it is dropped.
pub(super) struct Task<T>(JoinHandle<T>);

/// The task panicked or was ended by its runtime.
#[derive(Debug, thiserror::Error)]
#[error("a task that reads pages ended early")]
pub(super) struct Lost(#[source] tokio::task::JoinError);

impl<T: Send + 'static> Task<T> {
    pub(super) fn spawn(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(tokio::spawn(future))
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Lost>;

    fn poll(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_err(Lost)
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl From<Lost> for Error {
    fn from(lost: Lost) -> Self {
        Self::new(Kind::Pages, "the pages were not read to their end").because(lost)
    }
}
