//! Answers that are given again for the same idempotency key.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use crate::answer::Answer;
use crate::wire::Received;

/// Answers by key.
#[derive(Default)]
pub(crate) struct Remembered(HashMap<String, (Fingerprint, Answer)>);

/// What makes a request the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

/// What is known of a key.
pub(crate) enum Known {
    /// Nothing: the request is new.
    New,
    /// The answer.
    Same(Answer),
    /// It came with another request.
    Other,
}

impl Fingerprint {
    pub(crate) fn of(received: &Received) -> Self {
        let mut hash = Sha256::new();
        for part in [received.method.as_str(), &received.path, received.query.as_deref().unwrap_or_default()]
        {
            hash.update(part);
            hash.update([0]);
        }
        hash.update(&received.body);
        Self(hash.finalize().into())
    }
}

impl Remembered {
    pub(crate) fn recall(&self, key: &str, fingerprint: &Fingerprint) -> Known {
        match self.0.get(key) {
            None => Known::New,
            Some((same, answer)) if same == fingerprint => {
                Known::Same(answer.clone().with_header("Idempotent-Replayed", "true"))
            }
            Some(_) => Known::Other,
        }
    }

    pub(crate) fn remember(&mut self, key: String, fingerprint: Fingerprint, answer: Answer) {
        self.0.insert(key, (fingerprint, answer));
    }
}
