//! `nuncio connections show`.

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

pub(super) fn run(session: &Session, account: &Account) -> Result<(), Stop> {
    let (store, connection) = find(session, account)?;
    let service = session.catalog(None)?.get(account.service()).ok();
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
        for (name, fact) in facts.iter().filter(|(_, fact)| !fact.is_null()) {
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
            let known = members.iter().filter(|(_, value)| !value.is_null());
            told.unwrap_or_else(|| {
                known.map(|(name, value)| format!("{name} {}", text(value))).collect::<Vec<_>>().join(", ")
            })
        }
        other => other.to_string(),
    }
}

fn date(time: SystemTime) -> String {
    TimestampFormat::Rfc3339.write(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}
