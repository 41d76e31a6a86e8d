//! `nuncio webhook providers`: whose webhooks are known, and how they are signed.

use clap::Args as ClapArgs;
use nuncio_webhook::{Provider, Scheme, provider, providers};
use serde::Serialize;
use serde_json::{Value, json};

use super::source::unknown;
use super::yaml;
use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  nuncio webhook providers
  nuncio webhook providers stripe > ./stripe.yaml";

/// List the providers whose webhooks are known, or show one whole: its scheme as YAML, where it was taken from, what to know
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ProvidersCommand {
    /// The provider; what is written is a scheme file
    name: Option<String>,
}

impl ProvidersCommand {
    pub(crate) fn run(self, session: &Session) -> Result<(), Stop> {
        let as_json = session.global.json;
        let mut output = Output::new(None)?;
        match self.name.as_deref() {
            Some(name) => {
                let provider = provider(name).ok_or_else(|| unknown(name))?;
                match as_json {
                    true => output.line(&whole(name, provider).to_string())?,
                    false => output.line(file(name, provider).trim_end())?,
                }
            }
            None if as_json => {
                let all: Vec<Value> = providers().map(|(name, provider)| row(name, provider)).collect();
                output.line(&Value::from(all).to_string())?;
            }
            None => table(&mut output)?,
        }
        output.flush()
    }
}

fn table(output: &mut Output) -> Result<(), Stop> {
    let cells = |(name, provider): (&str, &Provider)| {
        let row = row(name, provider);
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let tolerance = match row["past_secs"].as_u64() {
            Some(seconds) => format!("{seconds} s"),
            None => "none".to_owned(),
        };
        let yes = |key: &str| if row[key] == true { "yes" } else { "no" }.to_owned();
        let handshake = if row["handshakes"] == 0 { "no" } else { "yes" }.to_owned();
        [
            text("name"),
            text("title"),
            text("algorithm"),
            tolerance,
            handshake,
            yes("foreign_vector"),
            text("signature"),
        ]
    };
    let head = ["NAME", "TITLE", "ALGORITHM", "TOLERANCE", "HANDSHAKE", "VECTOR", "SIGNATURE"];
    let rows: Vec<[String; 7]> =
        std::iter::once(head.map(str::to_owned)).chain(providers().map(cells)).collect();
    let widths: [usize; 7] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    });
    for row in &rows {
        let line: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        output.line(line.join("  ").trim_end())?;
    }
    output.line("\nVECTOR: whether a test holds the scheme against a signature that somebody else made")
}

fn row(name: &str, provider: &Provider) -> Value {
    let scheme = &provider.scheme;
    json!({
        "name": name, "title": provider.title, "algorithm": algorithms(scheme),
        "signature": places(scheme), "past_secs": scheme.timestamp.as_ref().map(|timestamp| timestamp.past),
        "future_secs": scheme.timestamp.as_ref().map(|timestamp| timestamp.future),
        "handshakes": scheme.handshakes.len(), "settings": scheme.settings(),
        "foreign_vector": provider.foreign_vector,
    })
}

/// The row, and the rest that is known.
fn whole(name: &str, provider: &Provider) -> Value {
    let mut value = serde_json::to_value(provider).expect("a provider is JSON");
    if let (Value::Object(whole), Value::Object(row)) = (&mut value, row(name, provider)) {
        whole.extend(row);
    }
    value
}

/// A scheme file, with all else as comments.
fn file(name: &str, provider: &Provider) -> String {
    let vector = match provider.foreign_vector {
        true => "Held against signatures that somebody else made.",
        false => "Not held against a signature that somebody else made: none was found.",
    };
    let settings: Vec<&str> = provider.scheme.settings().into_iter().collect();
    let settings = match settings.is_empty() {
        true => String::new(),
        false => format!("# Settings: {}\n", settings.join(", ")),
    };
    let comments = |label: &str, texts: &[String]| -> String {
        texts.iter().map(|text| format!("# {label}{text}\n")).collect()
    };
    format!(
        "# {} ({name}), checked {} against {}. {vector}\n{}{}{settings}{}",
        provider.title,
        provider.checked,
        provider.confirmed_by,
        comments("Source: ", &provider.sources),
        comments("", &provider.notes),
        yaml::write(&serde_json::to_value(&provider.scheme).expect("a scheme is JSON")),
    )
}

fn algorithms(scheme: &Scheme) -> String {
    joined(scheme.signatures.iter().map(|signature| word(&signature.algorithm)), ", ")
}

fn places(scheme: &Scheme) -> String {
    joined(scheme.signatures.iter().map(|signature| signature.at.to_string()), "; ")
}

/// Each once.
fn joined(texts: impl Iterator<Item = String>, separator: &str) -> String {
    let mut all: Vec<String> = Vec::new();
    for text in texts {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all.join(separator)
}

/// A word of the language of schemes.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
}
