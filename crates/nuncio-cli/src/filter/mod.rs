//! `--jq`: a jq filter over what goes to standard output.

use futures_util::stream::{self, Stream, StreamExt as _};
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Ctx, Vars, data, unwrap_valr};
use jaq_json::{Val, read, write};
use nuncio_client::pages::{Item, Record};
use nuncio_client::{Error, Kind};

/// How deep arrays and objects may nest, as everywhere in nuncio. jaq reads them, shows them and drops them by recursion.
const MAX_DEPTH: usize = 128;

/// A compiled jq filter.
pub(crate) struct Filter(jaq_core::Filter<data::JustLut<Val>>);

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
        let filter =
            jaq_core::Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
                let unknown: Vec<&str> =
                    errors.iter().flat_map(|(_, errors)| errors.iter().map(|(name, _)| *name)).collect();
                refused(format!("uses what is not defined: {}", unknown.join(", ")))
            })?;
        Ok(Self(filter))
    }

    /// What the filter makes of `json`, a line each: text without its quotes, all else as JSON.
    ///
    /// # Errors
    /// [`Kind::Decode`] when `json` is not JSON or the filter fails on it.
    pub(crate) fn apply(&self, json: &[u8]) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        self.run(json, |value| {
            match &value {
                Val::TStr(text) => out.extend_from_slice(text),
                value => write(&mut out, value),
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
        self.run(record.as_bytes(), |value| {
            let mut json = Vec::new();
            write(&mut json, &value);
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

    fn run(&self, json: &[u8], mut each: impl FnMut(Val) -> Result<(), Error>) -> Result<(), Error> {
        if may_be_deep(json) && depth(json) > MAX_DEPTH {
            return Err(Error::new(Kind::Decode, format!("the JSON nests deeper than {MAX_DEPTH}")));
        }
        let input = read::parse_single(json)
            .map_err(|error| Error::new(Kind::Decode, format!("--jq needs JSON: {error}")))?;
        let context = Ctx::<data::JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        for value in self.0.id.run((context, input)).map(unwrap_valr) {
            each(value.map_err(|error| Error::new(Kind::Decode, format!("--jq failed: {error}")))?)?;
        }
        Ok(())
    }
}

fn write(out: &mut Vec<u8>, value: &Val) {
    write::write(out, &write::Pp::default(), 0, value).expect("memory takes what is written to it");
}

/// Whether `json` has brackets enough to be deeper than it may be. Few records have, and counting is many times faster than looking at
/// what is text.
fn may_be_deep(json: &[u8]) -> bool {
    json.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() > MAX_DEPTH
}

/// How deep `json` nests.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut is_escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(code: &str, json: &str) -> Result<String, Error> {
        Ok(String::from_utf8(Filter::new(code)?.apply(json.as_bytes())?).unwrap())
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
