//! What is tested, the quick and telling first.

use std::process::Command;

use crate::command::{cargo, output, run};
use crate::conformance;
use crate::fuzz;
use crate::generated;
use crate::step::{Outcome, Step};

const FORMAT: Step = Step { name: "format", run: || done(run(&mut cargo(["fmt", "--all", "--check"]))) };
const CLIPPY: Step = Step { name: "clippy", run: clippy };
const GENERATED: Step = Step { name: "generated", run: || done(generated::check()) };
const FEATURES: Step = Step { name: "features", run: features };
const TESTS: Step =
    Step { name: "tests", run: || done(run(&mut cargo(["test", "--workspace", "--locked"]))) };
const DOCS: Step = Step { name: "docs", run: docs };
const KEYRING: Step = Step { name: "keyring", run: keyring };
const DENY: Step = Step { name: "deny", run: deny };

pub(crate) fn quick() -> Vec<Step> {
    vec![FORMAT, CLIPPY, GENERATED]
}

pub(crate) fn all() -> Vec<Step> {
    let mut steps = vec![FORMAT, CLIPPY, GENERATED, FEATURES, TESTS, KEYRING, DOCS, DENY, fuzz::STEP];
    steps.extend(conformance::STEPS);
    steps
}

/// The steps of these names, where `conformance` stands for all `conformance/…`; all steps when there is no name.
pub(crate) fn named<'a>(names: &[&'a str]) -> Result<Vec<Step>, &'a str> {
    let is_meant = |step: &Step, name: &str| {
        step.name == name || step.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
    };
    let all = all();
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|step| is_meant(step, name))) {
        return Err(unknown);
    }
    Ok(all
        .into_iter()
        .filter(|step| names.is_empty() || names.iter().any(|name| is_meant(step, name)))
        .collect())
}

fn clippy() -> Result<Outcome, String> {
    done(run(&mut cargo(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])))
}

/// The client and the webhooks must also build without their features, and the library that people depend on with its own. The keyring's has a step of its own.
fn features() -> Result<Outcome, String> {
    let clippy = |package, feature: &[&str]| {
        run(cargo(["clippy", "--locked", "--package", package]).args(feature).args(["--", "-D", "warnings"]))
    };
    clippy("nuncio-client", &["--no-default-features"])?;
    clippy("nuncio-webhook", &[])?;
    clippy("nuncio", &["--features", "credentials"])?;
    clippy("nuncio-cli", &["--features", "pkcs12"])?;
    let pkcs12 =
        ["test", "--package", "nuncio-client", "--features", "pkcs12", "--locked", "--lib", "pkcs12"];
    done(run(&mut cargo(pkcs12)))
}

/// With a keyring of its own, on a bus of its own: that of whoever runs it is left alone.
fn keyring() -> Result<Outcome, String> {
    for tool in ["dbus-run-session", "gnome-keyring-daemon"] {
        if output(Command::new(tool).arg("--version")).is_err() {
            return Ok(Outcome::Skipped(format!("{tool} not found (apt-get install dbus gnome-keyring)")));
        }
    }
    let home = std::path::absolute("target/keyring").map_err(|error| error.to_string())?;
    // What an earlier run left.
    let _ = std::fs::remove_dir_all(&home);
    let test = "printf made-up | gnome-keyring-daemon --unlock --components=secrets > /dev/null \
        && cargo test --package nuncio-credentials --features keyring --locked --test it keyring";
    let mut session = Command::new("dbus-run-session");
    session.args(["--", "sh", "-c", test]).env("XDG_DATA_HOME", home);
    done(run(&mut session))
}

fn docs() -> Result<Outcome, String> {
    done(run(cargo(["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings")))
}

/// Advisories are left to `cargo deny check advisories`: they change with the world, and a commit that passed must pass again.
fn deny() -> Result<Outcome, String> {
    if output(&mut cargo(["deny", "--version"])).is_err() {
        return Ok(Outcome::Skipped("cargo-deny not found (cargo install cargo-deny)".to_owned()));
    }
    let checks = ["deny", "--locked", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"];
    done(run(&mut cargo(checks)))
}

fn done(result: Result<(), String>) -> Result<Outcome, String> {
    result.map(|()| Outcome::Passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(asked: &[&str]) -> Vec<&'static str> {
        named(asked).expect("known names").iter().map(|step| step.name).collect()
    }

    #[test]
    fn no_name_means_every_step() {
        assert_eq!(names(&[]).len(), all().len());
    }

    #[test]
    fn steps_run_in_the_order_of_the_table() {
        assert_eq!(names(&["docs", "clippy"]), ["clippy", "docs"]);
    }

    #[test]
    fn a_group_stands_for_its_steps() {
        assert_eq!(
            names(&["conformance/python"]),
            ["conformance/python/stripe", "conformance/python/slack", "conformance/python/sendgrid"]
        );
    }

    #[test]
    fn an_unknown_name_is_refused_beside_known_ones() {
        assert_eq!(named(&["docs", "doc"]).err(), Some("doc"));
    }
}
