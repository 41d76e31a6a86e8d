//! Durations as people write them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A duration with its unit: `200ms`, `30s`, `5m`, `1h`, `1d`, fractions as in `1.5s`, sums as in `1m30s`. A bare number is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// The most digits of a number before its point.
const MAX_DIGITS: usize = 12;

/// What is shorter is shown in numbers of that many digits, so that it can be read again.
const TOO_LONG: Duration = Duration::from_secs(1_000_000_000_000 * 86_400);

const UNITS: [(&str, f64); 5] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused =
            || format!("{text:?} is no duration: write a number and its unit, such as 200ms, 30s, 5m, 1h");
        let mut rest = text.trim();
        let mut total = Duration::ZERO;
        if rest.is_empty() {
            return Err(refused());
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(refused)?;
            let (number, tail) = rest.split_at(digits);
            let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            let (_, secs) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(refused)?;
            if number.find('.').unwrap_or(number.len()) > MAX_DIGITS {
                return Err(refused());
            }
            let number: f64 = number.parse().map_err(|_| refused())?;
            let part = Duration::try_from_secs_f64(number * secs).map_err(|_| refused())?;
            total = total.checked_add(part).ok_or_else(refused)?;
            rest = tail;
        }
        if total >= TOO_LONG {
            return Err(refused());
        }
        Ok(Self(total))
    }
}

/// In whole milliseconds, the largest units first: `1m30s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut millis = self.0.as_millis();
        if millis == 0 {
            return f.write_str("0s");
        }
        for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
            if millis >= length {
                write!(f, "{}{unit}", millis / length)?;
                millis %= length;
            }
        }
        Ok(())
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A duration with its unit: ms, s, m, h or d. Fractions and sums are fine: 1.5s, 1m30s.",
            "type": "string",
            "pattern": r"^(([0-9]{1,12}(\.[0-9]*)?|\.[0-9]+)(ms|s|m|h|d))+$",
            "examples": ["200ms", "30s", "5m"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_as_it_is_shown() {
        for millis in [0, 1, 999, 1_000, 90_500, 3_600_000, 86_400_000, 90_061_001] {
            let span = Span(Duration::from_millis(millis));
            assert_eq!(span.to_string().parse(), Ok(span));
        }
        assert_eq!(Span(Duration::from_secs(90)).to_string(), "1m30s");
        let longest: Span = "999999999999d".parse().unwrap();
        assert_eq!(longest.to_string().parse(), Ok(longest));
    }

    #[test]
    fn a_duration_needs_its_unit() {
        let parse = |text: &str| text.parse::<Span>().map(|span| span.0.as_millis());
        assert_eq!(parse("200ms"), Ok(200));
        assert_eq!(parse("1.5s"), Ok(1500));
        assert_eq!(parse("1m30s"), Ok(90_000));
        assert_eq!(parse("1d"), Ok(86_400_000));
        assert_eq!(parse(".5s1.s"), Ok(1500));
        assert!(parse("123456789012d").is_ok());
        for wrong in
            ["", "30", "s", "30 s", "-1s", "1..5s", "1e3s", "1w", ".s", "1234567890123s", "999999999999d24h"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
