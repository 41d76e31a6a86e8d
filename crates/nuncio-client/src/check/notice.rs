//! `Deprecation` (RFC 9745) and `Sunset` (RFC 8594), told once for each operation.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use http::HeaderMap;

/// Enough for any real service; beyond it notices are dropped rather than memory spent.
const MAX_OPERATIONS: usize = 10_000;

const NAMES: [&str; 2] = ["deprecation", "sunset"];

/// Remembers which operations were told of.
#[derive(Debug, Clone, Default)]
pub(super) struct Notices(Arc<Mutex<HashSet<String>>>);

impl Notices {
    /// What to tell of an answer of `operation`, the first time there is something.
    pub(super) fn of(&self, operation: impl FnOnce() -> String, headers: &HeaderMap) -> Option<String> {
        if !NAMES.iter().any(|name| headers.contains_key(*name)) {
            return None;
        }
        let operation = operation();
        let text = text(&operation, headers)?;
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = told.len() < MAX_OPERATIONS && told.insert(operation);
        first.then_some(text)
    }
}

fn text(operation: &str, headers: &HeaderMap) -> Option<String> {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let [deprecation, sunset] = NAMES.map(header);
    if deprecation.is_none() && sunset.is_none() {
        return None;
    }
    let mut text = format!("{operation} is deprecated");
    // `@1688169599` in the standard; dates and `true` in drafts that servers still send.
    if let Some(since) = deprecation.and_then(|value| value.strip_prefix('@')?.parse().ok()) {
        text.push_str(&format!(
            " since {}",
            httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(since))
        ));
    }
    if let Some(end) = sunset {
        text.push_str(&format!(" and will be gone after {end}"));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deprecated_operation_is_told_of_once() {
        let notices = Notices::default();
        let mut headers = HeaderMap::new();
        assert_eq!(notices.of(|| "items.list".to_owned(), &headers), None);
        headers.insert("deprecation", http::HeaderValue::from_static("@1688169599"));
        headers.insert("sunset", http::HeaderValue::from_static("Sun, 30 Jun 2024 23:59:59 GMT"));
        assert_eq!(
            notices.of(|| "items.list".to_owned(), &headers).as_deref(),
            Some(
                "items.list is deprecated since Fri, 30 Jun 2023 23:59:59 GMT and will be gone after Sun, 30 Jun 2024 23:59:59 GMT"
            ),
        );
        assert_eq!(notices.of(|| "items.list".to_owned(), &headers), None);
        assert!(notices.of(|| "items.get".to_owned(), &headers).is_some());
    }
}
