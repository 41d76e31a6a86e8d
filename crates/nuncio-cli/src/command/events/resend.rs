//! `nuncio events resend`.

use clap::Args as ClapArgs;

use super::given;
use crate::exit::Stop;
use crate::gateway::{GatewayArgs, ask, segment};
use crate::output::Output;
use crate::session::Session;

/// Deliver an event again, to all that it was owed to
#[derive(Debug, ClapArgs)]
pub(super) struct ResendCommand {
    /// Its id
    event: String,
    /// To this endpoint alone
    #[arg(long, value_name = "NAME")]
    endpoint: Option<String>,
    #[command(flatten)]
    gateway: GatewayArgs,
}

impl ResendCommand {
    pub(super) async fn run(self, session: &Session) -> Result<(), Stop> {
        let path = format!("/v1/events/{}/resend", segment(&self.event)?);
        let call = self.gateway.client(session)?.post(path);
        let answer = ask(given(call, "endpoint", self.endpoint.as_deref())).await?;
        let mut output = Output::new(None)?;
        let told = match session.global.json {
            true => answer.to_string(),
            false => format!("deliveries that are due again: {}", answer["count"]),
        };
        output.line(&told)?;
        output.flush()
    }
}
