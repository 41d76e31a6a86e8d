//! The API of a gateway that `nuncio serve` runs.

pub(crate) mod list;
mod settings;

use std::num::NonZeroU32;

use clap::Args as ClapArgs;
use nuncio_client::auth::Auth;
use nuncio_client::retry::Policy;
use nuncio_client::{Call, Client, Error, Kind, wire};
use serde_json::Value;

use crate::session::Session;
use crate::values;

pub(crate) use settings::{Draft, Named, Settings};

/// The variable with a token for it.
const TOKEN_VARIABLE: &str = "NUNCIO_TOKEN";

/// Which gateway.
#[derive(Debug, ClapArgs)]
pub(crate) struct GatewayArgs {
    /// URL of the gateway; NUNCIO_TOKEN has the token, where it asks for one
    #[arg(long, value_name = "URL", env = "NUNCIO_GATEWAY", default_value = "http://127.0.0.1:8480")]
    gateway: String,
}

impl GatewayArgs {
    /// A client that tries once: somebody waits for the answer, and the gateway is near.
    pub(crate) fn client(&self, session: &Session) -> Result<Client, Error> {
        let mut wire = wire::Settings::default();
        if let Some(file) = &session.config.cacert {
            wire.root_certificates.push(values::read_bytes(file)?);
        }
        let once = Policy { attempts: NonZeroU32::MIN, ..Policy::default() };
        let builder =
            Client::builder().base_url(&self.gateway).wire(wire).retry(once).observer(session.observer());
        match session.env.get(TOKEN_VARIABLE) {
            Some(token) => builder.auth(Auth::bearer(token)).build(),
            None => builder.build(),
        }
    }
}

/// What the gateway answers to a call.
pub(crate) async fn ask(call: Call) -> Result<Value, Error> {
    call.send().await.map_err(advise)?.value()
}

/// What to do about a failed call.
pub(crate) fn advise(error: Error) -> Error {
    match (error.kind(), error.status().map(|status| status.as_u16())) {
        (Kind::Connect, _) => error.advise("start it with `nuncio serve`, or say with --gateway where it is"),
        (_, Some(401)) => error.advise("set NUNCIO_TOKEN to a token of the gateway"),
        (_, Some(403)) => error.advise("the token lacks the scope for this: use one that has it"),
        _ => error,
    }
}

/// The items of a list that was answered.
pub(crate) fn items(answer: &Value) -> &[Value] {
    answer["items"].as_array().map_or(&[], Vec::as_slice)
}

/// A name or id, when it can stand in a path: the gateway gives no others.
pub(crate) fn segment(name: &str) -> Result<&str, Error> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.chars().all(fits) && name.chars().any(|c| c != '.') {
        return Ok(name);
    }
    Err(Error::configuration(format!("{name:?} is no name: one has letters, digits, `.`, `_` and `-`")))
}
