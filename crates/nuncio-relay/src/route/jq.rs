//! jq expressions over events.
//!
//! They run where events come in, and jq has no clock to stop one by. So what can go on for ever is not there: no definitions, which may call
//! themselves, and none of `range`, `repeat`, `recurse(f)`, `while` and `until`. Neither is what reaches out of the event: `env`, `input`, `now`.

use std::fmt;

use jaq_core::load::lex::{StrPart, Tok, Token};
use jaq_core::load::{Arena, File, Lexer, Loader};
use jaq_core::{Ctx, Vars, data, unwrap_valr};
use jaq_json::{Val, write};
use nuncio_client::Error;

/// What an expression may not name.
const LEFT_OUT: &[&str] = &[
    "$ENV",
    "combinations",
    "debug",
    "def",
    "env",
    "halt",
    "halt_error",
    "input",
    "inputs",
    "now",
    "range",
    "repeat",
    "stderr",
    "until",
    "while",
];

/// A jq expression over an event.
pub(crate) struct Jq {
    code: String,
    filter: jaq_core::Filter<data::JustLut<Val>>,
}

impl Jq {
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) for text that is no expression, or one that is not allowed here.
    pub(crate) fn new(code: &str) -> Result<Self, Error> {
        let refused = |what: String| {
            Error::configuration(format!("the jq expression {code:?} {what}"))
                .advise("it is asked of {id, type, headers, body}, such as .body.amount > 100")
        };
        let tokens = Lexer::new(code).lex().map_err(|_| refused("is not jq".to_owned()))?;
        if let Some(name) = left_out(&tokens) {
            return Err(refused(format!("uses {name}, which an event is not asked by")));
        }
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let arena = Arena::default();
        let modules = Loader::new(definitions)
            .load(&arena, File { path: (), code })
            .map_err(|_| refused("is not jq".to_owned()))?;
        let compiler = jaq_core::Compiler::default().with_funs(functions);
        let filter = compiler.compile(modules).map_err(|errors| {
            let unknown: Vec<&str> =
                errors.iter().flat_map(|(_, errors)| errors.iter().map(|(name, _)| *name)).collect();
            refused(format!("uses what is not there: {}", unknown.join(", ")))
        })?;
        Ok(Self { code: code.to_owned(), filter })
    }

    /// The first value that it gives, if it gives one.
    ///
    /// # Errors
    /// What jq says.
    pub(super) fn first(&self, subject: &Val) -> Result<Option<Val>, String> {
        let context = Ctx::<data::JustLut<Val>>::new(&self.filter.lut, Vars::new([]));
        let first = self.filter.id.run((context, subject.clone())).map(unwrap_valr).next();
        first.transpose().map_err(|error| error.to_string())
    }

    /// Whether the first value is neither `null` nor `false`.
    ///
    /// # Errors
    /// What jq says.
    pub(crate) fn truth(&self, subject: &Val) -> Result<bool, String> {
        Ok(!matches!(self.first(subject)?, None | Some(Val::Null | Val::Bool(false))))
    }

    /// The first value as JSON, if it gives one that JSON has.
    ///
    /// # Errors
    /// What jq says.
    pub(crate) fn value(&self, subject: &Val) -> Result<Option<serde_json::Value>, String> {
        let first = self.first(subject)?;
        first
            .map(|value| serde_json::from_slice(&json(&value)).map_err(|error| error.to_string()))
            .transpose()
    }

    /// Likewise. What fails does not hold.
    pub(super) fn holds(&self, subject: &Val) -> bool {
        match self.truth(subject) {
            Ok(holds) => holds,
            Err(error) => {
                tracing::warn!(jq = self.code, error, "an expression failed, and so did not hold");
                false
            }
        }
    }

    /// The first value as text: a text without its quotes, all else as JSON. Nothing for `null`, and where it fails.
    pub(crate) fn text(&self, subject: &Val) -> Option<String> {
        match self.first(subject) {
            Ok(None | Some(Val::Null)) => None,
            Ok(Some(value)) => Some(String::from_utf8_lossy(&text(&value)).into_owned()),
            Err(error) => {
                tracing::warn!(jq = self.code, error, "an expression failed, and gave nothing");
                None
            }
        }
    }
}

/// A value as it goes out.
pub(super) fn json(value: &Val) -> Vec<u8> {
    let mut out = Vec::new();
    write::write(&mut out, &write::Pp::default(), 0, value).expect("memory takes what is written to it");
    out
}

fn text(value: &Val) -> Vec<u8> {
    match value {
        Val::TStr(text) => text.to_vec(),
        value => json(value),
    }
}

/// What stands there that may not, if anything does. The name of a field is no matter.
fn left_out<'c>(tokens: &[Token<&'c str>]) -> Option<&'c str> {
    tokens.iter().enumerate().find_map(|(index, Token(text, kind))| {
        let next = tokens.get(index + 1);
        let is_field =
            index.checked_sub(1).is_some_and(|before| matches!(tokens[before], Token(".", Tok::Sym)))
                || matches!(next, Some(Token(":", Tok::Sym)));
        match kind {
            Tok::Block(inner) => left_out(inner),
            Tok::Str(parts) => parts.iter().find_map(|part| match part {
                StrPart::Term(term) => left_out(std::slice::from_ref(term)),
                StrPart::Str(_) | StrPart::Char(_) => None,
            }),
            Tok::Word | Tok::Var if !is_field => {
                // Without an argument it ends where the event does.
                let has_argument = matches!(next, Some(Token(text, Tok::Block(_))) if text.starts_with('('));
                let is_left_out = LEFT_OUT.contains(text) || (*text == "recurse" && has_argument);
                is_left_out.then_some(*text)
            }
            _ => None,
        }
    })
}

impl fmt::Debug for Jq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Jq").field(&self.code).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_go_on_for_ever_or_reaches_out_is_refused() {
        for code in [
            "def f: f; f",
            "repeat(1)",
            "recurse(.)",
            "last(range(1e15))",
            "until(false; .)",
            "[while(true; .)]",
            "env.HOME",
            "$ENV.HOME",
            "input",
            "[inputs]",
            "now",
            "halt",
            "debug",
            "\"\\(env)\"",
            "[1 | {a: now}]",
            "1 | def g: g; g",
        ] {
            let error = Jq::new(code).expect_err(code).to_string();
            assert!(error.contains("the jq expression"), "{error}");
        }
    }

    #[test]
    fn what_people_write_is_there() {
        for code in [
            ".body.amount > 100",
            ".type | startswith(\"invoice.\")",
            ".headers[\"x-shop\"]",
            "..",
            ".def, .now, {input: .range, while: 1}, \"def now\"",
            "[.body[]? | .id] | length > 2",
            ".body | to_entries | map(select(.value != null)) | from_entries",
            "any(.body.items[]; .sku == \"a\")",
            ".body.at | fromdate",
            ".body.name | test(\"^a\")",
            "reduce .body[] as $x (0; . + $x)",
            "{text: \"new: \\(.body.id)\"}",
            "walk(if type == \"number\" then . + 1 end)",
            ".body | tojson | @base64",
        ] {
            Jq::new(code).unwrap();
        }
    }
}
