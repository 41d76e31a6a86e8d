//! What the templates under `sandbox` see.

use nuncio_client::Clock;
use nuncio_service::{Env, Scope};
use serde_json::{Map, Value, json};

use crate::time::rfc3339;

const RANDOM_CHARS: usize = 16;

/// What is the same for every template of a service.
pub(crate) struct Words {
    pub(crate) env: Env,
    pub(crate) clock: Clock,
    /// Where the sandbox plays the service, such as `http://127.0.0.1:41231/stripe`.
    pub(crate) base_url: String,
}

impl Words {
    /// What a template sees of a request with `path` and `input`.
    pub(crate) fn scope(&self, path: &str, input: &Map<String, Value>, rng: &mut fastrand::Rng) -> Scope {
        let now = self.clock.since_epoch();
        Scope::new(&self.env)
            .with("input", Value::Object(input.clone()))
            .with("base_url", json!(self.base_url))
            .with("path", json!(path))
            .with("random", json!(random(rng)))
            .with("now", json!(now.as_secs()))
            .with("time", json!(rfc3339(now)))
    }
}

/// 16 letters and digits.
pub(crate) fn random(rng: &mut fastrand::Rng) -> String {
    std::iter::repeat_with(|| rng.alphanumeric()).take(RANDOM_CHARS).collect()
}
