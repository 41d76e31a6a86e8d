//! What is known of a call that was interrupted.

use nuncio_client::{Call, Evidence, History, Repeat};
use serde_json::json;

use crate::stderr;

/// What there is to tell if the call is interrupted.
pub(crate) struct Fate {
    history: History,
    repeat: Repeat,
    key: Option<String>,
}

impl Fate {
    /// That of a call which is about to be sent.
    pub(crate) fn of(call: &mut Call) -> Self {
        let key = call.settle_idempotency_key().map(str::to_owned);
        Self { history: call.history(), repeat: call.repeat(), key }
    }

    /// Says that the call may have been done, if that is so and a second one may do harm.
    pub(crate) fn tell(&self, exit_code: u8, as_json: bool) {
        if self.repeat == Repeat::Harmless || self.history.evidence() != Evidence::Unknown {
            return;
        }
        let help = match &self.key {
            Some(key) => format!("make it again with --idempotency-key {key}: it is done once then"),
            None => "find out whether it was done before making it again".to_owned(),
        };
        if as_json {
            let told = json!({ "fate": "unknown", "idempotency_key": self.key, "help": help, "exit_code": exit_code });
            stderr::line(&json!({ "interrupted": told }).to_string());
        } else {
            stderr::line(&format!(
                "nuncio: interrupted; whether the call was done is not known\n  help: {help}"
            ));
        }
    }
}
