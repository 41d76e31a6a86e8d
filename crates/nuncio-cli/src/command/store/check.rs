//! `nuncio store check`.

use serde_json::json;

use super::{StoreArgs, damaged, unusable};
use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;
use crate::stderr;

pub(super) async fn run(session: &Session, store: StoreArgs) -> Result<(), Stop> {
    let (store, path) = store.open()?;
    let found = store.check().await.map_err(unusable)?;
    let mut output = Output::new(None)?;
    if session.global.json {
        output.line(&json!({ "store": path.display().to_string(), "found": found }).to_string())?;
    } else {
        for line in &found {
            output.line(line)?;
        }
    }
    output.flush()?;
    if !found.is_empty() {
        return Err(damaged().into());
    }
    if !session.global.json {
        stderr::line(&format!("nuncio: {} is whole", path.display()));
    }
    Ok(())
}
