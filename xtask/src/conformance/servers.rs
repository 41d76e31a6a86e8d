//! nuncio against servers of other people, each started by the script that has its cases.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::install::Environment::{Absent, Ready};
use super::sandbox::nuncio;
use super::{node, python};
use crate::command::{output, run};
use crate::step::Outcome;

const FOLDER: &str = "conformance/servers";

/// The program that makes keys and certificates, and what it takes to see whether it is there.
const OPENSSL: (&str, &str) = ("openssl", "version");

/// The cases of this name against nginx, as the machine has it.
pub(super) fn nginx(name: &str) -> Result<Outcome, String> {
    if let Some(absent) = absent(&[("nginx", "-v"), OPENSSL]) {
        return Ok(absent);
    }
    cases(&format!("nginx/{name}_cases.py"), &Command::new("nginx"))
}

/// Where Debian's packages put Apache's modules, and where others do.
const APACHE_MODULES: [&str; 2] = ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules"];

/// Apache with Digest, as the machine has it.
pub(super) fn apache() -> Result<Outcome, String> {
    let is_there = |program: &&str| output(Command::new(program).arg("-v")).is_ok();
    let Some(program) = ["apache2", "httpd"].into_iter().find(is_there) else {
        return Ok(Outcome::Skipped("apache2 not found".to_owned()));
    };
    let has_digest = |folder: &&str| Path::new(folder).join("mod_auth_digest.so").exists();
    let Some(modules) = APACHE_MODULES.into_iter().find(has_digest) else {
        return Ok(Outcome::Skipped("Apache's mod_auth_digest not found".to_owned()));
    };
    cases("apache/digest_cases.py", Command::new(program).arg(modules))
}

/// lighttpd with Digest, as the machine has it.
pub(super) fn lighttpd() -> Result<Outcome, String> {
    match absent(&[("lighttpd", "-v")]) {
        Some(absent) => Ok(absent),
        None => cases("lighttpd/digest_cases.py", &Command::new("lighttpd")),
    }
}

/// The cases in `folder` against the server in its `server.mjs`.
pub(super) fn of_node(folder: &str) -> Result<Outcome, String> {
    match node::environment()? {
        Absent(why) => Ok(Outcome::Skipped(why)),
        Ready(environment) => {
            let server = node::script(&environment, &format!("servers/{folder}"), "server.mjs")?;
            cases(&format!("{folder}/cases.py"), &server)
        }
    }
}

pub(super) fn json_server() -> Result<Outcome, String> {
    match node::environment()? {
        Absent(why) => Ok(Outcome::Skipped(why)),
        Ready(environment) => {
            let mut server = Command::new("node");
            server.arg(environment.join("node_modules/json-server/lib/cli/bin.js"));
            cases("json_server/cases.py", &server)
        }
    }
}

/// The cases in `folder` against a server that is one of the Python packages.
pub(super) fn of_python(folder: &str, program: &str) -> Result<Outcome, String> {
    match python::environment()? {
        Absent(why) => Ok(Outcome::Skipped(why)),
        Ready(environment) => {
            cases(&format!("{folder}/cases.py"), &Command::new(python::program(&environment, program)))
        }
    }
}

/// What is signed, judged by the Python packages that services verify with.
pub(super) fn verifiers() -> Result<Outcome, String> {
    if let Some(absent) = absent(&[OPENSSL]) {
        return Ok(absent);
    }
    match python::environment()? {
        Absent(why) => Ok(Outcome::Skipped(why)),
        Ready(environment) => {
            let mut server = Command::new(python::program(&environment, "python"));
            server.arg(Path::new(FOLDER).join("verifiers/server.py"));
            cases("verifiers/cases.py", &server)
        }
    }
}

/// The first of the programs that does not answer to its argument.
fn absent(programs: &[(&str, &str)]) -> Option<Outcome> {
    let is_absent =
        |(program, argument): &&(&str, &str)| output(Command::new(program).arg(argument)).is_err();
    programs.iter().find(is_absent).map(|(program, _)| Outcome::Skipped(format!("{program} not found")))
}

/// Runs the script with what starts its server as its arguments. It needs no package of its own.
fn cases(name: &str, server: &Command) -> Result<Outcome, String> {
    match script(&Path::new(FOLDER).join(name), server)? {
        Some(mut script) => run(&mut script).map(|()| Outcome::Passed),
        None => Ok(Outcome::Skipped("python3 not found".to_owned())),
    }
}

/// Python with the script of cases at this path, which gets what starts its server as its arguments; nothing where there is no Python.
pub(super) fn script(path: &Path, server: &Command) -> Result<Option<Command>, String> {
    if output(Command::new("python3").arg("--version")).is_err() {
        return Ok(None);
    }
    let modules = [PathBuf::from(FOLDER), PathBuf::from("conformance/sdk/python")];
    let modules = std::env::join_paths(modules).map_err(|error| error.to_string())?;
    let mut python = Command::new("python3");
    python.arg(path).arg(server.get_program()).args(server.get_args());
    python.env("NUNCIO", nuncio()?).env("PYTHONPATH", modules).env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(Some(python))
}
