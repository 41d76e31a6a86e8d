//! How fast a service may be called: the keys `limits` and `concurrency`.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::template::Template;

/// A token bucket. Each attempt takes a token, or as many as the operation's `cost`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Tokens in a full bucket: the largest burst.
    pub capacity: NonZeroU32,
    /// How fast the bucket fills: tokens per second, minute, hour or day, such as `25/s` or `1000/h`.
    pub refill: Rate,
    /// One bucket for each value of this template, over `input` and `operation` (its name), such as `{{ input.channel }}`. Default:
    /// one bucket for all calls.
    pub key: Option<Template>,
    /// Name, also for messages. Limits of one name in a service share one bucket, unless they have a `key`; all of them must say the
    /// same. Default: the rate, and a bucket of its own.
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

/// Tokens per time, written `25/s`, `20/m`, `5000/h`, `100000/d` or `100/15m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Tokens per `period`.
    pub tokens: NonZeroU32,
    /// In whole seconds.
    pub period: Duration,
}

const PERIODS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused =
            || format!("{text:?} is no rate: write tokens, a slash and a time, such as 25/s or 100/15m");
        let (tokens, unit) = text.split_once('/').ok_or_else(refused)?;
        let tokens = tokens.trim().parse().map_err(|_| refused())?;
        let count = unit.trim().trim_end_matches(|c: char| c.is_ascii_lowercase());
        let (_, secs) =
            PERIODS.iter().find(|(name, _)| unit.trim()[count.len()..] == **name).ok_or_else(refused)?;
        let count: NonZeroU32 =
            if count.is_empty() { NonZeroU32::MIN } else { count.parse().map_err(|_| refused())? };
        Ok(Self { tokens, period: Duration::from_secs(u64::from(count.get()) * secs) })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = self.period.as_secs();
        // Longest first: a period is shown in its largest whole unit.
        let (unit, secs) =
            PERIODS.iter().rev().find(|(_, secs)| period.is_multiple_of(*secs)).unwrap_or(&PERIODS[0]);
        match period / secs {
            1 => write!(f, "{}/{unit}", self.tokens),
            count => write!(f, "{}/{count}{unit}", self.tokens),
        }
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
            "description": "Tokens per time: a whole number, a slash, and a time in s, m, h or d.",
            "type": "string",
            "pattern": r"^\d+/\d*[smhd]$",
            "examples": ["25/s", "20/m", "5000/h", "100/15m"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_whole_number_per_time() {
        let rate: Rate = "5000/h".parse().expect("a rate");
        assert_eq!((rate.tokens.get(), rate.period), (5000, Duration::from_secs(3600)));
        for text in ["25/s", "20/m", "5000/h", "100/15m", "7/90s", "1/d"] {
            assert_eq!(text.parse::<Rate>().expect(text).to_string(), text);
        }
        for wrong in ["25", "25/x", "0/s", "-1/s", "1.5/s", "/s", "25/", "1/0s", "1/-1s"] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }
}
