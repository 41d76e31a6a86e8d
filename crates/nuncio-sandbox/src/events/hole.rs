//! Holes in texts, and what fills them.
//!
//! | hole | what fills it |
//! |---|---|
//! | `{alnum:N}`, `{upper:N}`, `{hex:N}`, `{digits:N}`, `{base64:N}` | N random characters; base64: of N random bytes |
//! | `{uuid}` | a random UUID |
//! | `{now}`, `{now:ms}` | the time, in seconds or milliseconds since 1970: a number where the hole is all of the text |
//! | `{now:text}` | the seconds as a text |
//! | `{time}`, `{time:ms}` | the time (RFC 3339) |
//! | `{number:N}` | a random number of N digits |
//! | `{event}` | the name of the event |
//! | `{id}` | its id, as in the header |
//!
//! `{hex:40#head}` is filled with the same in every place that has the same name behind the `#`.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::time::rfc3339;

/// Fills the holes of one event.
pub(super) struct Holes {
    now: Duration,
    rng: fastrand::Rng,
    known: BTreeMap<String, Value>,
}

impl Holes {
    pub(super) fn new(event: &str, now: Duration, seed: u64) -> Self {
        let known = BTreeMap::from([("event".to_owned(), Value::from(event))]);
        Self { now, rng: fastrand::Rng::with_seed(seed), known }
    }

    /// From now on a hole of this name is filled with this.
    pub(super) fn know(&mut self, name: &str, value: &str) {
        self.known.insert(name.to_owned(), value.into());
    }

    /// The value with all its holes filled.
    pub(super) fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.typed(text),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                members.iter().map(|(name, value)| (name.clone(), self.value(value))).collect()
            }
            other => other.clone(),
        }
    }

    /// The text with all its holes filled.
    pub(super) fn text(&mut self, text: &str) -> String {
        match self.typed(text) {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    fn typed(&mut self, text: &str) -> Value {
        let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        let inner = inner.filter(|inner| !inner.contains(['{', '}']));
        if let Some(value) = inner.and_then(|hole| self.fill(hole)) {
            return value;
        }
        let mut filled = String::new();
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            let Some(end) = rest[start..].find('}') else { break };
            filled.push_str(&rest[..start]);
            let hole = &rest[start..=start + end];
            match self.fill(&hole[1..hole.len() - 1]) {
                Some(Value::String(value)) => filled.push_str(&value),
                Some(value) => filled.push_str(&value.to_string()),
                None => filled.push_str(hole),
            }
            rest = &rest[start + end + 1..];
        }
        filled.push_str(rest);
        filled.into()
    }

    /// What fills a hole; `None` when it is none.
    fn fill(&mut self, hole: &str) -> Option<Value> {
        if let Some(known) = self.known.get(hole) {
            return Some(known.clone());
        }
        let kind = hole.split_once('#').map_or(hole, |(kind, _)| kind);
        let value = self.fresh(kind)?;
        if kind.len() < hole.len() {
            self.known.insert(hole.to_owned(), value.clone());
        }
        Some(value)
    }

    fn fresh(&mut self, kind: &str) -> Option<Value> {
        let fixed = match kind {
            "uuid" => Some(self.uuid().into()),
            "now" => Some(self.now.as_secs().into()),
            "now:text" => Some(self.now.as_secs().to_string().into()),
            "now:ms" => Some(u64::try_from(self.now.as_millis()).unwrap_or(u64::MAX).into()),
            "time" => Some(rfc3339(Duration::from_secs(self.now.as_secs())).into()),
            "time:ms" => {
                let whole = rfc3339(Duration::from_secs(self.now.as_secs()));
                Some(format!("{}.{:03}Z", whole.trim_end_matches('Z'), self.now.subsec_millis()).into())
            }
            _ => None,
        };
        if fixed.is_some() {
            return fixed;
        }
        let (class, length) = kind.split_once(':')?;
        let length: usize = length.parse().ok()?;
        let text: String = match class {
            "alnum" => (0..length).map(|_| self.rng.alphanumeric()).collect(),
            "upper" => (0..length).map(|_| self.rng.alphanumeric().to_ascii_uppercase()).collect(),
            "hex" => (0..length).map(|_| self.rng.digit(16)).collect(),
            "digits" => (0..length).map(|_| self.rng.digit(10)).collect(),
            "base64" => STANDARD.encode((0..length).map(|_| self.rng.u8(..)).collect::<Vec<_>>()),
            "number" => {
                let least = 10_u64.checked_pow(u32::try_from(length).ok()?.checked_sub(1)?)?;
                return Some(self.rng.u64(least..least.checked_mul(10)?).into());
            }
            _ => return None,
        };
        Some(text.into())
    }

    /// Of version 4 (RFC 9562, section 5.4).
    fn uuid(&mut self) -> String {
        let bits = self.rng.u128(..) & !(0xf << 76) & !(0b11 << 62) | 0x4 << 76 | 0b10 << 62;
        let hex = format!("{bits:032x}");
        [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holes() -> Holes {
        Holes::new("made.up", Duration::from_millis(1_760_000_000_123), 1)
    }

    #[test]
    fn a_text_that_is_one_hole_has_the_type_of_what_fills_it() {
        let filled = holes().value(&json!({
            "a": "{now}", "b": "at {now}", "c": "{time}", "d": "{time:ms}", "e": ["{event}"], "f": "{now:ms}",
        }));
        let expected = json!({
            "a": 1_760_000_000, "b": "at 1760000000", "c": "2025-10-09T08:53:20Z", "d": "2025-10-09T08:53:20.123Z",
            "e": ["made.up"], "f": 1_760_000_000_123_u64,
        });
        assert_eq!(filled, expected);
    }

    #[test]
    fn holes_of_one_name_are_filled_alike_and_others_afresh() {
        let mut holes = holes();
        let (one, other) = (holes.text("{hex:8#a} {hex:8#a}"), holes.text("{hex:8} {hex:8}"));
        let pair = |text: &str| text.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert!(pair(&one).0 == pair(&one).1 && pair(&other).0 != pair(&other).1, "{one} {other}");
        assert_eq!(pair(&one).0.len(), 8);
    }

    #[test]
    fn what_is_no_hole_stays() {
        assert_eq!(holes().text("{} {nothing} { {hex:x} {"), "{} {nothing} { {hex:x} {");
    }

    #[test]
    fn a_uuid_says_that_it_is_random() {
        let uuid = holes().text("{uuid}");
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"), "{uuid}");
        assert!("89ab".contains(&uuid[19..20]), "{uuid}");
    }
}
