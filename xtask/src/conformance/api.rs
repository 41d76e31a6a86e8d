//! The API of the gateway against its OpenAPI document.

use std::path::Path;
use std::process::Command;

use super::install::Environment::{Absent, Ready};
use super::{python, servers};
use crate::command::run;
use crate::step::Outcome;

/// Asked and judged by schemathesis.
pub(super) fn schemathesis() -> Result<Outcome, String> {
    let environment = match python::environment()? {
        Absent(why) => return Ok(Outcome::Skipped(why)),
        Ready(environment) => environment,
    };
    // It is run in another folder.
    let program = std::path::absolute(python::program(&environment, "schemathesis"))
        .map_err(|error| format!("cannot tell where schemathesis is: {error}"))?;
    match servers::script(Path::new("conformance/api/cases.py"), &Command::new(program))? {
        Some(mut script) => run(&mut script).map(|()| Outcome::Passed),
        None => Ok(Outcome::Skipped("python3 not found".to_owned())),
    }
}
