//! `--dry-run` and `--curl`: a request as it would be sent, secrets blanked.

use std::borrow::Cow;

use nuncio_client::redact::{self, BLANK};
use nuncio_client::{Call, Redactor, Request};
use serde_json::{Map, Value, json};

use crate::args::PreviewOptions;
use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;

/// Writes what would be sent.
pub(crate) fn show(
    call: Call,
    options: &PreviewOptions,
    variable: Option<&str>,
    session: &Session,
) -> Result<(), Stop> {
    let request = call.preview()?;
    let shown = match (options.curl, session.global.json) {
        (true, _) => curl(&request, variable),
        (false, true) => object(&request).to_string(),
        (false, false) => text(&request).trim_end().to_owned(),
    };
    let mut output = Output::new(None)?;
    output.line(&shown)?;
    output.flush()
}

/// The request as an HTTP message, for a person.
pub(crate) fn text(request: &Request) -> String {
    let mut out = format!("{} {}\n", request.method(), url(request));
    for (name, value) in headers(request) {
        out.push_str(&format!("{name}: {value}\n"));
    }
    if let Some(body) = body(request) {
        out.push_str(&format!("\n{body}\n"));
    }
    out
}

/// The request as one JSON object. A body that is JSON is JSON there too; one that is streamed is null.
pub(crate) fn object(request: &Request) -> Value {
    let headers: Map<String, Value> =
        headers(request).map(|(name, value)| (name.to_owned(), value.into())).collect();
    let body =
        body(request).map_or(Value::Null, |body| serde_json::from_str(&body).unwrap_or_else(|_| body.into()));
    json!({"method": request.method().as_str(), "url": url(request), "headers": headers, "body": body})
}

/// The request as a command for a shell. `variable` names the variable of the environment that has the credential.
fn curl(request: &Request, variable: Option<&str>) -> String {
    let word = |text: &str| quote(text, variable);
    let mut parts = vec![format!("curl -X {} {}", request.method(), word(&url(request)))];
    parts.extend(headers(request).map(|(name, value)| format!("-H {}", word(&format!("{name}: {value}")))));
    parts.extend(body(request).map(|body| format!("--data-binary {}", quote(&body, None))));
    parts.join(" \\\n  ")
}

/// Headers with blanks instead of secrets, but with the scheme before a blank, which tells what the secret is.
fn headers(request: &Request) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    let blanked = redact::headers(request.headers());
    request.headers().iter().zip(blanked).map(|((name, value), (_, shown))| {
        let written = value.to_str().ok().filter(|text| text.ends_with(BLANK));
        (name.as_str(), written.map_or(Cow::Owned(shown), Cow::Borrowed))
    })
}

fn url(request: &Request) -> String {
    redact::url(request.uri())
}

fn body(request: &Request) -> Option<String> {
    let Some(bytes) = request.body().as_bytes() else { return Some("(a body that is streamed)".to_owned()) };
    let clean = Redactor::global().redact_bytes(bytes);
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(&clean).into_owned())
}

/// One word for a POSIX shell. A blank in it becomes a reference to `variable`.
pub(crate) fn quote(text: &str, variable: Option<&str>) -> String {
    match variable {
        Some(variable) if text.contains(BLANK) => {
            let escaped: String = text.chars().fold(String::new(), |mut out, c| {
                if matches!(c, '"' | '$' | '`' | '\\') {
                    out.push('\\');
                }
                out.push(c);
                out
            });
            format!("\"{}\"", escaped.replace(BLANK, &format!("${{{variable}}}")))
        }
        _ => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use nuncio_client::auth::Auth;

    use super::*;

    fn request() -> Request {
        let body = r#"{"note":"it's"}"#.to_owned();
        let mut request = http::Request::post("https://api.example.com/a?b=c%20d")
            .body(nuncio_client::Body::from(body))
            .unwrap();
        Auth::bearer("made-up-token".into()).preview(&mut request).unwrap();
        request
    }

    #[test]
    fn a_curl_command_is_quoted_and_names_the_variable() {
        assert_eq!(
            curl(&request(), Some("TOKEN")),
            "curl -X POST 'https://api.example.com/a?b=c%20d' \\\n  \
             -H \"authorization: Bearer ${TOKEN}\" \\\n  \
             --data-binary '{\"note\":\"it'\\''s\"}'"
        );
        assert!(curl(&request(), None).contains("-H 'authorization: Bearer ***'"));
    }

    #[test]
    fn a_preview_shows_everything_but_the_secret() {
        assert_eq!(
            text(&request()),
            "POST https://api.example.com/a?b=c%20d\nauthorization: Bearer ***\n\n{\"note\":\"it's\"}\n"
        );
        assert_eq!(object(&request())["body"]["note"], "it's");
    }

    #[test]
    fn a_dollar_in_a_quoted_word_is_no_variable() {
        assert_eq!(quote("$x *** `y`", Some("TOKEN")), r#""\$x ${TOKEN} \`y\`""#);
    }
}
