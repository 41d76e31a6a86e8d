//! `nuncio store stats`.

use nuncio_relay::store::{Stats, Store as _};
use serde_json::json;

use super::{StoreArgs, unusable};
use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;

pub(super) async fn run(session: &Session, store: StoreArgs) -> Result<(), Stop> {
    let (store, path) = store.open()?;
    let Stats { events, waiting, dead, bytes } = store.stats().await.map_err(unusable)?;
    let mut output = Output::new(None)?;
    if session.global.json {
        let told = json!({
            "store": path.display().to_string(), "events": events, "waiting": waiting, "dead": dead, "bytes": bytes,
        });
        output.line(&told.to_string())?;
    } else {
        for (name, count) in [("events", events), ("waiting", waiting), ("dead", dead), ("bytes", bytes)] {
            output.line(&format!("{name:<7}  {count}"))?;
        }
    }
    output.flush()
}
