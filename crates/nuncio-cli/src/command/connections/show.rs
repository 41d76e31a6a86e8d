//! `nuncio connections show`.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use nuncio_client::Redactor;
use nuncio_client::auth::hmac::TimestampFormat;
use nuncio_client::auth::oauth2::Tokens;
use nuncio_credentials::Account;
use serde_json::{Value, json};

use super::find;
use super::state::State;
use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;

pub(super) fn run(session: &Session, account: &Account, file: Option<&Path>) -> Result<(), Stop> {
    let (store, connection) = find(session, account)?;
    let service = session.catalog(file)?.get(account.service()).ok();
    let state = State::of(&connection, service.as_ref(), &session.env, session.clock.now());
    let variables: Vec<&str> = connection.variables.keys().map(String::as_str).collect();
    let key = store.key()?;
    let facts = [
        ("service", json!(account.service())),
        ("name", json!(account.name())),
        ("scheme", json!(service.as_ref().map(|service| service.auth.name()))),
        ("state", state.object()),
        ("stored", json!(variables)),
        ("created", json!(date(connection.created))),
        ("updated", json!(date(connection.updated))),
        ("tokens", connection.tokens.as_ref().map_or(Value::Null, tokens)),
        ("key", json!({ "id": key.id, "source": key.source.to_string() })),
        ("store", json!(store.path().display().to_string())),
    ];
    let mut output = Output::new(None)?;
    if session.global.json {
        let object: serde_json::Map<String, Value> =
            facts.into_iter().map(|(name, fact)| (name.to_owned(), fact)).collect();
        output.line(&Redactor::global().redact(&Value::from(object).to_string()))?;
    } else {
        for (name, fact) in facts.iter().filter(|(_, fact)| is_something(fact)) {
            output.line(&Redactor::global().redact(&format!("{name}: {}", text(fact))))?;
        }
    }
    output.flush()
}

/// What can be told of tokens.
fn tokens(tokens: &Tokens) -> Value {
    json!({
        "access_token": tokens.access_token.is_some(), "refresh_token": tokens.refresh_token.is_some(),
        "obtained": date(tokens.obtained_at), "expires": tokens.expires_at.map(date), "scopes": tokens.scopes,
        "needs_login": tokens.needs_login,
    })
}

fn text(fact: &Value) -> String {
    match fact {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let told = members.get("explained").map(text);
            let known = members.iter().filter(|(_, value)| is_something(value));
            let known = known.map(|(name, value)| match value {
                Value::Bool(_) => name.clone(),
                value => format!("{name} {}", text(value)),
            });
            told.unwrap_or_else(|| known.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// Whether there is anything to tell of `fact`.
fn is_something(fact: &Value) -> bool {
    match fact {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

fn date(time: SystemTime) -> String {
    TimestampFormat::Rfc3339.write(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}
