//! Types of events, with wildcards.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Types of events: one, such as `invoice.paid`, or with `*` for any characters, such as `invoice.*` or `*.failed`.
///
/// ```
/// use nuncio_relay::TypePattern;
///
/// let pattern = TypePattern::new("invoice.*");
/// assert!(pattern.matches("invoice.paid") && pattern.matches("invoice.line.added"));
/// assert!(!pattern.matches("invoice"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TypePattern(String);

impl TypePattern {
    /// This pattern.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether it covers this type.
    #[must_use]
    pub fn matches(&self, event_type: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = event_type.strip_prefix(first) else { return false };
        let mut parts: Vec<&str> = parts.collect();
        let Some(last) = parts.pop() else { return rest.is_empty() };
        // What stands between two stars is found where it comes first: that leaves most to those behind.
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

impl fmt::Display for TypePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As plain as can be, and slow.
    fn oracle(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|skipped| oracle(rest, &text[skipped..])),
            Some((first, rest)) => {
                text.split_first().is_some_and(|(found, text)| first == found && oracle(rest, text))
            }
        }
    }

    proptest! {
        #[test]
        fn a_star_is_any_characters(pattern in "[ab.*]{0,7}", text in "[ab.]{0,8}") {
            let found = TypePattern::new(pattern.clone()).matches(&text);
            prop_assert_eq!(found, oracle(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
