//! Paths with inputs in braces: `/v1/customers/{customer}`.

use nuncio_client::{Error, Kind};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but the unreserved characters of RFC 3986 §2.3: a `/` in an input must not become a step of the path.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path under a service's `base_url`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathTemplate(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Input(String),
}

impl PathTemplate {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if !text.starts_with('/') {
            return Err(format!("the path {text:?} must begin with a slash: it is relative to base_url"));
        }
        if text.contains("{{") {
            return Err(format!(
                "the path {text:?} has an expression: write inputs in single braces, {{id}}"
            ));
        }
        if text.contains(['?', '#']) {
            return Err(format!("the path {text:?} has a query: write its parameters under the key query"));
        }
        if text.split('/').any(|step| matches!(step, "." | "..")) {
            return Err(format!("the path {text:?} has a step . or .., which would lead elsewhere"));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            parts.push(Part::Text(before.to_owned()));
            let (name, after) = behind
                .split_once('}')
                .ok_or_else(|| format!("the path {text:?} has a brace without its end"))?;
            if name.is_empty() {
                return Err(format!("the path {text:?} has braces without a name"));
            }
            parts.push(Part::Input(name.to_owned()));
            rest = after;
        }
        if rest.contains('}') {
            return Err(format!("the path {text:?} has a brace without its beginning"));
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// The inputs in it, in order.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Input(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The path with `value` of each input, percent-encoded.
    ///
    /// A value that is empty, `.` or `..` is refused: servers and proxies would take the path for another one, even when it is encoded.
    pub(crate) fn fill(&self, value: impl Fn(&str) -> Option<String>) -> Result<String, Error> {
        let mut path = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => path.push_str(text),
                Part::Input(name) => {
                    let value = value(name).unwrap_or_default();
                    if matches!(&*value, "" | "." | "..") {
                        let message =
                            format!("the input {name} cannot be {value:?}: it is a step of the path");
                        return Err(Error::new(Kind::Validation, message));
                    }
                    path.extend(utf8_percent_encode(&value, RESERVED));
                }
            }
        }
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(path: &str, value: &str) -> Result<String, Error> {
        PathTemplate::parse(path).expect(path).fill(|_| Some(value.to_owned()))
    }

    #[test]
    fn an_input_stays_one_step_of_the_path() {
        assert_eq!(
            fill("/v1/files/{id}/rows", "a/b?c#d%2F ä").unwrap(),
            "/v1/files/a%2Fb%3Fc%23d%252F%20%C3%A4/rows"
        );
        assert_eq!(fill("/v1/a-{id}.json", "x_~.y").unwrap(), "/v1/a-x_~.y.json");
    }

    #[test]
    fn an_input_never_leads_to_another_path() {
        for value in ["", ".", ".."] {
            assert_eq!(fill("/v1/files/{id}", value).unwrap_err().kind(), Kind::Validation, "{value:?}");
        }
    }

    #[test]
    fn a_wrong_path_is_refused() {
        for path in ["v1", "/a/{id", "/a/id}", "/a/{}", "/a?x=1", "/a#b", "/a/../b", "/a/{{ input.id }}"] {
            assert!(PathTemplate::parse(path).is_err(), "{path}");
        }
    }

    #[test]
    fn inputs_are_listed_in_order() {
        let path = PathTemplate::parse("/repos/{owner}/{repo}").expect("a path");
        assert_eq!(path.inputs().collect::<Vec<_>>(), ["owner", "repo"]);
    }
}
