//! Schedules: what is called at which times.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use nuncio_client::Error;
use nuncio_service::Env;
use nuncio_service::model::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is called at which times. What comes of it are events of the origin `schedule/NAME`. One of `cron` and `every` is given, and one of `pull`,
/// `call` and `each`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// When: minute, hour, day of the month, month, day of the week, as in a crontab; or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// How often, counted from 1970: with `15m` at each full quarter of an hour. At least 1s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// The time zone that `cron` is read in, as the IANA names it, such as `Europe/Berlin`. Default: UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// How much later than it is due a run may begin: by a part of this, the same whenever the same time is due. Default: 0s.
    #[serde(default = "none", skip_serializing_if = "is_none")]
    pub jitter: Span,
    /// What becomes of times that were missed by more than a minute. Default: once.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// How long a run may take; one that takes longer has failed. Default: 1h.
    #[serde(default = "an_hour")]
    pub timeout: Span,
    /// The type of the events. Default: the operation with `.record` behind it for a pull, else with `.answer`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// Reads all records of a list. Each is an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<Task>,
    /// Makes one call. Its answer is an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Task>,
    /// Makes a call for each of some items. Each answer is an event, and each failure is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<Each>,
}

/// What becomes of times that were missed: nothing ran at them, because nuncio did not or because the clock was set forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// Nothing.
    Skip,
    /// There is one run for all of them.
    #[default]
    Once,
    /// There is one run for each of the last 100 of them, one after the other.
    All,
}

/// What is called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// The service.
    pub service: String,
    /// Its operation.
    pub operation: String,
    /// The account, as `nuncio login --as` named it. Default: the environment's credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Inputs, whose texts are templates over `schedule` (`name`, `due`, `due_unix`, `since`, `since_unix`). Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, Value>,
}

/// What is called, and for what. One of `items` and `file` is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Each {
    /// The service.
    pub service: String,
    /// Its operation.
    pub operation: String,
    /// The account, as `nuncio login --as` named it. Default: the environment's credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Inputs, whose texts are templates over `item` and `schedule`. Default: the item, which is an object then.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, Value>,
    /// The items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Value>>,
    /// A file of items, one line of JSON each. Only a config file can say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
}

fn none() -> Span {
    Span(Duration::ZERO)
}

fn is_none(span: &Span) -> bool {
    span.0.is_zero()
}

fn an_hour() -> Span {
    Span(Duration::from_secs(3600))
}

impl Schedule {
    /// It, if whoever set it up may say so: without an environment, that was the API.
    pub(crate) fn resolve(self, env: Option<&Env>) -> Result<Self, Error> {
        if env.is_none() && self.each.as_ref().is_some_and(|each| each.file.is_some()) {
            return Err(Error::configuration(
                "a file of items reaches into this machine: set the schedule up in the config file, or list the `items`",
            ));
        }
        Ok(self)
    }
}
