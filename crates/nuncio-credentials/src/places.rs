//! Where a user's store is.

use std::path::PathBuf;

use etcetera::BaseStrategy as _;
use nuncio_client::Error;

pub(crate) struct Places {
    pub(crate) database: PathBuf,
    pub(crate) key_file: PathBuf,
}

pub(crate) fn of_user() -> Result<Places, Error> {
    let user = etcetera::choose_base_strategy().map_err(|error| {
        Error::configuration("there is no home folder to keep credentials in")
            .because(error)
            .advise("set HOME")
    })?;
    let data = user.data_dir();
    // Windows has no folder for state.
    let state = user.state_dir().unwrap_or_else(|| user.cache_dir());
    Ok(Places {
        database: state.join("nuncio").join("credentials.db"),
        key_file: data.join("nuncio").join("credentials.key"),
    })
}
