//! Statuses of answers, by pattern.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A status, `404`, or all that begin with a digit, `4xx`.
///
/// ```
/// use nuncio_relay::settings::StatusPattern;
///
/// let pattern: StatusPattern = "4xx".parse()?;
/// assert!(pattern.matches(404) && !pattern.matches(500));
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "String")]
pub enum StatusPattern {
    /// This one.
    One(u16),
    /// Those of this class, from 1 to 5.
    Class(u16),
}

/// A status is written as a number too.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a status is written 404 or 4xx")]
enum Written {
    Number(u16),
    Text(String),
}

impl StatusPattern {
    /// Whether it is one of them.
    #[must_use]
    pub fn matches(self, status: u16) -> bool {
        match self {
            Self::One(one) => status == one,
            Self::Class(class) => status / 100 == class,
        }
    }
}

impl FromStr for StatusPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let class = text.strip_suffix("xx").and_then(|class| class.parse().ok());
        match (class, text.parse()) {
            (Some(class @ 1..=5), _) => Ok(Self::Class(class)),
            (None, Ok(status @ 100..=599)) => Ok(Self::One(status)),
            _ => Err(format!("{text:?} is no status: write 404, or 4xx for all that begin with a 4")),
        }
    }
}

impl TryFrom<Written> for StatusPattern {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Number(number) => number.to_string().parse(),
            Written::Text(text) => text.parse(),
        }
    }
}

impl fmt::Display for StatusPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(status) => write!(f, "{status}"),
            Self::Class(class) => write!(f, "{class}xx"),
        }
    }
}

impl From<StatusPattern> for String {
    fn from(pattern: StatusPattern) -> Self {
        pattern.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_a_number_or_a_class() {
        let read: Vec<StatusPattern> = serde_json::from_str(r#"[404, "410", "5xx"]"#).unwrap();
        assert_eq!(read, [StatusPattern::One(404), StatusPattern::One(410), StatusPattern::Class(5)]);
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"["404","410","5xx"]"#);
        for refused in ["9xx", "0xx", "xx", "4x", "99", "600", ""] {
            assert!(refused.parse::<StatusPattern>().is_err(), "{refused}");
        }
    }
}
