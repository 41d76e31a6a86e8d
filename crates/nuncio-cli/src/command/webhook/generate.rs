//! `nuncio webhook secret`: a new secret to sign with.

use clap::Args as ClapArgs;
use nuncio_webhook::{generate_key_pair, generate_secret};
use serde_json::json;

use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  nuncio webhook secret > secret.txt
  nuncio webhook secret --key-pair";

/// Write a new secret as Standard Webhooks has them, whsec_ and 32 random bytes in base64
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SecretCommand {
    /// Write an Ed25519 key pair instead: the private key (whsk_), which signs, and on the next line the public key (whpk_), which the
    /// receiver gets
    #[arg(long)]
    key_pair: bool,
}

impl SecretCommand {
    // Written as it is: to be read is what it is made for.
    pub(crate) fn run(self, session: &Session) -> Result<(), Stop> {
        let mut output = Output::new(None)?;
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
