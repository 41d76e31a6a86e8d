//! What is not written in Rust: Python with the packages of `peers/requirements.txt`, node, curl. They are used where they can be had.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::children::sibling;

const REQUIREMENTS: &str = include_str!("../peers/requirements.txt");

/// The Python of an environment with the packages, which is made when there is none.
///
/// # Errors
/// When it cannot be made, such as without a network.
pub fn python() -> Result<PathBuf, String> {
    let venv = sibling("bench-venv");
    let (python, made) = (venv.join("bin/python"), venv.join("requirements.txt"));
    if std::fs::read_to_string(&made).is_ok_and(|text| text == REQUIREMENTS) {
        return Ok(python);
    }
    eprintln!("installing {}", REQUIREMENTS.replace('\n', " "));
    succeed(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    succeed(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(script("requirements.txt")),
    )?;
    std::fs::write(&made, REQUIREMENTS).map_err(|error| format!("{}: {error}", made.display()))?;
    Ok(python)
}

/// A program on the path, if it is there.
///
/// # Errors
/// When it is not.
pub fn installed(name: &str) -> Result<PathBuf, String> {
    succeed(Command::new(name).arg("--version"))?;
    Ok(name.into())
}

/// A file of `peers/`.
#[must_use]
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name)
}

/// What there is, or nothing, and then it is said why.
pub fn or_skip<T>(name: &str, found: Result<T, String>) -> Option<T> {
    found.inspect_err(|error| println!("{name}: skipped, {error}\n")).ok()
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    match status.map_err(|error| format!("cannot start {command:?}: {error}"))? {
        status if status.success() => Ok(()),
        status => Err(format!("{command:?} ended with {status}")),
    }
}
