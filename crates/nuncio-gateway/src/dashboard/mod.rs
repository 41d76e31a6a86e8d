//! The dashboard at `/`: pages that the server renders, live by server-sent events.
//!
//! What is shown and done is the API's: the same reads of the store, the same acts, the same rules of who may. A page is a template that is checked
//! when it is compiled, and every value in it is escaped.

mod assets;
mod deliveries;
mod endpoints;
mod events;
mod explanation;
mod live;
mod page;
mod replays;
mod schedules;
mod session;
mod show;
mod sign_in;
mod sources;
mod spark;
mod viewer;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use nuncio_client::Error;
use tokio::sync::Semaphore;

use crate::app::App;
use session::Sessions;

/// How many pages may be live at once: each holds a connection, and those are for webhooks first.
const MAX_LIVE: usize = 64;

/// What all pages share.
pub(crate) struct Dashboard {
    sessions: Sessions,
    live: Arc<Semaphore>,
}

impl Dashboard {
    /// One that nobody is signed in to.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when the system gives no random numbers.
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self { sessions: Sessions::new()?, live: Arc::new(Semaphore::new(MAX_LIVE)) })
    }
}

/// Its pages.
pub(crate) fn router(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/", get(events::list))
        .route("/live/events", get(events::live))
        .route("/events/{event}", get(events::show))
        .route("/live/events/{event}", get(events::live_deliveries))
        .route("/events/{event}/body", get(events::body))
        .route("/events/{event}/resend", post(events::resend))
        .route("/deliveries", get(deliveries::list))
        .route("/live/deliveries", get(deliveries::live))
        .route("/endpoints", get(endpoints::list))
        .route("/live/endpoints", get(endpoints::live))
        .route("/endpoints/{endpoint}", get(endpoints::show))
        .route("/endpoints/{endpoint}/enable", post(endpoints::enable))
        .route("/endpoints/{endpoint}/disable", post(endpoints::disable))
        .route("/sources", get(sources::list))
        .route("/sources/{source}", get(sources::show))
        .route("/replays", get(replays::list).post(replays::begin))
        .route("/live/replays", get(replays::live))
        .route("/replays/{replay}/cancel", post(replays::cancel))
        .route("/schedules", get(schedules::list))
        .route("/live/schedules", get(schedules::live))
        .route("/schedules/{schedule}/run", post(schedules::run))
        .route("/schedules/{schedule}/pause", post(schedules::pause))
        .route("/schedules/{schedule}/resume", post(schedules::resume))
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/assets/{asset}", get(assets::serve))
        .layer(from_fn_with_state(Arc::clone(app), page::dress))
}
