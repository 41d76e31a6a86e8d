//! `name=value`, `name:=json` and `name@file`: what a call is made with.

use std::io::Read as _;
use std::path::Path;
use std::str::FromStr;

use nuncio_client::{DEFAULT_MAX_BODY_BYTES, Error};
use nuncio_service::model::Place;
use nuncio_service::{File, Given, Inputs, Operation};
use serde_json::{Map, Value};

/// One value with its name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) value: Source,
}

/// What was written behind the name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    /// `=text`, which becomes what its input declares.
    Text(String),
    /// `:=json`.
    Json(Value),
    /// `@path`.
    File(String),
}

impl FromStr for Field {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = || {
            Error::configuration(format!("{text:?} gives no value to a name"))
                .advise("write name=text, name:=json or name@file")
        };
        let at = text.find(['=', '@']).filter(|at| *at > 0).ok_or_else(refused)?;
        let (name, value) = (&text[..at], &text[at + 1..]);
        let (name, value) = match (text.as_bytes()[at], name.strip_suffix(':')) {
            (b'@', _) => (name, Source::File(value.to_owned())),
            (_, Some(name)) => {
                let json = serde_json::from_str(value).map_err(|error| {
                    Error::configuration(format!("the value of {name} is not JSON")).because(error).advise(
                        "behind := text stands in quotes of its own: name:='\"text\"'; or write name=text",
                    )
                })?;
                (name, Source::Json(json))
            }
            (_, None) => (name, Source::Text(value.to_owned())),
        };
        if name.is_empty() {
            return Err(refused());
        }
        Ok(Self { name: name.to_owned(), value })
    }
}

/// All fields of a command line.
pub(crate) fn parse(words: &[String]) -> Result<Vec<Field>, Error> {
    words.iter().map(|word| word.parse()).collect()
}

/// The fields as the inputs of `operation`.
pub(crate) fn inputs(operation: &Operation, fields: Vec<Field>) -> Result<Inputs, Error> {
    let given = fields.into_iter().map(|Field { name, value }| {
        let given = match value {
            Source::Text(text) => Given::Text(text),
            Source::Json(value) => Given::Json(value),
            Source::File(path) if operation.place(&name) == Some(Place::File) => {
                let shown = Path::new(&path).file_name().map(|name| name.to_string_lossy().into_owned());
                Given::File(File::new(shown.unwrap_or_default(), read_bytes(&path)?))
            }
            Source::File(path) => Given::Text(read_text(&path)?),
        };
        Ok((name, given))
    });
    given.collect::<Result<Vec<_>, Error>>().map(Inputs::from_iter)
}

/// The fields as an object, text as text: for calls that no service file describes.
pub(crate) fn object(fields: Vec<Field>) -> Result<Map<String, Value>, Error> {
    let members = fields.into_iter().map(|Field { name, value }| {
        let value = match value {
            Source::Text(text) => Value::from(text),
            Source::Json(value) => value,
            Source::File(path) => Value::from(read_text(&path)?),
        };
        Ok((name, value))
    });
    members.collect()
}

/// Reads a file, or standard input for `-`, up to the bound on bodies.
pub(crate) fn read_bytes(path: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let bound = DEFAULT_MAX_BODY_BYTES as u64 + 1;
    let read = match path {
        "-" => std::io::stdin().take(bound).read_to_end(&mut bytes),
        path => std::fs::File::open(path).and_then(|file| file.take(bound).read_to_end(&mut bytes)),
    };
    read.map_err(|error| Error::configuration(format!("{path} cannot be read")).because(error))?;
    if bytes.len() > DEFAULT_MAX_BODY_BYTES {
        return Err(Error::configuration(format!("{path} is larger than {DEFAULT_MAX_BODY_BYTES} bytes")));
    }
    Ok(bytes)
}

/// Reads a file of text, or standard input for `-`.
pub(crate) fn read_text(path: &str) -> Result<String, Error> {
    String::from_utf8(read_bytes(path)?)
        .map_err(|error| Error::configuration(format!("{path} is not text in UTF-8")).because(error))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(text: &str) -> (String, Source) {
        let Field { name, value } = text.parse().unwrap();
        (name, value)
    }

    #[test]
    fn the_first_sign_decides() {
        let text = |text: &str| Source::Text(text.to_owned());
        assert_eq!(field("email=ada@example.com"), ("email".to_owned(), text("ada@example.com")));
        assert_eq!(field("note=a:=b"), ("note".to_owned(), text("a:=b")));
        assert_eq!(field("note="), ("note".to_owned(), text("")));
        assert_eq!(field("n:=[1, 2]"), ("n".to_owned(), Source::Json(json!([1, 2]))));
        assert_eq!(field("photo@a=b.png"), ("photo".to_owned(), Source::File("a=b.png".to_owned())));
    }

    #[test]
    fn a_mistake_says_how_to_write_it() {
        for text in ["email", "=x", "@x", ":=1"] {
            let error = text.parse::<Field>().unwrap_err();
            assert_eq!(error.advice(), Some("write name=text, name:=json or name@file"), "{text}");
        }
        assert_eq!("n:=x".parse::<Field>().unwrap_err().to_string(), "the value of n is not JSON");
    }
}
