//! The settings file: what the user always wants. A flag or a variable of the environment goes before it.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use nuncio_client::Error;
use nuncio_service::model::Span;
use serde::Deserialize;

/// Bound on the settings file: 1 MiB.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// What the file may say.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Time for one attempt.
    pub(crate) timeout: Option<Span>,
    /// Time for a whole call.
    pub(crate) deadline: Option<Span>,
    /// Calls at the same time.
    pub(crate) concurrency: Option<NonZeroUsize>,
    /// File with certificates of authorities to trust beside those of the system.
    pub(crate) cacert: Option<String>,
    /// Settings of single services.
    #[serde(default)]
    pub(crate) services: BTreeMap<String, ServiceConfig>,
}

/// What the file may say about one service.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceConfig {
    /// Called instead of the service's own base URL.
    pub(crate) base_url: Option<String>,
}

impl Config {
    /// Reads `file`, which must be there, or else the one in `folder`, which need not.
    pub(crate) fn read(file: Option<&Path>, folder: Option<&Path>) -> Result<Self, Error> {
        let (path, must_exist) = match (file, folder) {
            (Some(file), _) => (file.to_owned(), true),
            (None, Some(folder)) => (folder.join("config.toml"), false),
            (None, None) => return Ok(Self::default()),
        };
        let mut text = String::new();
        let read =
            std::fs::File::open(&path).and_then(|file| file.take(MAX_FILE_BYTES).read_to_string(&mut text));
        match read {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => {
                return Ok(Self::default());
            }
            Err(error) => {
                return Err(Error::configuration(format!("{} cannot be read", path.display())).because(error));
            }
            Ok(_) => {}
        }
        toml::from_str(&text).map_err(|error| {
            Error::configuration(format!("the settings in {} cannot be used", path.display())).because(error)
        })
    }
}

/// `$XDG_CONFIG_HOME/nuncio`, `~/.config/nuncio` (also on macOS), `%APPDATA%\nuncio`.
pub(crate) fn folder() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.config_dir().join("nuncio"))
}
