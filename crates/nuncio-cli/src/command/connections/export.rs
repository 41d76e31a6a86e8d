//! `nuncio connections export`.

use nuncio_client::Error;

use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;
use crate::{credentials, prompt};

pub(super) fn run(session: &Session) -> Result<(), Stop> {
    let store = credentials::existing_store(session)?
        .ok_or_else(|| Error::configuration("there is no credential store to export"))?;
    let document = store.export(&prompt::passphrase(true)?)?;
    let mut output = Output::new(None)?;
    output.line(&document)?;
    output.flush()
}
