//! The relay against the libraries that receivers and senders of webhooks use.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::install::Environment::{Absent, Ready};
use super::{node, python, servers};
use crate::command::{cargo, run};
use crate::step::Outcome;

const FOLDER: &str = "webhooks";

/// Verified and signed by Python's libraries.
pub(super) fn of_python() -> Result<Outcome, String> {
    match python::environment()? {
        Absent(why) => Ok(Outcome::Skipped(why)),
        Ready(environment) => {
            let mut receiver = Command::new(python::program(&environment, "python"));
            receiver.arg(Path::new("conformance").join(FOLDER).join("receiver.py"));
            let takes =
                "standard-webhooks=standardwebhooks svix=svix slack=slack stripe=stripe sendgrid=sendgrid";
            cases(&receiver, "standard-webhooks svix slack", takes)
        }
    }
}

/// Verified and signed by node's libraries.
pub(super) fn of_node() -> Result<Outcome, String> {
    match node::environment()? {
        Absent(why) => Ok(Outcome::Skipped(why)),
        Ready(environment) => {
            let receiver = node::script(&environment, FOLDER, "receiver.mjs")?;
            let takes = "standard-webhooks=standardwebhooks svix=svix stripe=stripe github=github";
            cases(&receiver, "standard-webhooks svix stripe github", takes)
        }
    }
}

/// The whole path, from an event that Stripe's library signs to a message in the sandbox of Slack.
pub(super) fn route() -> Result<Outcome, String> {
    match python::environment()? {
        Absent(why) => Ok(Outcome::Skipped(why)),
        Ready(environment) => {
            let folder = Path::new("conformance").join(FOLDER);
            let mut signer = Command::new(python::program(&environment, "python"));
            signer.arg(folder.join("stripe_sign.py"));
            match servers::script(&folder.join("route_cases.py"), &signer)? {
                Some(mut script) => run(&mut script).map(|()| Outcome::Passed),
                None => Ok(Outcome::Skipped("python3 not found".to_owned())),
            }
        }
    }
}

fn cases(receiver: &Command, signs: &str, takes: &str) -> Result<Outcome, String> {
    let Some(mut script) =
        servers::script(&Path::new("conformance").join(FOLDER).join("cases.py"), receiver)?
    else {
        return Ok(Outcome::Skipped("python3 not found".to_owned()));
    };
    run(script.env("EXCHANGE", exchange()?).env("SIGNS", signs).env("TAKES", takes)).map(|()| Outcome::Passed)
}

/// The example that delivers and receives, built if it is not up to date.
fn exchange() -> Result<PathBuf, String> {
    run(&mut cargo(["build", "--quiet", "--package", "nuncio-relay", "--example", "exchange", "--locked"]))?;
    let xtask = std::env::current_exe().map_err(|error| format!("cannot tell where xtask is: {error}"))?;
    let file = format!("examples/exchange{}", std::env::consts::EXE_SUFFIX);
    Ok(xtask.with_file_name("").join(file))
}
