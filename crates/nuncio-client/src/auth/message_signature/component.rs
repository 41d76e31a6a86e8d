//! What of a message is signed (RFC 9421, section 2).

use std::fmt;
use std::str::FromStr;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::HeaderName;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sfv::{Dictionary, FieldType as _, Item, List, ListEntry, Parser};

use crate::Error;
use crate::auth::Message;

/// What forms do not escape (the URL standard's percent-encode set for them), with a space as `%20`.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

/// One covered component: a header, or a part of the request line, with its parameters.
///
/// Written `content-type`, `@method` or `@query-param;name="page"`. Of headers there are the variants `;sf`, which writes a structured field anew,
/// `;bs`, which takes each value as bytes, and `;key="name"`, which takes one member of a dictionary.
#[derive(Debug, Clone, PartialEq)]
pub struct Component(Item);

impl Component {
    /// The name, in small letters.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.bare_item.as_string().map_or("", |name| name.as_str())
    }

    pub(super) fn of(item: &Item) -> Result<Self, Error> {
        let component = Self(item.clone());
        component.check()?;
        Ok(component)
    }

    pub(super) fn item(&self) -> Item {
        self.0.clone()
    }

    fn param(&self, name: &str) -> Option<&str> {
        self.0.params.get(name)?.as_string().map(|value| value.as_str())
    }

    fn is(&self, param: &str) -> bool {
        self.0.params.get(param).is_some_and(|value| value.as_boolean() == Some(true))
    }

    /// That it is one that requests have, with parameters that it can have.
    fn check(&self) -> Result<(), Error> {
        let params: Vec<&str> = self.0.params.keys().map(|key| key.as_str()).collect();
        let is_known = match (self.name(), &params[..]) {
            (
                "@method" | "@target-uri" | "@authority" | "@scheme" | "@request-target" | "@path" | "@query",
                [],
            ) => true,
            ("@query-param", ["name"]) => self.param("name").is_some(),
            (name, _) if name.starts_with('@') => false,
            (name, ["key"]) => is_header(name) && self.param("key").is_some(),
            (name, [] | ["sf"] | ["bs"]) => is_header(name),
            _ => false,
        };
        if is_known {
            return Ok(());
        }
        Err(Error::configuration(format!("{self} is nothing of a request that can be signed")).advise(
            "known are @method, @target-uri, @authority, @scheme, @request-target, @path, @query, @query-param;name=\"…\" and headers in small \
             letters, with ;sf, ;bs or ;key=\"…\"",
        ))
    }

    /// What stands for it in the signature base; nothing when the message has no such thing.
    pub(super) fn value(&self, message: &Message<'_>) -> Option<String> {
        match self.name() {
            "@method" => Some(message.method.to_owned()),
            "@target-uri" => {
                Some(format!("{}://{}{}", message.scheme, message.authority, message.path_and_query()))
            }
            "@authority" => Some(message.authority.to_string()),
            "@scheme" => Some(message.scheme.to_owned()),
            "@request-target" => Some(message.path_and_query().into_owned()),
            "@path" => Some(message.path.to_owned()),
            "@query" => Some(format!("?{}", message.query.unwrap_or_default())),
            "@query-param" => self.query_param(message),
            name => self.field(message, &name.parse().ok()?),
        }
    }

    /// The one value of the parameter; a name that is there twice cannot be signed (section 2.2.8).
    fn query_param(&self, message: &Message<'_>) -> Option<String> {
        let wanted = self.param("name")?;
        let encode = |text: &str| utf8_percent_encode(text, FORM).to_string();
        let pairs = form_urlencoded::parse(message.query.unwrap_or_default().as_bytes());
        let mut values = pairs.filter(|(name, _)| encode(name) == wanted).map(|(_, value)| encode(&value));
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }

    fn field(&self, message: &Message<'_>, name: &HeaderName) -> Option<String> {
        let Some(field) = message.header(name) else {
            return (name == http::header::HOST).then(|| message.authority.to_string());
        };
        if self.is("bs") {
            let values = message.headers.get_all(name).iter();
            let values =
                values.map(|value| format!(":{}:", BASE64_STANDARD.encode(value.as_bytes().trim_ascii())));
            return Some(values.collect::<Vec<_>>().join(", "));
        }
        if self.is("sf") {
            return strict(&field);
        }
        match self.param("key") {
            Some(key) => match Parser::new(&field).parse::<Dictionary>().ok()?.get(key)? {
                ListEntry::Item(item) => Some(item.serialize()),
                list @ ListEntry::InnerList(_) => vec![list.clone()].serialize(),
            },
            None => Some(field),
        }
    }
}

fn is_header(name: &str) -> bool {
    name.parse::<HeaderName>().is_ok_and(|parsed| parsed.as_str() == name)
}

/// A structured field as its specification writes it. What kind it is of need not be known: what reads as two kinds is written the same.
fn strict(field: &str) -> Option<String> {
    let list = Parser::new(field).parse::<List>().ok().and_then(|list| list.serialize());
    list.or_else(|| Parser::new(field).parse::<Dictionary>().ok()?.serialize())
}

impl FromStr for Component {
    type Err = Error;

    /// Reads the notation of the specification, the quotes around the name left out or not.
    fn from_str(text: &str) -> Result<Self, Error> {
        let (name, params) = text.split_at(text.find(';').unwrap_or(text.len()));
        let quoted = if name.starts_with('"') { text.to_owned() } else { format!("\"{name}\"{params}") };
        let item: Item = Parser::new(&quoted).parse().map_err(|error| {
            Error::configuration(format!("{text:?} is no component of a message")).because(error)
        })?;
        Self::of(&item)
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.serialize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::testing::get;

    fn value(component: &str, url: &str, headers: &[(&str, &str)]) -> Option<String> {
        let mut request = get(url);
        for (name, value) in headers {
            request
                .headers_mut()
                .append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        component.parse::<Component>().unwrap().value(&Message::of(&request).unwrap())
    }

    const URL: &str = "https://www.Example.com:443/path?param=value&foo=bar&baz=batman";

    #[test]
    fn parts_of_the_request_line_are_those_of_the_specification() {
        for (component, expected) in [
            ("@method", "GET"),
            ("@target-uri", "https://www.example.com/path?param=value&foo=bar&baz=batman"),
            ("@authority", "www.example.com"),
            ("@scheme", "https"),
            ("@request-target", "/path?param=value&foo=bar&baz=batman"),
            ("@path", "/path"),
            ("@query", "?param=value&foo=bar&baz=batman"),
            ("@query-param;name=\"baz\"", "batman"),
            ("host", "www.example.com"),
        ] {
            assert_eq!(value(component, URL, &[]).as_deref(), Some(expected), "{component}");
        }
        assert_eq!(value("@query", "https://example.com/", &[]).as_deref(), Some("?"));
        assert_eq!(value("@path", "https://example.com", &[]).as_deref(), Some("/"));
    }

    #[test]
    fn a_query_parameter_is_escaped_as_the_specification_says() {
        // RFC 9421, section 2.2.8.
        let url = "https://www.example.com/parameters?var=this%20is%20a%20big%0Amultiline%20value&bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something";
        for (name, expected) in [
            ("var", "this%20is%20a%20big%0Amultiline%20value"),
            ("bar", "with%20plus%20whitespace"),
            ("fa%C3%A7ade%22%3A%20", "something"),
        ] {
            assert_eq!(value(&format!("@query-param;name=\"{name}\""), url, &[]).as_deref(), Some(expected));
        }
        assert_eq!(value("@query-param;name=\"a\"", "https://example.com/?a=1&a=2", &[]), None);
    }

    #[test]
    fn a_header_is_one_line_and_its_variants_are_those_of_the_specification() {
        // RFC 9421, sections 2.1 to 2.1.3.
        let headers = [
            ("example-dict", "  a=1,    b=2;x=1;y=2,   c=(a   b   c), d"),
            ("cache-control", "max-age=60"),
            ("cache-control", "   must-revalidate"),
            ("example-header", "value, with, lots"),
            ("example-header", "of, commas"),
        ];
        for (component, expected) in [
            ("cache-control", "max-age=60, must-revalidate"),
            ("example-dict", "a=1,    b=2;x=1;y=2,   c=(a   b   c), d"),
            ("example-dict;sf", "a=1, b=2;x=1;y=2, c=(a b c), d"),
            ("example-dict;key=\"a\"", "1"),
            ("example-dict;key=\"d\"", "?1"),
            ("example-dict;key=\"b\"", "2;x=1;y=2"),
            ("\"example-dict\";key=\"c\"", "(a b c)"),
            ("example-header;bs", ":dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:"),
        ] {
            assert_eq!(value(component, URL, &headers).as_deref(), Some(expected), "{component}");
        }
        assert_eq!(value("x-missing", URL, &headers), None);
        assert_eq!(value("example-header;key=\"a\"", URL, &headers), None);
    }

    #[test]
    fn what_is_nothing_of_a_request_is_refused() {
        for text in [
            "@status",
            "@signature-params",
            "@unknown",
            "@method;sf",
            "@query-param",
            "Content-Type",
            "a b",
            "",
            "x;tr",
            "x;req",
            "x;key",
            "x;sf;bs",
            "\"open",
        ] {
            assert!(text.parse::<Component>().is_err(), "{text}");
        }
    }
}
