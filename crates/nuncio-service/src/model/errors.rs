//! What a failure looks like: the keys `errors` and `validate`.

use nuncio_client::json;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::template::Condition;

/// How to recognise a failure and where its facts stand. Places are steps with dots between them, such as `error.code`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// True when an answer with a good status is a failure all the same, such as `body.ok == false`. Over `status`, `headers`
    /// and `body`.
    pub when: Option<Condition>,
    /// True when a failure other than a 429 means that calls come too fast, as GitHub's 403 with a `retry-after` does: nothing was
    /// done, and the call is made again when the service says so. Over `status`, `headers` and `body`.
    pub throttled: Option<Condition>,
    /// Place of the service's error code.
    #[schemars(with = "Option<String>")]
    pub code: Option<json::Path>,
    /// Place of the message for people.
    #[schemars(with = "Option<String>")]
    pub message: Option<json::Path>,
    /// Place of the error's class.
    #[serde(rename = "type")]
    #[schemars(with = "Option<String>")]
    pub class: Option<json::Path>,
}

/// What happens when an answer does not fit the operation's `response` schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Validate {
    /// Nothing is checked.
    Off,
    /// A warning.
    #[default]
    Warn,
    /// The call fails.
    Fail,
}
