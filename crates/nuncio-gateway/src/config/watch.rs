//! Takes over a config file that changed.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use nuncio_client::Error;
use nuncio_service::Env;
use tokio::sync::Notify;

use super::Config;
use crate::registry::Registry;
use crate::server::Certificate;

/// How often it is looked whether a file changed.
const POLL: Duration = Duration::from_secs(2);

/// Takes over a config file that changed, all of it or nothing.
pub(crate) struct Watch {
    pub(crate) config: Config,
    pub(crate) env: Env,
    pub(crate) registry: Arc<Registry>,
    pub(crate) certificate: Option<Arc<Certificate>>,
    /// Somebody says that it changed.
    pub(crate) told: Arc<Notify>,
}

/// What a file that is written anew has another of.
type Print = Option<(SystemTime, u64)>;

impl Watch {
    /// Watches until it is dropped.
    pub(crate) async fn run(self) -> Infallible {
        let mut seen = self.prints().await;
        loop {
            let is_told = tokio::select! {
                () = self.told.notified() => true,
                () = tokio::time::sleep(POLL) => false,
            };
            let now = self.prints().await;
            if is_told || now != seen {
                seen = now;
                match self.reload().await {
                    Ok(()) => {
                        tracing::info!(file = %self.config.path.display(), "the config file is taken over");
                    }
                    Err(error) => tracing::error!("what was set up before stays so: {}", error.report()),
                }
            }
        }
    }

    async fn reload(&self) -> Result<(), Error> {
        let config = Config::read(&self.config.path, &self.env)?;
        if let Some(certificate) = &self.certificate {
            certificate.renew()?;
        }
        self.registry.apply_file(config.documents(&self.env)?).await?;
        if config.until_restart() != self.config.until_restart() {
            tracing::warn!("the config file has changes that hold from the next start: all before `tokens`");
        }
        Ok(())
    }

    async fn prints(&self) -> Vec<Print> {
        let tls = self.config.tls.iter().flat_map(|tls| [&tls.cert, &tls.key]);
        let mut prints = Vec::new();
        for file in std::iter::once(&self.config.path).chain(tls) {
            prints.push(print(file).await);
        }
        prints
    }
}

async fn print(file: &Path) -> Print {
    let metadata = tokio::fs::metadata(file).await.ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
