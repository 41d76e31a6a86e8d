//! Headers by which a server says outright whether to try again.

use http::{HeaderMap, HeaderName};

/// Whether the headers of these `names` say `true` or `false`; nothing when none does.
///
/// Where they disagree, `false` wins: an attempt too few does less harm than one too many.
///
/// ```
/// use http::{HeaderMap, HeaderName, HeaderValue};
/// use nuncio_client::hints::should_retry;
///
/// let name = HeaderName::from_static("stripe-should-retry");
/// let headers = HeaderMap::from_iter([(name.clone(), HeaderValue::from_static("false"))]);
/// assert_eq!(should_retry(&headers, &[name]), Some(false));
/// ```
#[must_use]
pub fn should_retry(headers: &HeaderMap, names: &[HeaderName]) -> Option<bool> {
    names
        .iter()
        .flat_map(|name| headers.get_all(name))
        .filter_map(|value| value.to_str().ok()?.trim().to_ascii_lowercase().parse().ok())
        .min()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const OURS: HeaderName = HeaderName::from_static("x-should-retry");
    const THEIRS: HeaderName = HeaderName::from_static("stripe-should-retry");

    fn said(headers: &[(HeaderName, &'static str)]) -> Option<bool> {
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        should_retry(&headers, &[OURS, THEIRS])
    }

    #[test]
    fn a_no_outweighs_a_yes() {
        assert_eq!(said(&[(OURS, "true"), (THEIRS, "false")]), Some(false));
        assert_eq!(said(&[(OURS, "false"), (THEIRS, "true")]), Some(false));
        assert_eq!(said(&[(THEIRS, "True")]), Some(true));
    }

    #[test]
    fn anything_else_says_nothing() {
        assert_eq!(said(&[(OURS, "1"), (THEIRS, "")]), None);
        assert_eq!(said(&[]), None);
    }
}
