//! What the types of a config file cannot say, told where it stands.

use nuncio_client::Error;
use nuncio_relay::Directory;
use nuncio_relay::store::DocumentKind;
use nuncio_service::Env;

use super::Config;
use crate::registry::{MAX_NAME, check_origin, is_name};

/// Tells every mistake with the keys that lead to it.
pub(super) fn check(config: &Config, env: &Env, tell: &mut dyn FnMut(&[&str], String)) {
    for (name, token) in &config.tokens {
        if let Err(error) = token.stored(env) {
            tell(&["tokens", name], error.to_string());
        }
    }
    let all = match config.settings() {
        Ok(all) => all,
        Err(error) => return tell(&[], error.to_string()),
    };
    for document in &all {
        let place = [key(document.kind), document.name.as_str()];
        if !is_name(&document.name) {
            tell(&place, format!("a name has 1 to {MAX_NAME} letters, digits, `.`, `_` and `-`"));
        }
        if let Err(error) = Directory::check(document, env).and_then(|()| check_origin(&all, document)) {
            tell(&place, told(&error));
        }
    }
}

/// What is wrong and why, and what to do about it.
fn told(error: &Error) -> String {
    let chain = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let chain: Vec<_> = chain.map(ToString::to_string).collect();
    let advice = error.advice().map(|advice| format!("; {advice}")).unwrap_or_default();
    chain.join(": ") + &advice
}

fn key(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Source => "sources",
        DocumentKind::Application => "applications",
        DocumentKind::EventType => "event_types",
        DocumentKind::Schedule => "schedules",
        DocumentKind::Endpoint => "endpoints",
        DocumentKind::Token => "tokens",
        DocumentKind::Job => "jobs",
    }
}
