//! Everything that is not data: explanations, the wire log, progress.

use std::io::Write as _;

use nuncio_client::{Error, Redactor};
use serde_json::{Map, Value, json};

/// Writes a line, secrets blanked. There is nobody to tell when that fails.
pub(crate) fn line(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", Redactor::global().redact(text));
}

/// Writes a line as it is, for what has to be shown to be used: the address of a login page, whose `state` is a secret elsewhere.
pub(crate) fn verbatim(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Writes a question, behind which the answer is typed.
pub(crate) fn part(text: &str) {
    let mut out = std::io::stderr();
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}

/// Explains an error: for a person, or as one JSON object on one line.
pub(crate) fn report(error: &Error, as_json: bool) {
    if as_json {
        line(&json!({ "error": object(error) }).to_string());
    } else {
        line(&format!("nuncio: {}", error.report()));
    }
}

/// An error as an object with stable keys; what is not known is left out.
pub(crate) fn object(error: &Error) -> Value {
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    let answer = error.answer();
    let history = error.history();
    let members = [
        ("kind", Some(json!(error.kind().name()))),
        ("exit_code", Some(json!(crate::exit::code(error)))),
        ("message", Some(json!(error.to_string()))),
        ("causes", (!causes.is_empty()).then(|| json!(causes))),
        ("help", error.advice().map(Value::from)),
        ("operation", error.operation().map(Value::from)),
        ("method", error.method().map(|method| json!(method.as_str()))),
        ("url", error.url().map(Value::from)),
        ("status", error.status().map(|status| json!(status.as_u16()))),
        ("code", error.code().map(Value::from)),
        ("server_message", answer.and_then(|answer| answer.message.as_deref()).map(Value::from)),
        ("request_id", answer.and_then(|answer| answer.request_id()).map(Value::from)),
        ("attempts", (!history.attempts().is_empty()).then(|| json!(history.attempts().len()))),
        ("waited_secs", (!history.attempts().is_empty()).then(|| json!(history.total_wait().as_secs_f64()))),
        ("retry_after_secs", error.retry_after().map(|after| json!(after.as_secs_f64()))),
    ];
    let known = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(known.collect::<Map<_, _>>())
}
