//! The vendors' own SDKs, pointed at the sandbox by base URL alone.

use std::process::Command;

use super::install::Environment::{Absent, Ready};
use super::sandbox::{CREDENTIALS, Sandbox};
use super::{node, python};
use crate::command::run;
use crate::step::Outcome;

/// The cases of the vendor's Python SDK.
pub(super) fn python(service: &str) -> Result<Outcome, String> {
    match python::environment()? {
        Absent(why) => Ok(Outcome::Skipped(why)),
        Ready(environment) => {
            let mut script = Command::new(python::program(&environment, "python"));
            script.arg(format!("conformance/sdk/python/{service}_cases.py"));
            against_a_sandbox(service, script)
        }
    }
}

/// The cases of the vendor's node SDK.
pub(super) fn node(service: &str) -> Result<Outcome, String> {
    match node::environment()? {
        Absent(why) => Ok(Outcome::Skipped(why)),
        Ready(environment) => against_a_sandbox(
            service,
            node::script(&environment, "sdk/node", &format!("{service}_cases.mjs"))?,
        ),
    }
}

/// Runs the script with the URL of a sandbox of its own as its argument.
fn against_a_sandbox(service: &str, mut script: Command) -> Result<Outcome, String> {
    let sandbox = Sandbox::start(service)?;
    script.arg(sandbox.url()).envs(CREDENTIALS);
    // slack_sdk takes a proxy from the environment and minds no NO_PROXY.
    for proxy in ["http_proxy", "https_proxy", "all_proxy"] {
        script.env_remove(proxy).env_remove(proxy.to_uppercase());
    }
    run(&mut script).map(|()| Outcome::Passed)
}
