//! What all requests share.

use std::sync::Arc;

use jiff::Timestamp;
use nuncio_client::Clock;
use nuncio_relay::dispatch::Handle;
use nuncio_relay::replay::Replays;
use nuncio_relay::{Directory, Inbox, Outbox, Store, schedule};
use tokio::sync::watch;

use tokio_util::sync::CancellationToken;

use crate::dashboard::Dashboard;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::registry::Registry;

/// What all requests share.
pub(crate) struct App {
    pub(crate) options: Options,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) inbox: Inbox,
    pub(crate) outbox: Outbox,
    pub(crate) dispatcher: Handle,
    pub(crate) replays: Replays,
    pub(crate) scheduler: schedule::Handle,
    pub(crate) directory: watch::Receiver<Arc<Directory>>,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) dashboard: Dashboard,
    /// When no more is to be said on connections that stay open.
    pub(crate) stop: CancellationToken,
}

impl App {
    /// The time of day.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::try_from(self.clock.now()).unwrap_or(Timestamp::MAX)
    }

    /// The config file in words, for whoever would change by the API what it says.
    pub(crate) fn config_file(&self) -> String {
        match &self.options.config {
            Some(config) => format!("the config file {}", config.path().display()),
            None => "a config file that `nuncio serve` was not started with this time".to_owned(),
        }
    }
}

pub(crate) type Shared = axum::extract::State<Arc<App>>;
