//! Answers held against a JSON Schema.

use std::fmt;

use serde_json::Value;

use crate::{Answer, Error, Kind};

/// How many mismatches an error names.
const MAX_NAMED: usize = 5;

/// What happens to an answer that does not fit its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnMismatch {
    /// It is reported and passed on.
    Warn,
    /// It is an error.
    Fail,
}

/// A compiled JSON Schema, draft 4 to 2020-12. References to other documents are not followed.
pub struct Schema(jsonschema::Validator);

impl Schema {
    /// Compiles `schema`.
    ///
    /// # Errors
    /// [`Kind::Configuration`] when it is not a valid schema or refers to another document.
    pub fn new(schema: &Value) -> Result<Self, Error> {
        let compiled = jsonschema::validator_for(schema)
            .map_err(|error| Error::configuration(format!("the JSON Schema cannot be used: {error}")))?;
        Ok(Self(compiled))
    }

    /// What in `document` does not fit, as lines such as `/items/0/id: 7 is not of type "string"`; empty when all fits.
    #[must_use]
    pub fn mismatches(&self, document: &Value) -> Vec<String> {
        self.0
            .iter_errors(document)
            .map(|error| {
                let place = error.instance_path().to_string();
                if place.is_empty() { error.to_string() } else { format!("{place}: {error}") }
            })
            .collect()
    }

    pub(super) fn hold(
        &self,
        answer: Answer,
        on_mismatch: OnMismatch,
        warn: impl Fn(&str),
    ) -> Result<Answer, Error> {
        let mismatches = self.mismatches(&answer.value()?);
        if mismatches.is_empty() {
            return Ok(answer);
        }
        let named = mismatches.iter().take(MAX_NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
        let rest = mismatches.len().saturating_sub(MAX_NAMED);
        let more = if rest > 0 { format!(" (and {rest} more)") } else { String::new() };
        let message = format!("the answer does not fit its schema: {named}{more}");
        match on_mismatch {
            OnMismatch::Warn => {
                warn(&message);
                Ok(answer)
            }
            OnMismatch::Fail => Err(Error::new(Kind::Validation, message).answered(answer)),
        }
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schema")
    }
}
