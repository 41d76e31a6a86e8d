//! `--jq`: a jq filter over what goes to standard output.

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Ctx, Vars, data, unwrap_valr};
use jaq_json::{Val, read, write};
use nuncio_client::{Error, Kind};

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
        let input = read::parse_single(json)
            .map_err(|error| Error::new(Kind::Decode, format!("--jq needs JSON: {error}")))?;
        let mut out = Vec::new();
        let compact = write::Pp::default();
        let context = Ctx::<data::JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        for value in self.0.id.run((context, input)).map(unwrap_valr) {
            match value {
                Ok(Val::TStr(text)) => out.extend_from_slice(&text),
                Ok(value) => {
                    write::write(&mut out, &compact, 0, &value).expect("memory takes what is written to it");
                }
                Err(error) => return Err(Error::new(Kind::Decode, format!("--jq failed: {error}"))),
            }
            out.push(b'\n');
        }
        Ok(out)
    }
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
}
