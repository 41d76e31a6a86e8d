//! Parts of pages that follow what happens.
//!
//! A part is rendered again twice a second, and sent if it is not what was sent last: however much arrives, that is all, and nothing queues up. It is
//! rendered when the browser has taken the one before, so a slow one gets fewer and holds back nobody.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::IntoResponse as _;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream;
use http::{HeaderMap, StatusCode};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

use super::page::Paged;
use super::viewer::Viewer;
use crate::app::App;
use crate::problem::Problem;

/// How often a part is rendered.
const PAUSE: Duration = Duration::from_millis(500);

/// What is sent while nothing changes, so that a browser that is gone is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

struct Part<R> {
    app: Arc<App>,
    headers: HeaderMap,
    render: R,
    sent: Option<String>,
    _slot: OwnedSemaphorePermit,
}

/// A stream of what `render` makes, to whoever has these headers for as long as they may read.
pub(super) fn live<R, F>(app: Arc<App>, headers: HeaderMap, render: R) -> Paged
where
    R: Fn(Arc<App>, Viewer) -> F + Send + 'static,
    F: Future<Output = Result<String, Problem>> + Send + 'static,
{
    let slot = Arc::clone(&app.dashboard.live).try_acquire_owned().map_err(|_| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many", "too many pages are live: close some")
    })?;
    let part = Part { app, headers, render, sent: None, _slot: slot };
    let parts = stream::unfold(part, |mut part| async move {
        let html = part.next().await?;
        let event = Event::default().event("part").data(html.replace('\r', ""));
        Some((Ok::<_, Infallible>(event), part))
    });
    Ok(Sse::new(parts).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

impl<R, F> Part<R>
where
    R: Fn(Arc<App>, Viewer) -> F,
    F: Future<Output = Result<String, Problem>>,
{
    /// The next part that differs. `None`: nothing more is to be said, and the browser asks again.
    async fn next(&mut self) -> Option<String> {
        loop {
            let pause = sleep(if self.sent.is_some() { PAUSE } else { Duration::ZERO });
            self.app.stop.run_until_cancelled(pause).await?;
            // Whoever signed out, or whose token was taken back, sees no more.
            let viewer = Viewer::of(&self.app, &self.headers).ok()?;
            let html = (self.render)(Arc::clone(&self.app), viewer).await.ok()?;
            if self.sent.as_ref() != Some(&html) {
                self.sent = Some(html.clone());
                return Some(html);
            }
        }
    }
}
