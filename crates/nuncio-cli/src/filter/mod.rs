//! `--jq`: a jq filter over what goes to standard output.
//!
//! What a filter costs is mostly what jq's own values cost. So only as much of a record becomes such values as the filter looks at, and
//! they are read and written by ways of our own, which leave to jaq whatever is not plain JSON.

mod read;
mod reads;
mod write;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Ctx, Vars, data, unwrap_valr};
use jaq_json::{Rc, Val};
use nuncio_client::json::depth;
use nuncio_client::pages::{Item, Record};
use nuncio_client::{Error, Kind};

use reads::Reads;

/// How deep arrays and objects may nest, as everywhere in nuncio. jaq reads them, shows them and drops them by recursion.
const MAX_DEPTH: u32 = 128;

/// Room for what most records become.
const OUTPUT_BYTES: usize = 256;

/// A compiled jq filter.
pub(crate) struct Filter {
    compiled: jaq_core::Filter<data::JustLut<Val>>,
    reads: Reads,
    /// Whether it may hand on its input as it is, which is then more than what it `reads`.
    returns_input: bool,
}

impl Filter {
    /// # Errors
    /// [`Kind::Configuration`] for text that is no filter.
    pub(crate) fn new(code: &str) -> Result<Self, Error> {
        let refused = |what: String| {
            Error::configuration(format!("the filter {code:?} {what}"))
                .advise("--jq takes a jq filter, such as .data[].id")
        };
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let arena = Arena::default();
        let modules = Loader::new(definitions)
            .load(&arena, File { path: (), code })
            .map_err(|_| refused("is not jq".to_owned()))?;
        let compiled =
            jaq_core::Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
                let unknown: Vec<&str> =
                    errors.iter().flat_map(|(_, errors)| errors.iter().map(|(name, _)| *name)).collect();
                refused(format!("uses what is not defined: {}", unknown.join(", ")))
            })?;
        let (reads, returns_input) = Reads::of(code);
        Ok(Self { compiled, reads, returns_input })
    }

    /// What the filter makes of `json`, a line each: text without its quotes, all else as JSON.
    ///
    /// # Errors
    /// [`Kind::Decode`] when `json` is not JSON or the filter fails on it.
    pub(crate) fn apply(&self, json: &Bytes) -> Result<Vec<u8>, Error> {
        let mut out = Vec::with_capacity(OUTPUT_BYTES);
        self.run(json, |value| {
            match value {
                Val::TStr(text) => out.extend_from_slice(text),
                value => write::write(&mut out, value),
            }
            out.push(b'\n');
            Ok(())
        })?;
        Ok(out)
    }

    /// The same as records.
    ///
    /// # Errors
    /// As there.
    fn records(&self, record: &Record) -> Result<Vec<Record>, Error> {
        let mut records = Vec::new();
        self.run(record.bytes(), |value| {
            let mut json = Vec::with_capacity(OUTPUT_BYTES);
            write::write(&mut json, value);
            records.push(Record::from_json(json)?);
            Ok(())
        })?;
        Ok(records)
    }

    /// The items of a list with what the filter makes of each record in its place.
    pub(crate) fn list(
        self,
        items: impl Stream<Item = Result<Item, Error>>,
    ) -> impl Stream<Item = Result<Item, Error>> {
        let mut read = 0_u64;
        items.flat_map(move |item| {
            let Ok(Item::Record(record)) = item else { return stream::iter(vec![item]) };
            read += 1;
            stream::iter(match self.records(&record) {
                Ok(records) => records.into_iter().map(|record| Ok(Item::Record(record))).collect(),
                Err(error) => vec![Err(error.noting(format_args!("on record {read} of this run")))],
            })
        })
    }

    fn run(&self, json: &Bytes, mut each: impl FnMut(&Val) -> Result<(), Error>) -> Result<(), Error> {
        let part = read::read(json, &self.reads);
        let returned = part.clone().filter(|_| self.returns_input);
        let input = part.map_or_else(|| whole(json), Ok)?;
        let context = Ctx::<data::JustLut<Val>>::new(&self.compiled.lut, Vars::new([]));
        for value in self.compiled.id.run((context, input)).map(unwrap_valr) {
            let value = value.map_err(|error| Error::new(Kind::Decode, format!("--jq failed: {error}")))?;
            if returned.as_ref().is_some_and(|input| is_the_same(input, &value)) {
                each(&whole(json)?)?;
            } else {
                each(&value)?;
            }
        }
        Ok(())
    }
}

/// All of `json`.
fn whole(json: &Bytes) -> Result<Val, Error> {
    if let Some(value) = read::read(json, &Reads::All) {
        return Ok(value);
    }
    if may_be_deep(json) && depth(json) > MAX_DEPTH {
        return Err(Error::new(Kind::Decode, format!("the JSON nests deeper than {MAX_DEPTH}")));
    }
    jaq_json::read::parse_single(json)
        .map_err(|error| Error::new(Kind::Decode, format!("--jq needs JSON: {error}")))
}

/// Whether they are one container, and not only equal. What is no container is always whole.
fn is_the_same(one: &Val, other: &Val) -> bool {
    match (one, other) {
        (Val::Arr(one), Val::Arr(other)) => Rc::ptr_eq(one, other),
        (Val::Obj(one), Val::Obj(other)) => Rc::ptr_eq(one, other),
        _ => false,
    }
}

/// Whether `json` has brackets enough to be deeper than it may be. Few records have, and counting is many times faster than looking at
/// what is text.
fn may_be_deep(json: &[u8]) -> bool {
    json.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() > MAX_DEPTH as usize
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(code: &str, json: &str) -> Result<String, Error> {
        Ok(String::from_utf8(Filter::new(code)?.apply(&Bytes::copy_from_slice(json.as_bytes()))?).unwrap())
    }

    #[test]
    fn each_value_is_a_line_and_text_has_no_quotes() {
        let json = r#"{"data": [{"id": "a b"}, {"id": 7}, {"id": null}]}"#;
        assert_eq!(apply(".data[].id", json).unwrap(), "a b\n7\nnull\n");
        assert_eq!(apply(".data[1]", json).unwrap(), "{\"id\":7}\n");
    }

    #[test]
    fn numbers_keep_every_digit() {
        assert_eq!(apply(".n", r#"{"n": 98765432109876543210987}"#).unwrap(), "98765432109876543210987\n");
        assert_eq!(apply(".n", r#"{"n": 1234567890.12345678901}"#).unwrap(), "1234567890.12345678901\n");
    }

    #[test]
    fn mistakes_name_the_filter() {
        assert_eq!(apply(".[", "1").unwrap_err().to_string(), r#"the filter ".[" is not jq"#);
        let error = apply("fliter", "1").unwrap_err();
        assert_eq!(error.to_string(), r#"the filter "fliter" uses what is not defined: fliter"#);
        assert_eq!(apply(".a", "<html>").unwrap_err().kind(), Kind::Decode);
        assert_eq!(apply(".a", "7").unwrap_err().kind(), Kind::Decode);
    }

    #[test]
    fn json_that_nests_deeper_than_any_stack_is_an_error() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            for depth in [200, 1_000_000] {
                let json = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                let error = apply(".", &json).unwrap_err();
                assert_eq!(error.kind(), Kind::Decode);
                assert!(error.to_string().contains("nests deeper"), "{error}");
            }
        }
    }

    #[test]
    fn brackets_within_text_are_no_depth() {
        let json = format!(r#"{{"a": "\"{}\\", "b": [1]}}"#, "[".repeat(1000));
        assert_eq!(depth(json.as_bytes()), 2);
        assert_eq!(apply(".b[0]", &json).unwrap(), "1\n");
    }
}
