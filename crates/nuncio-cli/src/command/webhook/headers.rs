//! The headers of a webhook as they arrived: any bytes, any number of a name.

use std::ffi::{OsStr, OsString};

use http::HeaderName;
use nuncio_client::Error;

use crate::values;

/// `-H` of a command line: `NAME: VALUE`, or `@FILE` with one on each line.
pub(super) fn parse(words: &[OsString]) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut headers = Vec::new();
    for word in words {
        match word.as_encoded_bytes().strip_prefix(b"@") {
            Some(_) => headers.extend(from_file(word)?),
            None => headers.push(header(word.as_encoded_bytes())?),
        }
    }
    Ok(headers)
}

fn from_file(word: &OsStr) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let path = word.to_str().and_then(|word| word.strip_prefix('@'));
    let path = path.ok_or_else(|| Error::configuration("the path behind -H @ is not text in UTF-8"))?;
    let bytes = values::read_bytes(path)?;
    let lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines
        .filter(|line| !line.is_empty())
        .map(|line| header(line).map_err(|error| error.noting(format_args!("it stands in {path}"))))
        .collect()
}

/// The value without white space around it, which HTTP does not count as part of it (RFC 9110, section 5.5).
fn header(line: &[u8]) -> Result<(String, Vec<u8>), Error> {
    // The value may be a secret and is not repeated.
    let refused = |what: &str| {
        Error::configuration(what)
            .advise("write -H 'NAME: VALUE' as it arrived, or -H @FILE for a file of such lines")
    };
    let colon = line.iter().position(|byte| *byte == b':').ok_or_else(|| refused("a header has no colon"))?;
    let name = HeaderName::from_bytes(line[..colon].trim_ascii())
        .map_err(|_| refused("what stands before the colon is no name of a header"))?;
    let value = line[colon + 1..].trim_ascii();
    if value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | b'\0')) {
        return Err(refused(&format!(
            "the value of the header {name} has a character that no header can carry"
        )));
    }
    Ok((name.to_string(), value.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Result<(String, Vec<u8>), Error> {
        header(text.as_bytes())
    }

    #[test]
    fn a_value_is_any_text_without_the_white_space_around_it() {
        assert_eq!(one("X-A:\tb: c \u{e9} ").unwrap(), ("x-a".to_owned(), "b: c é".as_bytes().to_vec()));
        assert_eq!(one("X-A:").unwrap().1, b"");
        assert_eq!(header(b"x: \xff").unwrap().1, b"\xff");
    }

    #[test]
    fn a_mistake_is_told_and_the_value_is_not_repeated() {
        for text in ["made-up-token", "X Y: made-up-token", ": made-up-token", "X: made-up\rtoken"] {
            let report = one(text).unwrap_err().report();
            assert!(report.contains("-H 'NAME: VALUE'") && !report.contains("made-up"), "{report}");
        }
    }
}
