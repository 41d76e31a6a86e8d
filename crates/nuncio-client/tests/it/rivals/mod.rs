//! What other clients get wrong, each a rule that this one keeps. The comment above a test names who breaks the rule, and how.

mod limits;
mod lists;
mod pages;
mod retry;
mod retry_after;
mod wire;

use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use nuncio_client::pages::{Pages, Param, Place, Records, Strategy};
use nuncio_client::retry::{Backoff, Jitter, Policy};
use nuncio_client::{Body, Builder, Client, Clock, Error, Request, Response};
use tokio::time::Instant;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A request as the server saw it.
pub(crate) struct Seen {
    at: Duration,
    pub(crate) request: http::Request<Bytes>,
}

impl Seen {
    fn uri(&self) -> String {
        self.request.uri().to_string()
    }
}

#[derive(Clone)]
pub(crate) struct Log(Arc<Mutex<Vec<Seen>>>);

impl Log {
    pub(crate) fn len(&self) -> usize {
        self.0.lock().expect("not poisoned").len()
    }

    pub(crate) fn map<T>(&self, f: impl Fn(&Seen) -> T) -> Vec<T> {
        self.0.lock().expect("not poisoned").iter().map(f).collect()
    }

    /// Between one request and the next.
    pub(crate) fn gaps(&self) -> Vec<Duration> {
        self.map(|seen| seen.at).windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

/// A client of a server that gives its `n`th answer, from 0, by `answer(n, request)`. Plain backoff: 1, 2, 4 … seconds. The time of day
/// begins at 2027-01-15T08:00:00Z.
pub(crate) fn serve<F>(answer: F) -> (Builder, Log)
where
    F: Fn(usize, &http::Request<Bytes>) -> Response + Send + Sync + 'static,
{
    let (start, log) = (Instant::now(), Log(Arc::default()));
    let (answer, seen) = (Arc::new(answer), log.clone());
    let transport = tower::service_fn(move |request: Request| {
        let (answer, seen) = (Arc::clone(&answer), seen.clone());
        async move {
            let (parts, body) = request.into_parts();
            let request = http::Request::from_parts(parts, body.collect(10_000).await?);
            let response = answer(seen.len(), &request);
            seen.0.lock().expect("not poisoned").push(Seen { at: start.elapsed(), request });
            Ok::<_, Error>(response)
        }
    });
    let backoff = Backoff { jitter: Jitter::None, ..Backoff::default() };
    let builder = Client::builder()
        .base_url("https://api.example.com")
        .retry(Policy { backoff, ..Policy::default() })
        .clock(Clock::starting_at(UNIX_EPOCH + 1_800_000_000 * SECOND))
        .transport(transport);
    (builder, log)
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<String>) -> Response {
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Body::from(body.into())).expect("a valid answer")
}

pub(crate) fn ok(body: impl Into<String>) -> Response {
    answer(200, &[], body)
}

/// The parameter `name` in the query, or nothing.
fn param(request: &http::Request<Bytes>, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Pages with their records in `data` and the next cursor in `next`.
fn by_cursor() -> Pages {
    let next = Place::Body("next".parse().expect("a path"));
    let strategy = Strategy::Cursor { param: Param::Query("cursor".into()), next };
    Pages::new(strategy, Records::Array("data".parse().expect("a path")))
}
