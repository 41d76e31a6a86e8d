//! The programs of `bench/`: they print figures, and nothing passes or fails by them.

use crate::command::{cargo, run};

const PROGRAMS: &str = "bench/src/bin";

/// Runs the program of this name, or all.
pub(crate) fn run_named(wanted: Option<&str>) -> Result<(), String> {
    let programs = programs().map_err(|error| format!("{PROGRAMS}: {error}"))?;
    if let Some(unknown) = wanted.filter(|wanted| !programs.iter().any(|program| program == wanted)) {
        return Err(format!("no bench is named {unknown:?}; there are: {}", programs.join(", ")));
    }
    programs.iter().filter(|program| wanted.is_none_or(|wanted| wanted == *program)).try_for_each(|program| {
        run(&mut cargo(["run", "--quiet", "--release", "--package", "nuncio-bench", "--bin", program]))
    })
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
