//! How fast a service may be called: the keys `limits` and `concurrency`.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::template::Template;

/// A token bucket. Each attempt takes a token, or as many as the operation's `cost`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Tokens in a full bucket: the largest burst.
    pub capacity: NonZeroU32,
    /// How fast the bucket fills: tokens per second, minute, hour or day, such as `25/s` or `1000/h`.
    pub refill: Rate,
    /// One bucket for each value of this template, over `input` and `operation` (its name), such as `{{ input.channel }}`. Default:
    /// one bucket for all calls.
    pub key: Option<Template>,
    /// Name for messages. Default: the rate.
    pub name: Option<String>,
}

impl Limit {
    /// Whether each operation has its own bucket.
    #[must_use]
    pub fn is_per_operation(&self) -> bool {
        self.key.as_ref().is_some_and(|key| key.variables().iter().eq(["operation"]))
    }

    /// The key, where it is another than the operation.
    #[must_use]
    pub fn own_key(&self) -> Option<&Template> {
        self.key.as_ref().filter(|_| !self.is_per_operation())
    }
}

/// Tokens per unit of time, written `25/s`, `20/m`, `5000/h` or `100000/d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Tokens per `period`.
    pub tokens: NonZeroU32,
    /// One second, minute, hour or day.
    pub period: Duration,
}

const PERIODS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused =
            || format!("{text:?} is no rate: write a whole number, a slash and s, m, h or d, such as 25/s");
        let (tokens, unit) = text.split_once('/').ok_or_else(refused)?;
        let tokens = tokens.trim().parse().map_err(|_| refused())?;
        let (_, secs) = PERIODS.iter().find(|(name, _)| *name == unit.trim()).ok_or_else(refused)?;
        Ok(Self { tokens, period: Duration::from_secs(*secs) })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit =
            PERIODS.iter().find(|(_, secs)| *secs == self.period.as_secs()).map_or("?", |(unit, _)| unit);
        write!(f, "{}/{unit}", self.tokens)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A whole number per second, minute, hour or day.",
            "type": "string",
            "pattern": r"^\d+/[smhd]$",
            "examples": ["25/s", "20/m", "5000/h", "100000/d"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_whole_number_per_unit() {
        let rate: Rate = "5000/h".parse().expect("a rate");
        assert_eq!((rate.tokens.get(), rate.period), (5000, Duration::from_secs(3600)));
        assert_eq!(rate.to_string(), "5000/h");
        for wrong in ["25", "25/x", "0/s", "-1/s", "1.5/s", "/s", "25/"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }
}
