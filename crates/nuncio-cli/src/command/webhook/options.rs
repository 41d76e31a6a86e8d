//! What the commands take alike: secrets, settings, time, body, and how a webhook is sent.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args as ClapArgs;
use nuncio_client::{Error, Random, Redactor, Secret};
use nuncio_service::suggest;
use nuncio_webhook::Secrets;

use super::source::Source;
use crate::args::pair;
use crate::secret_ref::SecretRef;
use crate::session::Session;
use crate::values;

/// Where secrets are, and what else the scheme asks for.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Secrets")]
pub(super) struct SecretOptions {
    /// Environment variable with the secret, as the provider shows it; several while it is rotated, those of --secret-env first. A label
    /// stands for it in explanations: new=NAME. Default: what a service file names
    #[arg(long, value_name = "[LABEL=]NAME")]
    secret_env: Vec<String>,
    /// File with the secret; a line end behind it does not count
    #[arg(long, value_name = "[LABEL=]FILE")]
    secret_file: Vec<String>,
    /// File with the provider's public key, such as a PEM
    #[arg(long, value_name = "[LABEL=]FILE")]
    public_key_file: Vec<String>,
    /// What else the scheme asks for, such as app_key=…
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    setting: Vec<(String, String)>,
    /// Likewise, with the environment variable that has it: verify_token=META_VERIFY_TOKEN
    #[arg(long, value_name = "NAME=VARIABLE", value_parser = pair)]
    setting_env: Vec<(String, String)>,
}

impl SecretOptions {
    /// Everything that the receiver knows. What is given goes before what the service file says.
    pub(super) fn read(&self, source: &Source, session: &Session) -> Result<Secrets, Error> {
        let mut secrets = match &source.webhooks {
            Some(webhooks) if self.gives_secrets() => webhooks.settings(Secrets::new(), &session.env)?,
            Some(webhooks) => webhooks.secrets(&session.env)?,
            None => Secrets::new(),
        };
        for text in &self.secret_env {
            let (label, name) = labelled(text);
            secrets = secrets.with(label, known(variable(name, session)?, source).expose());
        }
        for text in &self.secret_file {
            let (label, path) = labelled(text);
            let secret =
                SecretRef::File(path.to_owned()).read(&session.env).map_err(|error| unreadable(&error))?;
            secrets = secrets.with(label, known(secret, source).expose());
        }
        for text in &self.public_key_file {
            if !source.has_public_key() {
                return Err(Error::configuration(format!("{} signs with a shared secret", source.title))
                    .advise("name its place with --secret-env or --secret-file"));
            }
            let (label, path) = labelled(text);
            secrets = secrets.with(label, values::read_text(path)?.trim_end());
        }
        for (name, variable_name) in &self.setting_env {
            asks_for(source, name)?;
            secrets = secrets.setting(name, variable(variable_name, session)?.expose());
        }
        for (name, value) in &self.setting {
            asks_for(source, name)?;
            secrets = secrets.setting(name, value);
        }
        Ok(secrets)
    }

    /// Whether anything is given here.
    pub(super) fn is_given(&self) -> bool {
        self.gives_secrets() || !self.setting.is_empty() || !self.setting_env.is_empty()
    }

    fn gives_secrets(&self) -> bool {
        !(self.secret_env.is_empty() && self.secret_file.is_empty() && self.public_key_file.is_empty())
    }

    /// The variable that has the secret, where there is one and no other.
    pub(super) fn only_variable(&self) -> Option<&str> {
        match (&self.secret_env[..], self.secret_file.is_empty()) {
            ([one], true) => Some(labelled(one).1),
            _ => None,
        }
    }
}

/// The label before a `=`, which is the text itself where there is none, and the rest. A label has no slash, dot or space, so that `./a=b` is a path.
fn labelled(text: &str) -> (&str, &str) {
    let is_label = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    match text.split_once('=') {
        Some((label, rest)) if !label.is_empty() && label.chars().all(is_label) => (label, rest),
        _ => (text, text),
    }
}

/// The secret, of which no part is shown from now on: what is behind a prefix is as good as the whole.
fn known(secret: Secret, source: &Source) -> Secret {
    for signature in &source.scheme.signatures {
        for prefix in signature.key_prefix.iter().chain(&signature.signing_key_prefix) {
            if let Some(rest) = secret.expose().strip_prefix(prefix) {
                Redactor::global().register(rest.trim_end_matches('='));
            }
        }
    }
    secret
}

fn variable(name: &str, session: &Session) -> Result<Secret, Error> {
    // Somebody may have written the secret instead of its name, and then it is not repeated.
    let is_name =
        !name.is_empty() && name.chars().all(|c| c == '_' || c.is_ascii_uppercase() || c.is_ascii_digit());
    if is_name {
        return SecretRef::Env(name.to_owned()).read(&session.env);
    }
    session.env.get(name).ok_or_else(|| {
        Error::configuration("the environment variable that holds the secret is not set")
            .advise("name the variable, not the secret; what was written is not repeated here, since it may be the secret itself")
    })
}

/// Without the path, which may be the secret itself.
fn unreadable(error: &Error) -> Error {
    let refused = Error::configuration("the file that holds the secret cannot be read")
        .advise("name the file, not the secret; what was written is not repeated here, since it may be the secret itself");
    match std::error::Error::source(error) {
        Some(cause) => refused.because(cause.to_string()),
        None => refused,
    }
}

fn asks_for(source: &Source, name: &str) -> Result<(), Error> {
    let known = source.scheme.settings();
    if known.contains(name) {
        return Ok(());
    }
    let meant = suggest(name, known.iter().copied());
    let meant = meant.map(|meant| format!(", did you mean {meant}?")).unwrap_or_default();
    let advice = match known.is_empty() {
        true => "leave it out: this scheme asks for no settings".to_owned(),
        false => format!("it asks for: {}", known.into_iter().collect::<Vec<_>>().join(", ")),
    };
    Err(Error::configuration(format!("{} asks for no setting {name}{meant}", source.title)).advise(advice))
}

/// The time, and what was or is to be sent.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Request")]
pub(super) struct RequestOptions {
    /// Body, byte for byte as it came or will be sent, of at most 64 MiB; `-` reads it from standard input. Default: there is none
    #[arg(long, value_name = "FILE")]
    pub(super) body_file: Option<String>,
    /// Method
    #[arg(long, default_value = "POST", value_name = "METHOD")]
    method: String,
    #[command(flatten)]
    pub(super) time: TimeOption,
}

/// What time it is.
#[derive(Debug, ClapArgs)]
pub(super) struct TimeOption {
    /// Seconds since 1970 that stand in for now
    #[arg(long, value_name = "UNIX_SECONDS", value_parser = clap::value_parser!(u64).range(..=LAST_SECOND), help_heading = "Request")]
    at: Option<u64>,
}

/// How what is sent is named and called.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Request")]
pub(super) struct NameOptions {
    /// Id of the event, the same in every attempt to deliver it. Default: a random one
    #[arg(long, value_name = "ID")]
    pub(super) id: Option<String>,
    /// Content-Type that it is sent with [default: application/json for a body of JSON, application/octet-stream for others]
    #[arg(long, value_name = "TYPE")]
    pub(super) content_type: Option<String>,
}

impl NameOptions {
    pub(super) fn id(&self) -> String {
        self.id.clone().unwrap_or_else(|| format!("msg_{}", Random::new().uuid()))
    }

    /// What the body is, unless something else is said: `None` where there is none.
    pub(super) fn content_type(&self, body: &[u8]) -> Option<&str> {
        let is_json = || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
        let of_body = || if is_json() { "application/json" } else { "application/octet-stream" };
        self.content_type.as_deref().or_else(|| (!body.is_empty()).then(of_body))
    }
}

/// The end of the year 9999, after which no timestamp is written.
const LAST_SECOND: u64 = 253_402_300_799;

impl RequestOptions {
    pub(super) fn body(&self) -> Result<Vec<u8>, Error> {
        self.body_file.as_deref().map_or_else(|| Ok(Vec::new()), values::read_bytes)
    }

    pub(super) fn method(&self) -> String {
        self.method.to_ascii_uppercase()
    }

    pub(super) fn now(&self, session: &Session) -> SystemTime {
        self.time.now(session)
    }
}

impl TimeOption {
    pub(super) fn now(&self, session: &Session) -> SystemTime {
        self.at.map_or_else(|| session.clock.now(), |at| UNIX_EPOCH + Duration::from_secs(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_stands_before_an_equals_sign() {
        assert_eq!(labelled("new=STRIPE_SECRET"), ("new", "STRIPE_SECRET"));
        assert_eq!(labelled("STRIPE_SECRET"), ("STRIPE_SECRET", "STRIPE_SECRET"));
        for path in ["./a=b", "/run/a=b", "a.b=c", "=a"] {
            assert_eq!(labelled(path), (path, path));
        }
    }
}
