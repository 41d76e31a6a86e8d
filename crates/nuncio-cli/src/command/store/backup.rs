//! `nuncio store backup`.

use std::path::Path;

use serde_json::json;

use super::{StoreArgs, unusable};
use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;
use crate::stderr;

pub(super) async fn run(session: &Session, store: StoreArgs, to: &Path) -> Result<(), Stop> {
    let (store, path) = store.open()?;
    store.backup(to).await.map_err(unusable)?;
    if session.global.json {
        let mut output = Output::new(None)?;
        let told = json!({ "store": path.display().to_string(), "copy": to.display().to_string() });
        output.line(&told.to_string())?;
        output.flush()
    } else {
        stderr::line(&format!("nuncio: {} has all that {} had", to.display(), path.display()));
        Ok(())
    }
}
