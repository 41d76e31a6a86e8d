//! Standard output: data and nothing else.

use std::io::{BufWriter, IsTerminal as _, Stdout, Write as _};

use nuncio_client::pages::Record;
use nuncio_client::{Answer, Error, Redactor};
use serde_json::value::RawValue;

use crate::exit::Stop;
use crate::filter::Filter;

/// Writes data, through the filter where there is one.
pub(crate) struct Output {
    filter: Option<Filter>,
    out: BufWriter<Stdout>,
    is_terminal: bool,
}

impl Output {
    /// # Errors
    /// Those of [`Filter::new`].
    pub(crate) fn new(filter: Option<&str>) -> Result<Self, Error> {
        let filter = filter.map(Filter::new).transpose()?;
        let stdout = std::io::stdout();
        let is_terminal = stdout.is_terminal();
        Ok(Self { filter, out: BufWriter::with_capacity(64 * 1024, stdout), is_terminal })
    }

    /// The body of a good answer: untouched, byte for byte, in a pipe; JSON over several lines on a terminal.
    pub(crate) fn body(&mut self, answer: &Answer) -> Result<(), Stop> {
        if let Some(filter) = &self.filter {
            let lines = filter.apply(&answer.body)?;
            self.write(&lines)?;
        } else if self.is_terminal {
            let body = pretty(&answer.body);
            self.write(&body)?;
            self.end_line(&body)?;
        } else {
            self.write(&answer.body)?;
        }
        self.flush()
    }

    /// The body of a failure, which is still what the server answered. Servers echo what they refuse, so secrets in it are blanked.
    pub(crate) fn failure(&mut self, error: &Error) -> Result<(), Stop> {
        if let Some(answer) = error.answer() {
            self.write(&Redactor::global().redact_bytes(&answer.body))?;
            self.end_line(&answer.body)?;
        }
        self.flush()
    }

    /// One record, on a line of its own.
    pub(crate) fn record(&mut self, record: &Record) -> Result<(), Stop> {
        match &self.filter {
            Some(filter) => {
                let lines = filter.apply(record.bytes())?;
                self.write(&lines)
            }
            None => {
                self.write(&record.line())?;
                self.write(b"\n")
            }
        }
    }

    /// Bytes as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.write(bytes)?;
        self.flush()
    }

    /// Text with its line end.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Stop> {
        self.write(text.as_bytes())?;
        self.write(b"\n")
    }

    /// Hands everything on. Whoever reads a page of records should have it before the next is fetched.
    pub(crate) fn flush(&mut self) -> Result<(), Stop> {
        self.out.flush().map_err(Stop::writing)
    }

    fn end_line(&mut self, body: &[u8]) -> Result<(), Stop> {
        if self.is_terminal && !body.is_empty() && !body.ends_with(b"\n") {
            self.write(b"\n")
        } else {
            Ok(())
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.out.write_all(bytes).map_err(Stop::writing)
    }
}

/// JSON over several lines, numbers as they were written; anything else as it is.
fn pretty(body: &[u8]) -> Vec<u8> {
    let parsed: Result<&RawValue, _> = serde_json::from_slice(body);
    match parsed {
        Ok(json) => indent(json.get()),
        Err(_) => body.to_owned(),
    }
}

/// Only white space is changed, so that every number keeps its digits.
fn indent(json: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut escaped = false;
    let mut bytes = json.bytes().peekable();
    let new_line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.resize(out.len() + 2 * depth, b' ');
    };
    while let Some(byte) = bytes.next() {
        if in_text {
            out.push(byte);
            in_text = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' => {}
            b'{' | b'[' => {
                out.push(byte);
                while bytes.next_if(u8::is_ascii_whitespace).is_some() {}
                if bytes.peek().is_some_and(|next| matches!(next, b'}' | b']')) {
                    out.extend(bytes.next());
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                new_line(&mut out, depth);
            }
            b':' => out.extend(b": "),
            b'"' => {
                in_text = true;
                out.push(byte);
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_for_a_terminal_differs_in_white_space_alone() {
        let json = br#"{"a":[1.10,{}, [] ],"b":"x: {\"y\", [","c":98765432109876543210987}"#;
        let expected = r#"{
  "a": [
    1.10,
    {},
    []
  ],
  "b": "x: {\"y\", [",
  "c": 98765432109876543210987
}"#;
        assert_eq!(String::from_utf8(pretty(json)).unwrap(), expected);
        assert_eq!(pretty(b"<html>"), b"<html>");
    }
}
