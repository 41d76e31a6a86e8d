//! The programs of `bench/`: they print figures, and nothing passes or fails by them.

use std::path::PathBuf;
use std::process::Command;

use crate::command::{cargo, run};

const PROGRAMS: &str = "bench/src/bin";

/// Runs the program of this name, or all.
pub(crate) fn run_named(wanted: Option<&str>) -> Result<(), String> {
    let programs = programs().map_err(|error| format!("{PROGRAMS}: {error}"))?;
    if let Some(unknown) = wanted.filter(|wanted| !programs.iter().any(|program| program == wanted)) {
        return Err(format!("no bench is named {unknown:?}; there are: {}", programs.join(", ")));
    }
    // They start each other, and `nuncio` itself, from the folder they are in.
    run(&mut cargo(["build", "--release", "--package", "nuncio-bench", "--package", "nuncio-cli"]))?;
    let built = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from("target"), PathBuf::from)
        .join("release");
    let mut wanted = programs.iter().filter(|program| wanted.is_none_or(|wanted| wanted == *program));
    wanted.try_for_each(|program| run(&mut Command::new(built.join(program))))
}

fn programs() -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(PROGRAMS)? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}
