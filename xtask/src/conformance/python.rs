//! Python and the pinned packages of `conformance/requirements.txt`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::install::{Environment, FOLDER, exists, once, quietly};

const REQUIREMENTS_FILE: &str = "conformance/requirements.txt";
const REQUIREMENTS: &str = include_str!("../../../conformance/requirements.txt");

/// The virtual environment; [`program`] gives what is in it.
pub(super) fn environment() -> Result<Environment, String> {
    if !exists("python3") {
        return Ok(Environment::Absent("python3 not found".to_owned()));
    }
    once(Path::new(FOLDER).join("python"), REQUIREMENTS, |place| {
        quietly(Command::new("python3").args(["-m", "venv", "--clear"]).arg(place))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"];
        quietly(
            Command::new(program(place, "python")).args(install).args(["--requirement", REQUIREMENTS_FILE]),
        )
    })
}

/// A program of the environment.
pub(super) fn program(environment: &Path, name: &str) -> PathBuf {
    let folder = if cfg!(windows) { "Scripts" } else { "bin" };
    environment.join(folder).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
