//! The vendors' own SDKs, pointed at the sandbox by base URL alone.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::command::{cargo, output, run};
use crate::step::{Outcome, Step};

pub(crate) const STEPS: [Step; 3] = [
    Step { name: "conformance/stripe", run: || sdk("stripe") },
    Step { name: "conformance/slack", run: || sdk("slack") },
    Step { name: "conformance/sendgrid", run: || sdk("sendgrid") },
];

const SERVICES: [&str; 3] = ["stripe", "slack", "sendgrid"];
const CREDENTIALS: [(&str, &str); 3] = [
    ("STRIPE_SECRET_KEY", "sk_test_made_up"),
    ("SLACK_BOT_TOKEN", "xoxb-made-up"),
    ("SENDGRID_API_KEY", "SG.made-up"),
];
const REQUIREMENTS_FILE: &str = "conformance/sdk/requirements.txt";
const REQUIREMENTS: &str = include_str!("../../conformance/sdk/requirements.txt");
const VENV: &str = "target/conformance/venv";

/// Runs the SDK's script against a sandbox of its own.
fn sdk(service: &str) -> Result<Outcome, String> {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return Ok(Outcome::Skipped(why)),
    };
    run(&mut cargo(["build", "--quiet", "--package", "nuncio-cli", "--locked"]))?;
    let sandbox = Sandbox::start()?;
    let mut script = Command::new(python);
    script.arg(format!("conformance/sdk/{service}_cases.py")).arg(sandbox.url(service)?).envs(CREDENTIALS);
    // slack_sdk takes a proxy from the environment and minds no NO_PROXY.
    for proxy in ["http_proxy", "https_proxy", "all_proxy"] {
        script.env_remove(proxy).env_remove(proxy.to_uppercase());
    }
    run(&mut script).map(|()| Outcome::Passed)
}

/// The interpreter of an environment with the pinned SDKs, made on first use; or why there is none.
fn python() -> Result<PathBuf, String> {
    let python = Path::new(VENV).join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    // Written last: its absence marks an environment that was left half made.
    let installed = Path::new(VENV).join("requirements.txt");
    if std::fs::read_to_string(&installed).is_ok_and(|installed| installed == REQUIREMENTS) {
        return Ok(python);
    }
    if output(Command::new("python3").arg("--version")).is_err() {
        return Err("python3 not found".to_owned());
    }
    output(Command::new("python3").args(["-m", "venv", "--clear", VENV]))?;
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        REQUIREMENTS_FILE,
    ];
    output(Command::new(&python).args(install))?;
    std::fs::write(&installed, REQUIREMENTS).map_err(|error| format!("{}: {error}", installed.display()))?;
    Ok(python)
}

/// A running `nuncio sandbox`; ends when dropped.
struct Sandbox {
    process: Child,
    /// What it printed: a line `NAME URL` for each service.
    lines: Vec<String>,
}

impl Sandbox {
    fn start() -> Result<Self, String> {
        let binary =
            std::env::current_exe().map_err(|error| format!("cannot tell where xtask is: {error}"))?;
        let binary = binary.with_file_name(format!("nuncio{}", std::env::consts::EXE_SUFFIX));
        let mut process = Command::new(&binary)
            .arg("sandbox")
            .args(SERVICES)
            .args(["--port", "0", "--no-limits"])
            .envs(CREDENTIALS)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", binary.display()))?;
        let stdout = process.stdout.take().expect("stdout is piped");
        let lines = BufReader::new(stdout).lines().take(SERVICES.len()).map_while(Result::ok).collect();
        Ok(Self { process, lines })
    }

    fn url(&self, service: &str) -> Result<&str, String> {
        url_of(service, &self.lines)
            .ok_or_else(|| format!("the sandbox printed no URL for {service}: {:?}", self.lines))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn url_of<'a>(service: &str, lines: &'a [String]) -> Option<&'a str> {
    lines.iter().find_map(|line| {
        let (name, url) = line.split_once(char::is_whitespace)?;
        (name == service).then(|| url.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_is_that_of_the_line_which_starts_with_the_service() {
        let lines =
            ["stripe    http://127.0.0.1:1/stripe", "slack http://127.0.0.1:1/slack"].map(str::to_owned);
        assert_eq!(url_of("slack", &lines), Some("http://127.0.0.1:1/slack"));
        assert_eq!(url_of("stripe", &lines), Some("http://127.0.0.1:1/stripe"));
        assert_eq!(url_of("sla", &lines), None);
    }
}
