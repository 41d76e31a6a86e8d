//! The table of all providers, and what to know of each.

use nuncio_webhook::scheme::{Handshake, Place, Scheme, Timestamp};
use nuncio_webhook::{Provider, providers};
use serde::Serialize;
use serde_json::Value;

const INTRODUCTION: &str = "\
## Providers

A tolerance is how old a request may be and how far in the future it may be signed; without one, the provider signs no time, and a replay is noticed
by the id alone. *Id* is what is the same for every attempt to deliver an event. *Vector* says whether a test holds the scheme against a signature
that somebody else made, the vendor's example or what its library takes; the others follow the documentation alone.

Vercel is left out: what it signs is told by receivers of other people, and neither its page nor code of its own could be read.

| name | provider | signature | signed | algorithm | tolerance | id | handshake | reply | vector | source, checked |
|---|---|---|---|---|---|---|---|---|---|---|
";

pub(crate) fn print() {
    print!("{INTRODUCTION}");
    for (name, provider) in providers() {
        println!("| {} |", cells(name, provider).map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
    println!("\n| name | what to know |\n|---|---|");
    for (name, provider) in providers() {
        let settings: Vec<String> =
            provider.scheme.settings().into_iter().map(|setting| format!("`{setting}`")).collect();
        let mut notes = provider.notes.clone();
        if !settings.is_empty() {
            notes.push(format!("Settings: {}.", settings.join(", ")));
        }
        notes.push(format!("Confirmed by {}.", provider.confirmed_by));
        println!("| `{name}` | {} |", notes.join(" ").replace('|', "\\|"));
    }
}

fn cells(name: &str, provider: &Provider) -> [String; 11] {
    let scheme = &provider.scheme;
    let of_each = |text: fn(&nuncio_webhook::scheme::Signature) -> String| {
        each_once(scheme.signatures.iter().map(text)).join("; ")
    };
    let signed = of_each(|signature| {
        let signed = signature.signed.to_string();
        if signed.is_empty() { String::new() } else { format!("`{}`", signed.escape_debug()) }
    });
    [
        format!("`{name}`"),
        provider.title.clone(),
        of_each(|signature| signature.at.to_string()),
        signed,
        of_each(|signature| word(&signature.algorithm)),
        scheme.timestamp.as_ref().map_or_else(|| "none".to_owned(), tolerance),
        scheme.id.as_ref().map(Place::to_string).unwrap_or_default(),
        each_once(scheme.handshakes.iter().map(handshake)).join(", "),
        reply(scheme),
        if provider.foreign_vector { "yes" } else { "**no**" }.to_owned(),
        sources(provider),
    ]
}

fn tolerance(timestamp: &Timestamp) -> String {
    match (timestamp.past, timestamp.future) {
        (past, future) if past == future => format!("{past} s"),
        (past, future) => format!("{past} s, {future} s ahead"),
    }
}

/// The kind of its answer.
fn handshake(handshake: &Handshake) -> String {
    match serde_json::to_value(&handshake.answer) {
        Ok(Value::Object(answer)) => answer.keys().next().cloned().unwrap_or_default(),
        Ok(Value::String(answer)) => answer,
        _ => String::new(),
    }
}

fn reply(scheme: &Scheme) -> String {
    let Some(reply) = &scheme.reply else { return String::new() };
    let status = reply.status.map(|status| status.to_string());
    let within = reply.within.map(|seconds| format!("within {seconds} s"));
    status.into_iter().chain(within).collect::<Vec<_>>().join(" ")
}

fn sources(provider: &Provider) -> String {
    let pages = provider.sources.iter().enumerate().map(|(index, url)| format!("[{}]({url})", index + 1));
    format!("{}, {}", pages.collect::<Vec<_>>().join(" "), provider.checked)
}

fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn each_once(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for text in texts.filter(|text| !text.is_empty()) {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all
}
