//! Keys that a provider publishes, and where from they are taken.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Signed;

/// A longer URL is not fetched.
const MAX_URL_BYTES: usize = 2048;

/// A public key that the provider publishes: the receiver fetches it, and knows no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PublishedKey"))]
pub struct Published {
    /// Where the key is, as a template over the request and the settings.
    pub url: Signed,
    /// What that URL may be; any other is refused before anything is fetched.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub from: Vec<UrlPattern>,
    /// What is found there.
    pub document: Document,
}

/// What is found where a provider publishes a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "KeyDocument"))]
pub enum Document {
    /// A certificate (X.509, RFC 5280) as PEM, others of its chain after it.
    Certificate,
    /// A set of JSON Web Keys (RFC 7517, section 5), of which the token names one by its `kid`.
    Jwks,
    /// One JSON Web Key under `key`, asked for by the `kid` of the token. One with an `expired_at` in the past is not used.
    Jwk,
}

/// What a URL may be: `https://sns.*.amazonaws.com/SimpleNotificationService-*.pem`.
///
/// A `*` stands for one or more characters: in the host small letters, digits and hyphens, so never for a dot; in the path letters, digits, hyphens and
/// underscores; in the query whatever a URL may hold. All else stands for itself, so that a user, a port, a fragment, another case or an escape fits no
/// pattern that does not have it. The URL is compared and not parsed: what is fetched is what was compared.
///
/// ```
/// use nuncio_webhook::scheme::UrlPattern;
///
/// let pattern: UrlPattern = "https://*.example.com/certs/*.pem".parse()?;
/// assert!(pattern.fits("https://api.example.com/certs/2026-a.pem"));
/// for other in [
///     "http://api.example.com/certs/a.pem",
///     "https://api.example.com.evil.test/certs/a.pem",
///     "https://api.example.com@evil.test/certs/a.pem",
///     "https://evil.test/api.example.com/certs/a.pem",
///     "https://api.example.com:8443/certs/a.pem",
///     "https://api.example.com/certs/../a.pem",
/// ] {
///     assert!(!pattern.fits(other), "{other}");
/// }
/// assert!("https://*.com/".parse::<UrlPattern>().is_err());
/// # Ok::<(), nuncio_webhook::scheme::OpenPattern>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UrlPattern(String);

/// A pattern that would let in what it should keep out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} pins no URL: it has to begin with https://, name at least the last two labels of the host, and have more than letters and digits between two *"
)]
pub struct OpenPattern(String);

impl UrlPattern {
    /// Whether `url` is one that is meant.
    #[must_use]
    pub fn fits(&self, url: &str) -> bool {
        if url.len() > MAX_URL_BYTES {
            return false;
        }
        let (mut rest, mut read) = (url.as_bytes(), 0);
        for (index, text) in self.0.split('*').enumerate() {
            if index > 0 {
                let stands_for = stands_for(&self.0[..read]);
                let run = rest.iter().take_while(|byte| stands_for(**byte)).count();
                if run == 0 {
                    return false;
                }
                rest = &rest[run..];
                read += 1;
            }
            let Some(after) = rest.strip_prefix(text.as_bytes()) else { return false };
            rest = after;
            read += text.len();
        }
        rest.is_empty()
    }
}

/// Which bytes a `*` stands for after `before`.
fn stands_for(before: &str) -> fn(u8) -> bool {
    match before.strip_prefix("https://").unwrap_or(before) {
        before if before.contains('?') => |byte| byte.is_ascii_graphic() && byte != b'#' && byte != b'\\',
        before if before.contains('/') => |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
        _ => |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-',
    }
}

impl FromStr for UrlPattern {
    type Err = OpenPattern;

    fn from_str(text: &str) -> Result<Self, OpenPattern> {
        let open = || OpenPattern(text.to_owned());
        let rest = text.strip_prefix("https://").ok_or_else(open)?;
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        let mut labels = host.rsplit('.');
        let named =
            |label: Option<&str>| label.is_some_and(|label| !label.is_empty() && !label.contains('*'));
        // A `*` takes all that it can, so what follows it has to begin with something that it does not take.
        let greedy = text.match_indices('*').any(|(at, _)| {
            let next = text.as_bytes().get(at + 1);
            next.is_some_and(|next| *next == b'*' || stands_for(&text[..at])(*next))
        });
        if named(labels.next()) && named(labels.next()) && !greedy {
            Ok(Self(text.to_owned()))
        } else {
            Err(open())
        }
    }
}

impl TryFrom<String> for UrlPattern {
    type Error = OpenPattern;

    fn try_from(text: String) -> Result<Self, OpenPattern> {
        text.parse()
    }
}

impl From<UrlPattern> for String {
    fn from(pattern: UrlPattern) -> Self {
        pattern.0
    }
}

impl fmt::Display for UrlPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_what_it_names_and_no_look_alike() {
        let sns: UrlPattern = "https://sns.*.amazonaws.com/SimpleNotificationService-*.pem".parse().unwrap();
        assert!(sns.fits("https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem"));
        for url in [
            "https://sns..amazonaws.com/SimpleNotificationService-0a.pem",
            "https://sns.a.b.amazonaws.com/SimpleNotificationService-0a.pem",
            "https://SNS.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem",
            "https://sns.US-EAST-1.amazonaws.com/SimpleNotificationService-0a.pem",
            "https://sns.us-east-1.amazonaws.com./SimpleNotificationService-0a.pem",
            "https://sns.us-east-1.amazonaws.com.evil.test/SimpleNotificationService-0a.pem",
            "https://sns.us-east-1.amazonaws.com:443/SimpleNotificationService-0a.pem",
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem?x",
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem#x",
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a/../x.pem",
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-.pem",
            "https://sns.us-east-1.amazonaws.com\\@evil.test/SimpleNotificationService-0a.pem",
            "https://user@sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem",
            " https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem",
            "",
        ] {
            assert!(!sns.fits(url), "{url}");
        }
        let query: UrlPattern = "https://a.test/?Action=Confirm&*".parse().unwrap();
        assert!(query.fits("https://a.test/?Action=Confirm&Token=x:y%20z"));
        assert!(
            !query.fits("https://a.test/?Action=Confirm&Token=x#y")
                && !query.fits("https://a.test/?Action=Confirm&é")
        );
    }

    #[test]
    fn a_pattern_that_pins_nothing_is_refused() {
        for text in [
            "http://a.test/",
            "https://*/",
            "https://*.test/",
            "https://a.*/",
            "https://a*b.c.test/",
            "https://a.test/**",
        ] {
            assert_eq!(text.parse::<UrlPattern>(), Err(OpenPattern(text.to_owned())), "{text}");
        }
    }
}
