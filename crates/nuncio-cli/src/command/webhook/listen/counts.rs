//! What a run came to.

use nuncio_client::Error;
use serde_json::{Value, json};

use super::judged::Verdict;

/// What a run came to.
#[derive(Debug, Default)]
pub(super) struct Counts {
    taken: u64,
    again: u64,
    handshakes: u64,
    refused: u64,
    failed: u64,
    pub(super) delivered: u64,
    pub(super) given_up: u64,
}

impl Counts {
    pub(super) fn arrived(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Genuine | Verdict::Unverified | Verdict::NotGenuine => &mut self.taken,
            Verdict::Again => &mut self.again,
            Verdict::Handshake => &mut self.handshakes,
            Verdict::Refused => &mut self.refused,
            Verdict::Failed => &mut self.failed,
        } += 1;
    }

    pub(super) fn turned(&mut self) {
        self.refused += 1;
    }

    /// For people; what did not happen is left out.
    pub(super) fn in_words(&self, waiting: Option<u64>) -> String {
        let counts = [
            (self.again, "sent again"),
            (self.handshakes, "handshakes"),
            (self.refused, "refused"),
            (self.failed, "not stored"),
            (self.delivered, "delivered"),
            (self.given_up, "not taken by the target"),
            (waiting.unwrap_or_default(), "kept for when you listen again"),
        ];
        let events = if self.taken == 1 { "1 event".to_owned() } else { format!("{} events", self.taken) };
        counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .fold(events, |text, (count, what)| format!("{text}, {count} {what}"))
    }

    pub(super) fn object(&self, waiting: Option<u64>) -> Value {
        json!({
            "taken": self.taken, "again": self.again, "handshakes": self.handshakes, "refused": self.refused, "failed": self.failed,
            "delivered": self.delivered, "given_up": self.given_up, "waiting": waiting,
        })
    }
}

/// How many events wait, where that can be told.
pub(super) async fn waiting(store: &dyn nuncio_relay::Store) -> Option<u64> {
    store
        .stats()
        .await
        .map_err(|error| Error::configuration(error.to_string()))
        .ok()
        .map(|stats| stats.waiting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_happen_is_left_out() {
        let mut counts = Counts::default();
        assert_eq!(counts.in_words(None), "0 events");
        counts.arrived(Verdict::Genuine);
        counts.arrived(Verdict::Refused);
        counts.delivered += 1;
        assert_eq!(
            counts.in_words(Some(2)),
            "1 event, 1 refused, 1 delivered, 2 kept for when you listen again"
        );
    }
}
