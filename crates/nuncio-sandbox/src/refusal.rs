//! Failures in the service's own words.

use std::time::Duration;

use nuncio_service::model::{Errors, Failure};
use nuncio_service::{Scope, Service, Template};
use serde_json::{Value, json};

use crate::answer::{Answer, put};
use crate::fault::Saying;

/// Why a request is not done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Refusal {
    /// The credentials are missing or wrong.
    Auth,
    /// There is no such object; the input `by` should have named it.
    NotFound { by: String, message: String },
    /// An input is missing or wrong.
    Input { param: String, message: String },
    /// An idempotency key came again with another request.
    Idempotency,
    /// A limit is reached for so long.
    Limit { wait: Duration },
    /// A fault wants this status.
    Fault { status: u16, saying: Saying },
    /// The service file makes no sense here.
    Broken(String),
}

impl Refusal {
    /// The answer, by the words of `service` and the places in `errors`.
    pub(crate) fn answer(&self, service: &Service, errors: &Errors, scope: Scope) -> Answer {
        let (status, failure, message, param) = self.defaults(service);
        let saying = if let Self::Fault { saying, .. } = self { saying.clone() } else { Saying::default() };
        let by = if let Self::NotFound { by, .. } = self { by.as_str() } else { "" };
        let scope = scope.with("by", json!(by));
        let text = |template: &Option<Template>| template.as_ref().and_then(|it| it.text(&scope).ok());
        let code = saying.code.or_else(|| text(&failure.code));
        let message = saying.message.or_else(|| text(&failure.message)).unwrap_or(message);
        let class = saying.class.or_else(|| failure.class.clone());
        let headers: Vec<_> = failure
            .headers
            .iter()
            .filter_map(|(name, it)| Some((name.clone(), it.text(&scope).ok()?)))
            .collect();

        let body = match &service.sandbox.errors {
            Some(tree) => {
                let scope = scope
                    .with("status", json!(status))
                    .with("type", json!(class))
                    .with("code", json!(code))
                    .with("message", json!(message))
                    .with("param", json!(param));
                tree.render(&scope).unwrap_or_else(|error| json!({ "message": error.report() }))
            }
            None => by_places(errors, code, &message, class),
        };
        let mut answer = Answer::json(status, body);
        for (name, value) in headers {
            answer = answer.with_header(&name, &value);
        }
        let wait = match self {
            Self::Limit { wait } => Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)),
            _ => saying.retry_after,
        };
        match wait {
            Some(secs) => answer.with_header("Retry-After", &secs.to_string()),
            None => answer,
        }
    }

    /// What GraphQL says in place of the service's own words, unless it never got that far.
    pub(crate) fn graphql_message(&self) -> Option<&str> {
        match self {
            Self::NotFound { message, .. } | Self::Input { message, .. } | Self::Broken(message) => {
                Some(message)
            }
            Self::Auth | Self::Idempotency | Self::Limit { .. } | Self::Fault { .. } => None,
        }
    }

    /// Status, the service's words, a message for when it has none, and the input it is about.
    fn defaults(&self, service: &Service) -> (u16, Failure, String, Option<String>) {
        let failures = &service.sandbox.failures;
        let (status, failure, message, param) = match self {
            Self::Auth => (401, &failures.auth, "the credentials are missing or wrong".to_owned(), None),
            Self::NotFound { by, message } => (404, &failures.not_found, message.clone(), Some(by.clone())),
            Self::Input { param, message } => (400, &failures.input, message.clone(), Some(param.clone())),
            Self::Idempotency => {
                let message = "this idempotency key was used with another request".to_owned();
                (409, &failures.idempotency, message, None)
            }
            Self::Limit { .. } => (429, &failures.limit, "too many requests".to_owned(), None),
            Self::Fault { status, .. } => {
                let failure = match status {
                    401 => failures.auth.clone(),
                    429 => failures.limit.clone(),
                    _ => Failure::default(),
                };
                return (*status, failure, format!("the sandbox was asked to answer {status}"), None);
            }
            Self::Broken(message) => return (500, Failure::default(), message.clone(), None),
        };
        (failure.status.unwrap_or(status), failure.clone(), message, param.filter(|param| !param.is_empty()))
    }
}

fn by_places(errors: &Errors, code: Option<String>, message: &str, class: Option<String>) -> Value {
    let mut body = json!({});
    let places = [(&errors.code, code), (&errors.message, Some(message.to_owned())), (&errors.class, class)];
    for (place, text) in places {
        if let (Some(place), Some(text)) = (place, text) {
            put(&mut body, place.steps(), Value::String(text));
        }
    }
    if errors.message.is_none() {
        put(&mut body, &["message".to_owned()], json!(message));
    }
    body
}

#[cfg(test)]
mod tests {
    use nuncio_service::Env;

    use super::*;

    fn answer(sandbox: &str, refusal: &Refusal) -> Answer {
        let text = format!(
            "service: example\nbase_url: https://api.example.com\nerrors: {{ code: error.code, message: error.text }}\n{sandbox}"
        );
        let service = Service::from_yaml(&text, "example.yaml").expect("a service");
        refusal.answer(&service, &service.errors, Scope::new(&Env::default()))
    }

    #[test]
    fn without_words_of_the_service_the_places_in_errors_are_filled() {
        let answer = answer("", &Refusal::Input { param: "name".to_owned(), message: "no name".to_owned() });
        assert_eq!(
            (answer.status.as_u16(), answer.body),
            (400, Some(json!({ "error": { "text": "no name" } })))
        );
    }

    #[test]
    fn a_fault_says_what_it_is_told_and_else_what_the_service_says() {
        let words = "sandbox: { failures: { limit: { status: 403, code: slow_down, headers: { Try-Again: \"yes\" } } } }";
        let fault = |saying| Refusal::Fault { status: 429, saying };
        let plain = answer(words, &fault(Saying::default()));
        assert_eq!(
            (plain.status.as_u16(), &plain.body.unwrap()["error"]["code"]),
            (429, &json!("slow_down"))
        );
        assert_eq!(plain.headers["try-again"], "yes");
        let told = Saying { code: Some("other".to_owned()), retry_after: Some(3), ..Saying::default() };
        let told = answer(words, &fault(told));
        assert_eq!(
            (&told.headers["retry-after"], &told.body.unwrap()["error"]["code"]),
            (&"3".parse().unwrap(), &json!("other"))
        );
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_and_never_too_short() {
        let answer = answer("", &Refusal::Limit { wait: Duration::from_millis(1200) });
        assert_eq!((answer.status.as_u16(), &answer.headers["retry-after"]), (429, &"2".parse().unwrap()));
    }
}
