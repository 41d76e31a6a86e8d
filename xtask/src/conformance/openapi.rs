//! nuncio's own requests against the vendors' OpenAPI documents.

use std::path::Path;

use super::install::Environment::{Absent, Ready};
use super::node;
use super::sandbox::{CREDENTIALS, nuncio};
use crate::command::run;
use crate::step::Outcome;

/// The documents. They are not part of the project.
const CORPUS: &str = "../shared/corpora/openapi";

/// Every operation of the catalog, judged by the documents.
pub(super) fn documents() -> Result<Outcome, String> {
    if !Path::new(CORPUS).is_dir() {
        return Ok(Outcome::Skipped(format!("{CORPUS} not found")));
    }
    match node::environment()? {
        Absent(why) => Ok(Outcome::Skipped(why)),
        Ready(environment) => {
            // Its harness is imported.
            node::brought(&environment, "sdk/node")?;
            let mut script = node::script(&environment, "openapi", "cases.mjs")?;
            script.arg(CORPUS).env("NUNCIO", nuncio()?).envs(CREDENTIALS);
            run(&mut script).map(|()| Outcome::Passed)
        }
    }
}
