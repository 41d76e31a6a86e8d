//! `nuncio connections rekey`.

use nuncio_client::Error;
use nuncio_credentials::{KEY_VARIABLE, KeySource, NewKey};

use crate::exit::Stop;
use crate::session::Session;
use crate::{credentials, stderr};

const NEW_KEY_VARIABLE: &str = "NUNCIO_NEW_KEY";

pub(super) fn run(session: &Session) -> Result<(), Stop> {
    let store = credentials::existing_store(session)?.ok_or_else(|| {
        Error::configuration("there is no credential store to encrypt anew")
            .advise("`nuncio login` makes one")
    })?;
    let before = store.key()?;
    let new = session.env.get(NEW_KEY_VARIABLE).map_or(NewKey::Made, NewKey::Given);
    let after = store.rekey(&new)?;
    let (old, new, place) = (before.id, after.id, after.source);
    stderr::line(&format!(
        "everything is encrypted with the key {new} of {place} instead of {old} of {}",
        before.source
    ));
    let then = match (before.source, after.source) {
        (_, KeySource::Given) => Some(format!("{KEY_VARIABLE} has to be what {NEW_KEY_VARIABLE} was")),
        (KeySource::Given, _) => Some(format!("{KEY_VARIABLE} must not be set")),
        _ => None,
    };
    if let Some(then) = then {
        stderr::line(&format!("from now on {then}"));
    }
    Ok(())
}
