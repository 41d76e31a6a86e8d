//! nuncio's own programs: the command and its sandbox.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::command::{cargo, run};

/// Credentials for every service that the cases use.
pub(super) const CREDENTIALS: [(&str, &str); 4] = [
    ("STRIPE_SECRET_KEY", "sk_test_made_up"),
    ("SLACK_BOT_TOKEN", "xoxb-made-up"),
    ("SENDGRID_API_KEY", "SG.made-up"),
    ("GITHUB_TOKEN", "ghp_made_up"),
];

/// The command `nuncio`, built if it is not up to date.
pub(super) fn nuncio() -> Result<PathBuf, String> {
    run(&mut cargo(["build", "--quiet", "--package", "nuncio-cli", "--locked"]))?;
    let xtask = std::env::current_exe().map_err(|error| format!("cannot tell where xtask is: {error}"))?;
    Ok(xtask.with_file_name(format!("nuncio{}", std::env::consts::EXE_SUFFIX)))
}

/// A running `nuncio sandbox` of one service; ends when dropped.
pub(super) struct Sandbox {
    process: Child,
    url: String,
}

impl Sandbox {
    pub(super) fn start(service: &str) -> Result<Self, String> {
        let binary = nuncio()?;
        let mut process = Command::new(&binary)
            .args(["sandbox", service, "--port", "0", "--no-limits"])
            .envs(CREDENTIALS)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", binary.display()))?;
        let stdout = process.stdout.take().expect("stdout is piped");
        let line = BufReader::new(stdout).lines().map_while(Result::ok).next().unwrap_or_default();
        let mut sandbox = Self { process, url: String::new() };
        let url = url(service, &line)
            .ok_or_else(|| format!("the sandbox printed no URL for {service}: {line:?}"))?;
        url.clone_into(&mut sandbox.url);
        Ok(sandbox)
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The URL in a line `NAME URL`.
fn url<'a>(service: &str, line: &'a str) -> Option<&'a str> {
    let (name, url) = line.split_once(char::is_whitespace)?;
    (name == service).then(|| url.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_that_of_the_line_which_starts_with_the_service() {
        let line = "slack    http://127.0.0.1:1/slack";
        assert_eq!(url("slack", line), Some("http://127.0.0.1:1/slack"));
        assert_eq!(url("stripe", line), None);
        assert_eq!(url("sla", line), None);
    }
}
