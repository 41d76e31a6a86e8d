//! The gateway's dashboard in Chromium.

use std::process::Command;

use super::install::Environment::{Absent, Ready};
use super::install::quietly;
use super::node;
use super::sandbox::nuncio;
use crate::command::{output, run};
use crate::step::Outcome;

/// What Chromium is called.
const PROGRAMS: [&str; 2] = ["chromium", "chromium-browser"];

pub(super) fn in_chromium() -> Result<Outcome, String> {
    let Some(chromium) = chromium() else {
        return Ok(Outcome::Skipped("chromium not found (apt-get install chromium)".to_owned()));
    };
    match node::environment()? {
        Absent(why) => Ok(Outcome::Skipped(why)),
        Ready(environment) => {
            let mut script = node::script(&environment, "dashboard", "cases.mjs")?;
            script.env("NUNCIO", nuncio()?).env("CHROMIUM", chromium);
            run(&mut script).map(|()| Outcome::Passed)
        }
    }
}

/// The whole path of Chromium: it is installed if it is not there and may be.
fn chromium() -> Option<String> {
    found().or_else(|| {
        let is_root = said(Command::new("id").arg("-u")).is_some_and(|id| id == "0");
        if is_root {
            let install = ["install", "--yes", "--no-install-recommends", "chromium"];
            // Without it the step says that it is absent.
            let _ = quietly(Command::new("apt-get").arg("update"))
                .and_then(|()| quietly(Command::new("apt-get").args(install)));
        }
        found()
    })
}

fn found() -> Option<String> {
    PROGRAMS.iter().find_map(|program| said(Command::new("which").arg(program)))
}

/// What it prints, if it does well.
fn said(command: &mut Command) -> Option<String> {
    let output = output(command).ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()).filter(|text| !text.is_empty())
}
