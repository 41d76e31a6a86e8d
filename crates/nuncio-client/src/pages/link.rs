//! The `Link` header of RFC 8288.

use http::HeaderMap;
use http::header::LINK;

use crate::{Error, Kind};

/// One link of a `Link` header (RFC 8288, section 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What stands between `<` and `>`: an absolute or a relative URL.
    pub target: String,
    /// The relation types of the first `rel` parameter, as written.
    pub rels: Vec<String>,
}

impl Link {
    /// Whether the link is of relation type `rel`, in any case (RFC 8288, section 2.1.1).
    #[must_use]
    pub fn is(&self, rel: &str) -> bool {
        self.rels.iter().any(|own| own.eq_ignore_ascii_case(rel))
    }
}

/// The links of all `Link` headers, in order. After text that is no link comes one error, and nothing more of that header.
///
/// Parameters other than `rel` are skipped; `anchor` too, since what pages an API links to are those of the list that was asked for.
///
/// # Errors
/// [`Kind::Pages`] for a header that does not follow the grammar.
pub fn links(headers: &HeaderMap) -> impl Iterator<Item = Result<Link, Error>> {
    headers.get_all(LINK).iter().flat_map(|value| {
        let mut rest = Some(Cursor(value.as_bytes()));
        std::iter::from_fn(move || {
            let cursor = rest.as_mut()?;
            match cursor.link() {
                Ok(link) => link.map(Ok),
                Err(Malformed) => {
                    rest = None;
                    Some(Err(malformed(value.as_bytes())))
                }
            }
        })
    })
}

/// Target of the first link of relation type `next`; nothing when there is none.
///
/// # Errors
/// [`Kind::Pages`] when text that is no link comes before it: a header that cannot be read must not pass for the end.
pub fn next(headers: &HeaderMap) -> Result<Option<String>, Error> {
    for link in links(headers) {
        let link = link?;
        if link.is("next") {
            return Ok(Some(link.target));
        }
    }
    Ok(None)
}

fn malformed(value: &[u8]) -> Error {
    Error::new(Kind::Pages, format!("the link header cannot be read: {}", crate::excerpt(value)))
        .advise("it should look like <https://api.example.com/items?page=2>; rel=\"next\" (RFC 8288)")
}

#[derive(Debug)]
struct Malformed;

struct Param {
    name: Vec<u8>,
    value: Vec<u8>,
}

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn link(&mut self) -> Result<Option<Link>, Malformed> {
        self.skip(|byte| is_space(byte) || byte == b',');
        if self.0.is_empty() {
            return Ok(None);
        }
        if !self.eat(b'<') {
            return Err(Malformed);
        }
        let target = String::from_utf8(self.take(|byte| byte != b'>')).map_err(|_| Malformed)?;
        if !self.eat(b'>') {
            return Err(Malformed);
        }
        Ok(Some(Link { target, rels: self.rels()? }))
    }

    fn rels(&mut self) -> Result<Vec<String>, Malformed> {
        let mut rels = None;
        loop {
            self.skip(is_space);
            match self.0.first() {
                None | Some(b',') => return Ok(rels.unwrap_or_default()),
                Some(b';') => self.0 = &self.0[1..],
                Some(_) => return Err(Malformed),
            }
            if let Some(param) = self.param()?
                && param.name.eq_ignore_ascii_case(b"rel")
            {
                rels.get_or_insert_with(|| relation_types(&param.value));
            }
        }
    }

    /// Nothing for an empty parameter, as after the last semicolon of `<a>; rel=next;`.
    fn param(&mut self) -> Result<Option<Param>, Malformed> {
        self.skip(is_space);
        let name = self.take(|byte| !is_space(byte) && !b"=;,\"".contains(&byte));
        self.skip(is_space);
        let has_value = self.eat(b'=');
        if name.is_empty() {
            return if has_value { Err(Malformed) } else { Ok(None) };
        }
        let value = if has_value { self.value()? } else { Vec::new() };
        Ok(Some(Param { name, value }))
    }

    fn value(&mut self) -> Result<Vec<u8>, Malformed> {
        self.skip(is_space);
        if !self.eat(b'"') {
            return Ok(self.take(|byte| !is_space(byte) && byte != b';' && byte != b','));
        }
        let mut value = Vec::new();
        loop {
            value.extend(self.take(|byte| byte != b'"' && byte != b'\\'));
            if self.eat(b'"') {
                return Ok(value);
            }
            // Either a backslash, which makes the next byte literal, or the end.
            let [_, escaped, rest @ ..] = self.0 else { return Err(Malformed) };
            value.push(*escaped);
            self.0 = rest;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        if found {
            self.0 = &self.0[1..];
        }
        found
    }

    fn skip(&mut self, skipped: impl Fn(u8) -> bool) {
        let end = self.0.iter().position(|byte| !skipped(*byte)).unwrap_or(self.0.len());
        self.0 = &self.0[end..];
    }

    fn take(&mut self, taken: impl Fn(u8) -> bool) -> Vec<u8> {
        let end = self.0.iter().position(|byte| !taken(*byte)).unwrap_or(self.0.len());
        let (head, rest) = self.0.split_at(end);
        self.0 = rest;
        head.to_vec()
    }
}

/// Single quotes are no quotes in this grammar, but a server that writes `rel='next'` means `next`.
fn relation_types(value: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(value);
    let types = text
        .split_ascii_whitespace()
        .map(|rel| rel.strip_prefix('\'').and_then(|rel| rel.strip_suffix('\'')).unwrap_or(rel).to_owned());
    types.collect()
}

fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::Value;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let value = |text: &&str| (LINK, HeaderValue::from_bytes(text.as_bytes()).expect("a header"));
        values.iter().map(value).collect()
    }

    /// Cases of the vectors where two libraries agree with each other and not with RFC 8288: docs/decisions/0004-link-header.md.
    const DIFFERENCES: [(&str, &str); 1] = [("upper-case-rel-value", "https://api.example.test/a")];

    #[test]
    fn the_next_link_is_the_one_other_libraries_find() {
        let file: Value = serde_json::from_str(include_str!("../../tests/vectors/link-header.json")).unwrap();
        let cases = file["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 34);
        for case in cases {
            let name = case["name"].as_str().unwrap();
            let found = next(&headers(&[case["link"].as_str().unwrap()])).unwrap_or_default();
            let argued = DIFFERENCES.iter().find(|(case, _)| *case == name);
            if let Some((_, url)) = argued {
                assert_eq!(found.as_deref(), Some(*url), "{name}");
            } else if case["level"] == "must" {
                assert_eq!(found.as_deref(), case["expect"]["next"].as_str(), "{name}");
            } else if let Some(recommended) = case.get("recommended_next") {
                assert_eq!(found.as_deref(), recommended.as_str(), "{name}");
            }
        }
    }

    #[test]
    fn single_quotes_around_a_relation_type_do_not_hide_it() {
        let found = next(&headers(&["<https://api.example.test/a>; rel='next'"])).unwrap();
        assert_eq!(found.as_deref(), Some("https://api.example.test/a"));
    }

    #[test]
    fn several_headers_are_one_list() {
        let found = next(&headers(&["</a>; rel=prev, </b>; rel=first", "</c>; rel=next"])).unwrap();
        assert_eq!(found.as_deref(), Some("/c"));
    }

    #[test]
    fn only_the_first_rel_of_a_link_counts() {
        let found = next(&headers(&["</a>; rel=prev; rel=next"])).unwrap();
        assert_eq!(found, None);
    }

    #[test]
    fn escapes_in_quotes_are_resolved() {
        let all: Vec<Link> =
            links(&headers(&[r#"</a>; rel="ne\xt"; title="\\\"<,;>""#])).collect::<Result<_, _>>().unwrap();
        assert_eq!(all, [Link { target: "/a".to_owned(), rels: vec!["next".to_owned()] }]);
    }

    #[test]
    fn a_header_that_cannot_be_read_is_not_the_end() {
        for text in
            ["garbage", "https://a.test/>; rel=next", "</a", "</a>; rel=\"next", "</a> rel=next", "</a>; =x"]
        {
            let error = next(&headers(&[text])).expect_err(text);
            assert_eq!(error.kind(), Kind::Pages, "{text}");
        }
    }

    #[test]
    fn what_follows_the_next_link_does_not_matter() {
        let found = next(&headers(&["</a>; rel=next, garbage"])).unwrap();
        assert_eq!(found.as_deref(), Some("/a"));
    }

    proptest::proptest! {
        #[test]
        fn no_header_makes_it_panic(text in "[<>;,=\" \\\\a-z/]{0,40}") {
            let _ = next(&headers(&[&text]));
        }

        #[test]
        fn any_link_that_is_written_is_read(
            target in "[!-;=?-~]{0,20}",
            title in "[ -~]{0,20}",
            rel in proptest::sample::select(vec!["next", "NEXT", "prev next", "next last"]),
        ) {
            let title = title.replace('\\', "\\\\").replace('"', "\\\"");
            let written = format!("</first>; rel=first, <{target}>; title=\"{title}\" ;rel=\"{rel}\"");
            proptest::prop_assert_eq!(next(&headers(&[&written])).unwrap(), Some(target));
        }
    }
}
