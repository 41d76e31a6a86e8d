//! `nuncio events replay`.

use clap::Args as ClapArgs;
use nuncio_client::{Call, Client};
use serde_json::json;

use super::given;
use crate::command::endpoints::ENDPOINTS;
use crate::command::replays;
use crate::exit::Stop;
use crate::gateway::{GatewayArgs, ask, list};
use crate::output::Output;
use crate::session::Session;

/// Deliver again all that was owed to an endpoint and given up, or what else is chosen. The gateway does it, at a rate, and goes on after a restart;
/// this waits for it
#[derive(Debug, ClapArgs)]
pub(super) struct ReplayCommand {
    /// What is owed to this endpoint
    #[arg(long, value_name = "NAME")]
    endpoint: String,
    /// Deliveries in this state
    #[arg(long, value_name = "STATE", default_value = "dead", value_parser = ["dead", "delivered", "waiting", "parked"])]
    state: String,
    /// Of events stored at this time or later, as in 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Of events stored before this time. Default: up to now
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How many a second
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    per_second: u32,
    /// Count them, and do nothing
    #[arg(long, conflicts_with_all = ["per_second", "detach"])]
    dry_run: bool,
    /// Do not wait: write the name of the replay, for `nuncio replays`
    #[arg(long)]
    detach: bool,
    #[command(flatten)]
    gateway: GatewayArgs,
}

impl ReplayCommand {
    pub(super) async fn run(self, session: &Session) -> Result<(), Stop> {
        let client = self.gateway.client(session)?;
        // An endpoint that is not there is told with its nearest.
        ENDPOINTS.find(&client, &self.endpoint).await?;
        if self.dry_run {
            let count = list::all(|| self.matching(&client)).await?.len();
            return told(session, &json!({ "count": count }), &format!("deliveries that match: {count}"));
        }
        let selection = json!({
            "endpoint": self.endpoint, "state": self.state, "since": self.since, "until": self.until,
            "per_second": self.per_second,
        });
        let begun = ask(client.post("/v1/replays").json(&selection)).await?;
        let name = begun["name"].as_str().unwrap_or_default();
        if self.detach {
            return told(session, &begun, name);
        }
        replays::follow(session, &client, name).await
    }

    /// The deliveries that are meant.
    fn matching(&self, client: &Client) -> Call {
        let call = client.get("/v1/deliveries").param("endpoint", &self.endpoint).param("state", &self.state);
        given(given(call, "since", self.since.as_deref()), "until", self.until.as_deref())
    }
}

fn told(session: &Session, object: &serde_json::Value, text: &str) -> Result<(), Stop> {
    let mut output = Output::new(None)?;
    output.line(&if session.global.json { object.to_string() } else { text.to_owned() })?;
    output.flush()
}
