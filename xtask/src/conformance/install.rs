//! Environments made on first use from pinned lists, or the reason why there is none.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::output;

/// Where everything that is installed lies.
pub(super) const FOLDER: &str = "target/conformance";

/// What `pip` and `npm` say when there is no way to the registry.
const UNREACHABLE: [&str; 8] = [
    "ConnectTimeoutError",
    "NameResolutionError",
    "NewConnectionError",
    "ProxyError",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ENOTFOUND",
    "ETIMEDOUT",
];

/// What a step needs and may not get.
pub(super) enum Environment {
    /// Where it is.
    Ready(PathBuf),
    /// Why it cannot be had here.
    Absent(String),
}

/// The environment `place`, made by `install` unless it is there already for the same `pins`.
pub(super) fn once(
    place: PathBuf,
    pins: &str,
    install: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<Environment, String> {
    // Written last: its absence marks an environment that was left half made.
    let installed = place.join("installed");
    if std::fs::read_to_string(&installed).is_ok_and(|installed| installed == pins) {
        return Ok(Environment::Ready(place));
    }
    match install(&place) {
        Ok(()) => {
            std::fs::write(&installed, pins).map_err(|error| format!("{}: {error}", installed.display()))?;
            Ok(Environment::Ready(place))
        }
        Err(complaint) => match unreachable(&complaint) {
            Some(line) => Ok(Environment::Absent(format!("the registry is out of reach: {line}"))),
            None => Err(complaint),
        },
    }
}

/// Runs a part of an installation; the error is all that it complained of.
pub(super) fn quietly(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("cannot start {command:?}: {error}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{command:?} ended with {}:\n{complaint}", output.status))
    }
}

/// The line of the complaint which says that the registry was not reached.
fn unreachable(complaint: &str) -> Option<&str> {
    complaint.lines().map(str::trim).find(|line| UNREACHABLE.iter().any(|sign| line.contains(sign)))
}

/// Whether there is such a program.
pub(super) fn exists(program: &str) -> bool {
    output(Command::new(program).arg("--version")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_registry_out_of_reach_is_no_failure() {
        let complaint = "npm error code ENOTFOUND\nnpm error errno ENOTFOUND\n";
        assert_eq!(unreachable(complaint), Some("npm error code ENOTFOUND"));
        assert_eq!(
            unreachable("npm error code EUSAGE\nnpm error package.json and package-lock.json differ"),
            None
        );
    }
}
