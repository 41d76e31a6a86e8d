//! `nuncio webhook secret`: a new secret to sign with.

use clap::Args as ClapArgs;
use nuncio_client::Error;
use nuncio_webhook::{generate_key_pair, generate_private_key, generate_secret};
use serde_json::json;

use super::source::Source;
use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;
use crate::stderr;

const EXAMPLES: &str = "\
Examples:
  nuncio webhook secret > secret.txt
  nuncio webhook secret --key-pair
  nuncio webhook secret --provider sendgrid > key.pem";

/// Write a new secret as Standard Webhooks has them, whsec_ and 32 random bytes in base64
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SecretCommand {
    /// Write an Ed25519 key pair instead: the private key (whsk_), which signs, and on the next line the public key (whpk_), which the
    /// receiver gets
    #[arg(long)]
    key_pair: bool,
    /// Write a private key as this provider has one of its own, as PEM, to sign for tests; its public half, as the provider shows it, goes to standard error
    #[arg(long, value_name = "PROVIDER", conflicts_with = "key_pair")]
    provider: Option<String>,
}

impl SecretCommand {
    // Written as it is: to be read is what it is made for.
    pub(crate) fn run(self, session: &Session) -> Result<(), Stop> {
        let mut output = Output::new(None)?;
        if let Some(provider) = &self.provider {
            let source = Source::find(provider)?;
            let (private, public) = generate_private_key(&source.scheme).ok_or_else(|| {
                Error::configuration(format!("{} does not sign with a private key that can be stood in for", source.title))
                    .advise("for schemes by a shared secret any text will do, or that of `nuncio webhook secret`; keys that a provider publishes are its own")
            })?;
            if session.global.json {
                output.line(&json!({ "private_key": private, "public_key": public }).to_string())?;
            } else {
                output.line(private.trim_end())?;
                stderr::line(&format!("nuncio: the public key, for whoever verifies: {public}"));
            }
            return output.flush();
        }
        match (self.key_pair, session.global.json) {
            (false, false) => output.line(&generate_secret())?,
            (false, true) => output.line(&json!({ "secret": generate_secret() }).to_string())?,
            (true, false) => {
                let (private, public) = generate_key_pair();
                output.line(&private)?;
                output.line(&public)?;
            }
            (true, true) => {
                let (private, public) = generate_key_pair();
                output.line(&json!({ "private_key": private, "public_key": public }).to_string())?;
            }
        }
        output.flush()
    }
}
