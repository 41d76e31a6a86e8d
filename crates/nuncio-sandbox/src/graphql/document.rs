//! The part of GraphQL's language that requests use.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Selections within selections, lists within lists.
const MAX_DEPTH: usize = 32;
/// Fields after fragments are put in their places: fragments that use each other could grow without bound.
const MAX_FIELDS: usize = 10_000;

/// A query or mutation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Definition {
    pub(super) is_mutation: bool,
    pub(super) name: Option<String>,
    pub(super) fields: Vec<Field>,
    /// Values of variables that a request does not give.
    pub(super) defaults: Map<String, Value>,
}

/// A field, its arguments and what is asked of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    /// Its name in the answer.
    pub(super) key: String,
    pub(super) name: String,
    pub(super) arguments: Vec<(String, Argument)>,
    pub(super) fields: Vec<Field>,
}

/// The value of an argument.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Argument {
    Variable(String),
    Fixed(Value),
    List(Vec<Argument>),
    Object(Vec<(String, Argument)>),
}

impl Argument {
    /// The value; nothing for a variable that is not given.
    pub(super) fn value(&self, variables: &Map<String, Value>) -> Option<Value> {
        match self {
            Self::Variable(name) => variables.get(name).cloned(),
            Self::Fixed(value) => Some(value.clone()),
            Self::List(items) => {
                Some(items.iter().map(|item| item.value(variables).unwrap_or_default()).collect())
            }
            Self::Object(entries) => {
                let entries =
                    entries.iter().filter_map(|(key, value)| Some((key.clone(), value.value(variables)?)));
                Some(Value::Object(entries.collect()))
            }
        }
    }
}

enum Selection {
    Field(Field, Vec<Selection>),
    Spread(String),
    Inline(Vec<Selection>),
}

/// The operations of a document, with fragments put in their places.
///
/// Directives and subscriptions are refused, type conditions of fragments are not looked at.
pub(super) fn parse(text: &str) -> Result<Vec<Definition>, String> {
    let mut parser = Parser { rest: text };
    let mut definitions = Vec::new();
    let mut fragments = BTreeMap::new();
    while !parser.at_end() {
        if parser.peek("{") {
            definitions.push((false, None, Map::new(), parser.selections(0)?));
            continue;
        }
        match parser.name()? {
            "fragment" => {
                let name = parser.name()?.to_owned();
                parser.keyword("on")?;
                parser.name()?;
                fragments.insert(name, parser.selections(0)?);
            }
            kind @ ("query" | "mutation") => {
                let name =
                    if parser.peek("{") || parser.peek("(") { None } else { Some(parser.name()?.to_owned()) };
                let defaults = parser.variables()?;
                definitions.push((kind == "mutation", name, defaults, parser.selections(0)?));
            }
            other => return Err(format!("{other} is not known here: write a query or mutation")),
        }
    }
    let definitions = definitions.into_iter().map(|(is_mutation, name, defaults, selections)| {
        let mut left = MAX_FIELDS;
        let fields = flatten(&selections, &fragments, &mut left, 0)?;
        Ok(Definition { is_mutation, name, fields, defaults })
    });
    definitions.collect()
}

fn flatten(
    selections: &[Selection],
    fragments: &BTreeMap<String, Vec<Selection>>,
    left: &mut usize,
    depth: usize,
) -> Result<Vec<Field>, String> {
    if depth > MAX_DEPTH {
        return Err("the query is nested too deeply".to_owned());
    }
    let mut fields = Vec::new();
    for selection in selections {
        *left = left.checked_sub(1).ok_or("the query has too many fields")?;
        match selection {
            Selection::Field(field, within) => {
                let within = flatten(within, fragments, left, depth + 1)?;
                fields.push(Field { fields: within, ..field.clone() });
            }
            Selection::Inline(within) => fields.extend(flatten(within, fragments, left, depth + 1)?),
            Selection::Spread(name) => {
                let fragment = fragments.get(name).ok_or_else(|| format!("Unknown fragment {name:?}"))?;
                fields.extend(flatten(fragment, fragments, left, depth + 1)?);
            }
        }
    }
    Ok(fields)
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn skip(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n', ',', '\u{feff}']);
            match self.rest.strip_prefix('#') {
                Some(comment) => self.rest = comment.split_once('\n').map_or("", |(_, rest)| rest),
                None => return,
            }
        }
    }

    fn at_end(&mut self) -> bool {
        self.skip();
        self.rest.is_empty()
    }

    fn peek(&mut self, text: &str) -> bool {
        self.skip();
        self.rest.starts_with(text)
    }

    fn take(&mut self, text: &str) -> bool {
        let is_next = self.peek(text);
        if is_next {
            self.rest = &self.rest[text.len()..];
        }
        is_next
    }

    fn expect(&mut self, text: &str) -> Result<(), String> {
        if self.take(text) { Ok(()) } else { Err(self.error(text)) }
    }

    fn error(&self, wanted: &str) -> String {
        let found: String = self.rest.chars().take(20).collect();
        format!("Syntax Error: expected {wanted}, found {found:?}")
    }

    fn name(&mut self) -> Result<&'a str, String> {
        self.skip();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.error("a name"));
        }
        self.rest = rest;
        Ok(name)
    }

    fn keyword(&mut self, word: &str) -> Result<(), String> {
        if self.name()? == word { Ok(()) } else { Err(self.error(word)) }
    }

    /// `($n: Int! = 5)`, if there are any.
    fn variables(&mut self) -> Result<Map<String, Value>, String> {
        let mut defaults = Map::new();
        if !self.take("(") {
            return Ok(defaults);
        }
        while !self.take(")") {
            self.expect("$")?;
            let name = self.name()?.to_owned();
            self.expect(":")?;
            while self.take("[") {}
            self.name()?;
            while self.take("]") || self.take("!") {}
            if self.take("=") {
                let value = self.argument(0)?.value(&Map::new());
                defaults.insert(name, value.unwrap_or_default());
            }
        }
        Ok(defaults)
    }

    fn selections(&mut self, depth: usize) -> Result<Vec<Selection>, String> {
        if depth > MAX_DEPTH {
            return Err("the query is nested too deeply".to_owned());
        }
        self.expect("{")?;
        let mut selections = Vec::new();
        while !self.take("}") {
            selections.push(self.selection(depth)?);
        }
        Ok(selections)
    }

    fn selection(&mut self, depth: usize) -> Result<Selection, String> {
        if self.take("...") {
            if self.peek("{") {
                return Ok(Selection::Inline(self.selections(depth + 1)?));
            }
            let name = self.name()?;
            if name == "on" {
                self.name()?;
                return Ok(Selection::Inline(self.selections(depth + 1)?));
            }
            return Ok(Selection::Spread(name.to_owned()));
        }
        let key = self.name()?.to_owned();
        let name = if self.take(":") { self.name()?.to_owned() } else { key.clone() };
        let mut arguments = Vec::new();
        if self.take("(") {
            while !self.take(")") {
                let argument = self.name()?.to_owned();
                self.expect(":")?;
                arguments.push((argument, self.argument(depth)?));
            }
        }
        if self.peek("@") {
            return Err("the sandbox knows no directives".to_owned());
        }
        let within = if self.peek("{") { self.selections(depth + 1)? } else { Vec::new() };
        Ok(Selection::Field(Field { key, name, arguments, fields: Vec::new() }, within))
    }

    fn argument(&mut self, depth: usize) -> Result<Argument, String> {
        if depth > MAX_DEPTH {
            return Err("the value is nested too deeply".to_owned());
        }
        if self.take("$") {
            return Ok(Argument::Variable(self.name()?.to_owned()));
        }
        if self.take("[") {
            let mut items = Vec::new();
            while !self.take("]") {
                items.push(self.argument(depth + 1)?);
            }
            return Ok(Argument::List(items));
        }
        if self.take("{") {
            let mut entries = Vec::new();
            while !self.take("}") {
                let key = self.name()?.to_owned();
                self.expect(":")?;
                entries.push((key, self.argument(depth + 1)?));
            }
            return Ok(Argument::Object(entries));
        }
        if self.peek("\"") || self.peek("-") || self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            return self.literal().map(Argument::Fixed);
        }
        Ok(Argument::Fixed(match self.name()? {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            // An enum value is a text in JSON.
            name => Value::String(name.to_owned()),
        }))
    }

    /// A number or text, which JSON writes alike; block texts are not known.
    fn literal(&mut self) -> Result<Value, String> {
        let end = match self.rest.strip_prefix('"') {
            Some(text) => {
                let mut escaped = false;
                let end = text.find(|c: char| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                end.map(|end| end + 2)
            }
            None => self.rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)),
        };
        let (literal, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        let value = serde_json::from_str(literal).map_err(|_| self.error("a value"))?;
        self.rest = rest;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outline(fields: &[Field]) -> String {
        let parts = fields.iter().map(|field| match field.fields[..] {
            [] => field.name.clone(),
            _ => format!("{}{{{}}}", field.name, outline(&field.fields)),
        });
        parts.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn fragments_are_put_in_their_places() {
        let text = "query Q { user(id: 1) { ...names, ... on User { email } } } # and
            fragment names on User { id: number name { ...none } } fragment none on Name { first }";
        let parsed = parse(text).expect("a document");
        assert_eq!(outline(&parsed[0].fields), "user{number name{first} email}");
        assert_eq!(parsed[0].fields[0].fields[0].key, "id");
    }

    #[test]
    fn arguments_are_values_and_variables() {
        let text = r#"query($n: [Int!]! = 5, $s: S) { f(a: $n, b: {c: [1.5, "x\"", OPEN, null], d: $s, e: $none}) }"#;
        let parsed = parse(text).expect("a document").remove(0);
        let mut variables = parsed.defaults;
        variables.insert("s".to_owned(), json!("given"));
        let values = parsed.fields[0].arguments.iter().map(|(_, argument)| argument.value(&variables));
        let expected = [Some(json!(5)), Some(json!({ "c": [1.5, "x\"", "OPEN", null], "d": "given" }))];
        assert_eq!(values.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_wrong_or_without_bound_is_refused() {
        let deep = "{a".repeat(100_000);
        let brackets = format!("{{ a(b: {}", "[".repeat(100_000));
        let endless = "{ ...a } fragment a on A { ...a }";
        let growing: String =
            (0..30).map(|n| format!("fragment f{n} on A {{ ...f{0} ...f{0} }} ", n + 1)).collect();
        let growing = format!("{{ ...f0 }} {growing} fragment f30 on A {{ id }}");
        for text in [
            "{",
            "{ a(b: ) }",
            "query { a } }",
            "subscription { a }",
            "{ a @skip(if: true) }",
            "{ ...b }",
            &deep,
            &brackets,
            endless,
            &growing,
        ] {
            assert!(parse(text).is_err(), "{}", &text[..text.len().min(40)]);
        }
    }
}
