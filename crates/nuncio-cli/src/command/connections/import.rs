//! `nuncio connections import`.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use nuncio_client::Error;
use nuncio_credentials::MAX_EXPORT_BYTES;

use crate::exit::Stop;
use crate::session::Session;
use crate::{credentials, prompt, stderr};

pub(super) fn run(session: &Session, file: &Path, replace: bool) -> Result<(), Stop> {
    let mut document = String::new();
    // One byte over the bound, for the reader to see that it is larger.
    let bound = MAX_EXPORT_BYTES as u64 + 1;
    let read = File::open(file).and_then(|file| file.take(bound).read_to_string(&mut document));
    read.map_err(|error| Error::configuration(format!("{} cannot be read", file.display())).because(error))?;
    let store = credentials::store(session)?;
    for account in store.import(&document, &prompt::passphrase(false)?, replace)? {
        stderr::line(&format!("stored {account}"));
    }
    Ok(())
}
