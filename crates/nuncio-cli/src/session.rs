//! What every command has at hand: settings, the environment, the catalog.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use nuncio_client::{Clock, Error, Observer};
use nuncio_service::{Catalog, Env};

use crate::args::{CallOptions, Global};
use crate::config::{self, Config};
use crate::wire_log;

/// Folder of service files in the working directory.
const LOCAL_SERVICES: &str = "services";

/// The settings of one run. The environment is read here and nowhere else.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) global: Global,
    pub(crate) config: Config,
    pub(crate) env: Env,
    pub(crate) clock: Clock,
    config_folder: Option<PathBuf>,
}

impl Session {
    pub(crate) fn new(global: Global) -> Result<Self, Error> {
        let config_folder = config::folder();
        let config = Config::read(global.config.as_deref(), config_folder.as_deref())?;
        let env = Env::new(|name| std::env::var(name).ok());
        Ok(Self { global, config, env, clock: Clock::system(), config_folder })
    }

    /// Built in, then the user's own, then those of the working directory, then `file`.
    pub(crate) fn catalog(&self, file: Option<&Path>) -> Result<Catalog, Error> {
        let mut catalog = Catalog::built_in();
        if let Some(folder) = &self.config_folder {
            catalog = catalog.with_folder(&folder.join("services"))?;
        }
        catalog = catalog.with_folder(Path::new(LOCAL_SERVICES))?;
        match file {
            Some(file) => catalog.with_file(file),
            None => Ok(catalog),
        }
    }

    /// Is told what happens in calls. Warnings are shown without `--verbose` too.
    pub(crate) fn observer(&self) -> Observer {
        wire_log::observer(self.global.verbose, self.global.json)
    }

    /// Calls at the same time, where the user said so.
    pub(crate) fn concurrency(&self, options: &CallOptions) -> Option<NonZeroUsize> {
        options.concurrency.or(self.config.concurrency)
    }
}
