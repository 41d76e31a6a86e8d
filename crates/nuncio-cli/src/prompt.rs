//! Secrets from whoever sits at the terminal, or from a pipe.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal as _, Read as _};

use nuncio_client::{Error, Secret};

use crate::stderr;

/// Bound on what is read from a pipe: 1 MiB.
const MAX_BYTES: u64 = 1024 * 1024;

/// A value for each of `names`. On a terminal one after the other, without showing what is typed; nothing typed means none. From a pipe as
/// a JSON object, as lines NAME=VALUE, or, for a single name, as the value alone.
pub(crate) fn values(names: &BTreeSet<String>) -> Result<BTreeMap<String, Secret>, Error> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    if std::io::stdin().is_terminal() {
        let asked = names.iter().map(|name| Ok((name.clone(), ask(&format!("{name}: "))?)));
        let given = asked.collect::<Result<BTreeMap<_, _>, Error>>()?;
        return Ok(given.into_iter().filter(|(_, value)| !value.expose().is_empty()).collect());
    }
    from_text(names, &read()?)
}

/// A passphrase, asked for twice when it is new. From a pipe the first line.
pub(crate) fn passphrase(is_new: bool) -> Result<Secret, Error> {
    let given = if std::io::stdin().is_terminal() {
        let given = ask("Passphrase: ")?;
        if is_new && ask("Once more: ")?.expose() != given.expose() {
            return Err(Error::configuration("the passphrases differ"));
        }
        given
    } else {
        Secret::new(read()?.expose().lines().next().unwrap_or_default())
    };
    if given.expose().is_empty() {
        return Err(Error::configuration("there is no passphrase")
            .advise("type one, or write it to standard input; it never stands on the command line"));
    }
    Ok(given)
}

fn ask(question: &str) -> Result<Secret, Error> {
    // Not through standard output, which has data.
    stderr::part(question);
    let typed = rpassword::read_password();
    typed.map(Secret::new).map_err(|error| Error::configuration("the terminal cannot be read").because(error))
}

fn read() -> Result<Secret, Error> {
    let mut text = String::new();
    let read = std::io::stdin().take(MAX_BYTES).read_to_string(&mut text);
    read.map_err(|error| Error::configuration("standard input cannot be read").because(error))?;
    Ok(Secret::new(text))
}

fn from_text(names: &BTreeSet<String>, text: &Secret) -> Result<BTreeMap<String, Secret>, Error> {
    let text = text.expose();
    let given =
        as_object(text, names).or_else(|| as_lines(text, names)).unwrap_or_else(|| as_value(text, names));
    let missing: Vec<&str> =
        names.iter().filter(|name| !given.contains_key(*name)).map(String::as_str).collect();
    if missing.is_empty() {
        return Ok(given);
    }
    let them = missing.join(", ");
    Err(Error::configuration(format!("standard input has no value for {them}")).advise(
        "write lines NAME=VALUE or a JSON object of names and values; a single value can stand alone",
    ))
}

/// An object with one of the names; one without may be the value itself, such as a service account's key.
fn as_object(text: &str, names: &BTreeSet<String>) -> Option<BTreeMap<String, Secret>> {
    let object: BTreeMap<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    let given = object.into_iter().filter(|(name, _)| names.contains(name));
    let given: BTreeMap<_, _> =
        given.filter_map(|(name, value)| Some((name, Secret::new(value.as_str()?)))).collect();
    (!given.is_empty()).then_some(given)
}

fn as_lines(text: &str, names: &BTreeSet<String>) -> Option<BTreeMap<String, Secret>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let pairs = lines.map(|line| line.split_once('=').filter(|(name, _)| names.contains(name.trim())));
    let pairs: Option<BTreeMap<_, _>> =
        pairs.map(|pair| pair.map(|(name, value)| (name.trim().to_owned(), Secret::new(value)))).collect();
    pairs.filter(|pairs| !pairs.is_empty())
}

fn as_value(text: &str, names: &BTreeSet<String>) -> BTreeMap<String, Secret> {
    let value = text.trim_end_matches(['\r', '\n']);
    match names.first() {
        Some(name) if names.len() == 1 && !value.is_empty() => [(name.clone(), Secret::new(value))].into(),
        _ => BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(names: &[&str], text: &str) -> Result<BTreeMap<String, String>, Error> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let given = from_text(&names, &text.into())?;
        Ok(given.into_iter().map(|(name, value)| (name, value.expose().to_owned())).collect())
    }

    fn pairs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn one_value_stands_alone_however_it_looks() {
        for value in ["made-up", "made=up", "{\"type\": \"made-up\"}", "a\nb", "ends with=="] {
            assert_eq!(read(&["A"], &format!("{value}\n")).unwrap(), pairs(&[("A", value)]), "{value}");
        }
        assert_eq!(read(&["A"], "A=made-up=\n").unwrap(), pairs(&[("A", "made-up=")]));
    }

    #[test]
    fn several_values_stand_in_lines_or_an_object() {
        let expected = pairs(&[("A", "x"), ("B", "y=z")]);
        assert_eq!(read(&["A", "B"], "A=x\n\nB=y=z\n").unwrap(), expected);
        assert_eq!(read(&["A", "B"], r#"{"A": "x", "B": "y=z", "C": 1}"#).unwrap(), expected);
    }

    #[test]
    fn a_value_that_is_missing_is_named_and_none_is_shown() {
        for text in ["", "made-up-secret", "A=made-up-secret", r#"{"A": "made-up-secret"}"#] {
            let error = read(&["A", "B"], text).unwrap_err().report();
            assert!(error.contains('B') && !error.contains("made-up-secret"), "{error}");
        }
    }
}
