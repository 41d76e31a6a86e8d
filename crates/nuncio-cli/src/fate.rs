//! What is known of a call that was interrupted.

use nuncio_client::{Answer, Call, Error, Evidence, History, Repeat};
use serde_json::json;

use crate::exit::Stop;
use crate::session::Session;
use crate::{interrupt, stderr};

/// Sends a call. If that is interrupted, what is known of it is told.
pub(crate) async fn send(mut call: Call, session: &Session) -> Result<Result<Answer, Error>, Stop> {
    let fate = Fate::of(&mut call);
    let interrupted = interrupt::listen(None);
    tokio::select! {
        sent = call.send() => Ok(sent),
        () = interrupted.came() => {
            fate.tell(interrupted.code(), session.global.json);
            Err(interrupted.stop())
        }
    }
}

/// What there is to tell if the call is interrupted.
struct Fate {
    history: History,
    repeat: Repeat,
    key: Option<String>,
}

impl Fate {
    /// That of a call which is about to be sent.
    fn of(call: &mut Call) -> Self {
        let key = call.settle_idempotency_key().map(str::to_owned);
        Self { history: call.history(), repeat: call.repeat(), key }
    }

    /// Says that the call may have been done, if that is so and a second one may do harm.
    fn tell(&self, exit_code: u8, as_json: bool) {
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
