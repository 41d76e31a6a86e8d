//! Which operations a document has. Reads no further than that takes: the server says what is wrong within them.

use std::fmt;

use crate::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Query,
    Mutation,
    Subscription,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Operation<'a> {
    pub(super) kind: Kind,
    pub(super) name: Option<&'a str>,
}

impl fmt::Display for Operation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.unwrap_or("one without a name"))
    }
}

/// The operation that a server would run (GraphQL specification, section 6.1, GetOperation).
pub(super) fn select<'o, 'a>(
    operations: &'o [Operation<'a>],
    name: Option<&str>,
) -> Result<&'o Operation<'a>, Error> {
    let list = || operations.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match (name, operations) {
        (_, []) => Err(Error::configuration("the GraphQL document has no operation")
            .advise("it needs a query or a mutation besides its fragments")),
        (Some(name), _) => operations.iter().find(|it| it.name == Some(name)).ok_or_else(|| {
            Error::configuration(format!("the GraphQL document has no operation {name:?}"))
                .advise(format!("it has {}", list()))
        }),
        (None, [only]) => Ok(only),
        (None, several) => {
            let message = format!("the GraphQL document has {} operations and none was named", several.len());
            Err(Error::configuration(message).advise(format!("name one of them: {}", list())))
        }
    }
}

/// All operations of `document`, in its order.
pub(super) fn operations(document: &str) -> Result<Vec<Operation<'_>>, Error> {
    let mut tokens = Tokens { document, at: 0 };
    let mut operations = Vec::new();
    while let Some(token) = tokens.next()? {
        let kind = match token {
            Token::Open('{') => {
                tokens.skip_to_close('{')?;
                operations.push(Operation { kind: Kind::Query, name: None });
                continue;
            }
            // A description (GraphQL specification, September 2025, section 3.3).
            Token::String => continue,
            Token::Name("fragment") => {
                tokens.skip_selection()?;
                continue;
            }
            Token::Name("query") => Kind::Query,
            Token::Name("mutation") => Kind::Mutation,
            Token::Name("subscription") => Kind::Subscription,
            _ => return Err(tokens.error("an operation or a fragment was expected")),
        };
        let name = tokens.take_name()?;
        tokens.skip_selection()?;
        operations.push(Operation { kind, name });
    }
    Ok(operations)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Name(&'a str),
    String,
    Open(char),
    Close(char),
    /// Anything else: numbers, `$`, `!`, `:`, …
    Other,
}

struct Tokens<'a> {
    document: &'a str,
    /// End of the last token.
    at: usize,
}

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Result<Option<Token<'a>>, Error> {
        self.skip_ignored();
        let rest = &self.document[self.at..];
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let (token, length) = match first {
            '"' => {
                let length = string_length(rest).ok_or_else(|| self.error("a string does not end"))?;
                (Token::String, length)
            }
            '_' | 'a'..='z' | 'A'..='Z' => {
                let end = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
                (Token::Name(&rest[..end]), end)
            }
            '{' | '(' | '[' => (Token::Open(first), 1),
            '}' | ')' | ']' => (Token::Close(first), 1),
            other => (Token::Other, other.len_utf8()),
        };
        self.at += length;
        Ok(Some(token))
    }

    /// White space, commas and comments (GraphQL specification, section 2.1.7).
    fn skip_ignored(&mut self) {
        loop {
            let rest = &self.document[self.at..];
            let kept = rest.trim_start_matches([' ', '\t', '\n', '\r', ',', '\u{feff}']);
            self.at += rest.len() - kept.len();
            if !kept.starts_with('#') {
                return;
            }
            self.at += kept.find(['\n', '\r']).unwrap_or(kept.len());
        }
    }

    fn take_name(&mut self) -> Result<Option<&'a str>, Error> {
        let before = self.at;
        if let Some(Token::Name(name)) = self.next()? {
            return Ok(Some(name));
        }
        self.at = before;
        Ok(None)
    }

    /// Past variables and directives, whose values may have braces within parentheses, and the selection set after them.
    fn skip_selection(&mut self) -> Result<(), Error> {
        loop {
            match self.next()? {
                Some(Token::Open('{')) => return self.skip_to_close('{'),
                Some(Token::Open(open)) => self.skip_to_close(open)?,
                Some(Token::Close(_)) => return Err(self.error("this closes nothing")),
                Some(_) => {}
                None => return Err(self.error("an operation has no selection of fields")),
            }
        }
    }

    fn skip_to_close(&mut self, open: char) -> Result<(), Error> {
        let mut expected = vec![closing(open)];
        while let Some(close) = expected.last().copied() {
            match self.next()? {
                Some(Token::Open(open)) => expected.push(closing(open)),
                Some(Token::Close(found)) if found == close => {
                    expected.pop();
                }
                Some(Token::Close(_)) => return Err(self.error(&format!("{close:?} was expected"))),
                Some(_) => {}
                None => return Err(self.error(&format!("{close:?} is missing at the end"))),
            }
        }
        Ok(())
    }

    fn error(&self, what: &str) -> Error {
        let before = &self.document[..self.at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count().max(1);
        Error::configuration(format!(
            "the GraphQL document has a mistake at line {line}, column {column}: {what}"
        ))
    }
}

fn closing(open: char) -> char {
    match open {
        '{' => '}',
        '(' => ')',
        _ => ']',
    }
}

/// Length of the string that `text` begins with, quotes included; nothing when it does not end.
fn string_length(text: &str) -> Option<usize> {
    let (quotes, escape) = if text.starts_with(r#"""""#) { (r#"""""#, r#"\""""#) } else { ("\"", "\\") };
    let mut at = quotes.len();
    loop {
        let rest = text.get(at..)?;
        if rest.starts_with(escape) {
            // A block string escapes only its three quotes, a plain one any character.
            at += if quotes.len() == 3 { escape.len() } else { 1 + rest[1..].chars().next()?.len_utf8() };
        } else if rest.starts_with(quotes) {
            return Some(at + quotes.len());
        } else {
            let next = rest.chars().next()?;
            if quotes.len() == 1 && matches!(next, '\n' | '\r') {
                return None;
            }
            at += next.len_utf8();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(document: &str) -> Vec<(Kind, Option<&str>)> {
        operations(document).unwrap().into_iter().map(|it| (it.kind, it.name)).collect()
    }

    fn message(document: &str) -> String {
        operations(document).unwrap_err().to_string()
    }

    #[test]
    fn operations_are_found_with_their_names() {
        assert_eq!(found("{ a }"), [(Kind::Query, None)]);
        assert_eq!(found("query{a}"), [(Kind::Query, None)]);
        assert_eq!(
            found("query A { a } mutation B($x: Int = 1) @d(y: {z: 2}) { b } subscription C { c }"),
            [(Kind::Query, Some("A")), (Kind::Mutation, Some("B")), (Kind::Subscription, Some("C"))]
        );
    }

    #[test]
    fn keywords_are_names_where_names_stand() {
        assert_eq!(found("query query { mutation }"), [(Kind::Query, Some("query"))]);
        assert_eq!(found("fragment mutation on T { a } { a }"), [(Kind::Query, None)]);
        assert_eq!(found("query A { a(mutation: query) }"), [(Kind::Query, Some("A"))]);
    }

    #[test]
    fn braces_in_values_comments_and_strings_are_no_selections() {
        for document in [
            "mutation A($x: In = {a: {b: 1}, c: [{}]}) { a }",
            "mutation A # { query B {\n { a }",
            r#"mutation A { a(x: "} query B { \" {", y: """ } "quoted" \""" { """) }"#,
            "\u{feff},, mutation A, { a }",
            "\"\"\"What it does: { } \"\"\" mutation A { a }",
            r#"mutation A { a(x: "") b(y: """""") c(z: "\\") }"#,
        ] {
            assert_eq!(found(document), [(Kind::Mutation, Some("A"))], "{document}");
        }
    }

    #[test]
    fn a_document_may_have_fragments_only_besides_operations() {
        assert_eq!(found("fragment F on T @d { a { b } } query A { ...F }"), [(Kind::Query, Some("A"))]);
        assert_eq!(
            message("{ a }\n type T { a: Int }"),
            "the GraphQL document has a mistake at line 2, column 5: an operation or a fragment was expected"
        );
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (document, told) in [
            ("query A { a", "line 1, column 11: '}' is missing at the end"),
            ("query A {\n  a(x: [1)\n}", "line 2, column 10: ']' was expected"),
            ("query A { a } }", "line 1, column 15: an operation or a fragment was expected"),
            ("query A ) { a }", "line 1, column 9: this closes nothing"),
            ("query A { a(x: \"b) }", "line 1, column 15: a string does not end"),
            ("query A { a(x: \"b\n\") }", "line 1, column 15: a string does not end"),
            ("query A", "line 1, column 7: an operation has no selection of fields"),
        ] {
            assert_eq!(message(document), format!("the GraphQL document has a mistake at {told}"));
        }
    }

    #[test]
    fn one_operation_needs_no_name() {
        let operations = operations("query A { a }").unwrap();
        assert_eq!(select(&operations, None).unwrap().name, Some("A"));
        assert_eq!(select(&operations, Some("A")).unwrap().name, Some("A"));
    }

    #[test]
    fn several_operations_need_a_name_that_one_of_them_has() {
        let operations = operations("query A { a } mutation B { b } { c }").unwrap();
        let error = select(&operations, None).unwrap_err();
        assert_eq!(error.to_string(), "the GraphQL document has 3 operations and none was named");
        assert_eq!(error.advice(), Some("name one of them: A, B, one without a name"));
        let error = select(&operations, Some("b")).unwrap_err();
        assert_eq!(error.to_string(), "the GraphQL document has no operation \"b\"");
        assert_eq!(select(&operations, Some("B")).unwrap().kind, Kind::Mutation);
    }

    #[test]
    fn a_document_without_operations_is_refused() {
        for document in ["", "# nothing", "fragment F on T { a }"] {
            let operations = operations(document).unwrap();
            let error = select(&operations, None).unwrap_err();
            assert_eq!(error.to_string(), "the GraphQL document has no operation", "{document:?}");
        }
    }

    proptest! {
        #[test]
        fn no_document_panics(
            document in prop_oneof![".*", "(query|mutation|fragment| |\\{|\\}|\\(|\\)|\"|\"\"\"|\\\\|#|\n|é|a|,){0,30}"]
        ) {
            let _ = operations(&document);
        }
    }
}
