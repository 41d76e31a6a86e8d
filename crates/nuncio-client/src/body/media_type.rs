//! What a `Content-Type` says.

/// A media type with its parameters (RFC 9110, section 8.3.1), read leniently: case, spaces and stray semicolons do not matter.
///
/// ```
/// use nuncio_client::body::MediaType;
///
/// let media_type = MediaType::parse(r#"Application/Problem+JSON ;charset="UTF-8""#).unwrap();
/// assert_eq!(media_type.essence(), "application/problem+json");
/// assert_eq!(media_type.param("charset"), Some("UTF-8"));
/// assert!(media_type.is_json());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    essence: String,
    params: Vec<(String, String)>,
}

impl MediaType {
    /// Reads the value of a `Content-Type` header; nothing when it does not start with `type/subtype`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (essence, params) = text.split_once(';').unwrap_or((text, ""));
        let essence = essence.trim().to_ascii_lowercase();
        let (kind, subtype) = essence.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        Some(Self { essence, params: parse_params(params) })
    }

    /// The media type in the `Content-Type` of `headers`, if there is one that can be read.
    #[must_use]
    pub fn of(headers: &http::HeaderMap) -> Option<Self> {
        Self::parse(headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?)
    }

    /// `type/subtype` in lower case.
    #[must_use]
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// The parameter `name`, unquoted; the first, where it is repeated.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether it is `application/json`, `text/json` or ends in `+json`.
    #[must_use]
    pub fn is_json(&self) -> bool {
        matches!(self.essence.as_str(), "application/json" | "text/json") || self.essence.ends_with("+json")
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn parse_params(text: &str) -> Vec<(String, String)> {
    let mut params = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(['=', ';']).unwrap_or(rest.len());
        let name = rest[..end].trim();
        let Some(value) = rest[end..].strip_prefix('=') else {
            rest = after_semicolon(&rest[end..]);
            continue;
        };
        let (value, after) = parse_value(value.trim_start());
        if is_token(name) {
            params.push((name.to_owned(), value));
        }
        rest = after_semicolon(after);
    }
    params
}

/// A value and what follows it. A quoted one that never ends goes to the end of the text.
fn parse_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return (text[..end].trim_end().to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

fn after_semicolon(text: &str) -> &str {
    text.split_once(';').map_or("", |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn param(text: &str, name: &str) -> Option<String> {
        MediaType::parse(text)?.param(name).map(str::to_owned)
    }

    #[test]
    fn parameters_are_found_however_they_are_written() {
        for text in [
            "text/plain;charset=utf-8",
            "text/plain; charset=utf-8",
            "TEXT/PLAIN ; CHARSET = utf-8 ;",
            r#"text/plain; charset="utf-8""#,
            r#"text/plain; charset="ut\f-8""#,
            r#"text/plain; a="x;charset=nope"; charset=utf-8"#,
            "text/plain;; flag; charset=utf-8; charset=other",
        ] {
            assert_eq!(param(text, "charset").as_deref(), Some("utf-8"), "{text}");
        }
    }

    #[test]
    fn an_unfinished_quote_ends_with_the_text() {
        assert_eq!(param(r#"text/plain; charset="utf-8"#, "charset").as_deref(), Some("utf-8"));
        assert_eq!(param(r#"text/plain; charset="utf-8\"#, "charset").as_deref(), Some("utf-8"));
    }

    #[test]
    fn what_is_no_media_type_is_none() {
        for text in ["", "json", "/", "text/", "a b/c", "text/html/x"] {
            assert_eq!(MediaType::parse(text), None, "{text}");
        }
    }

    #[test]
    fn json_has_several_names() {
        for (text, json) in [
            ("application/json", true),
            ("application/graphql-response+json; charset=utf-8", true),
            ("text/json", true),
            ("application/x-ndjson", false),
            ("text/html", false),
        ] {
            assert_eq!(MediaType::parse(text).is_some_and(|it| it.is_json()), json, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_header_value_panics(text in ".*") {
            let _ = MediaType::parse(&text);
            let _ = MediaType::parse(&format!("text/plain;{text}"));
        }
    }
}
