//! The project's own commands, so that "works here" means "works there": `cargo xtask test` is what `.ci/run` calls.

mod bench;
mod command;
mod conformance;
mod fuzz;
mod generated;
mod step;
mod steps;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  test [STEP…]            everything, or the named steps alone
  check                   the quick steps: formatting, clippy, generated files
  generate                writes the generated files anew
  bench [NAME]            the programs of bench/, or one of them
  fuzz SECONDS [TARGET…]  all fuzz targets, or the named ones, for so long each
  steps                   the names of all steps

A step that cannot run here (a tool is missing) is left out, and the summary says why.
";

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
    if let Err(error) = std::env::set_current_dir(root) {
        eprintln!("cannot enter {}: {error}", root.display());
        return ExitCode::FAILURE;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test", names @ ..] => match steps::named(names) {
            Ok(steps) => step::run_all(&steps),
            Err(unknown) => usage(&format!("no step is named {unknown:?}; see `cargo xtask steps`\n")),
        },
        ["check"] => step::run_all(&steps::quick()),
        ["generate"] => exit(generated::write()),
        ["bench"] => exit(bench::run_named(None)),
        ["bench", name] => exit(bench::run_named(Some(name))),
        ["fuzz", seconds, names @ ..] => match seconds.parse() {
            Ok(seconds) if seconds > 0 => exit(fuzz::search(seconds, names)),
            _ => usage(USAGE),
        },
        ["steps"] => {
            steps::all().iter().for_each(|step| println!("{}", step.name));
            ExitCode::SUCCESS
        }
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => usage(USAGE),
    }
}

fn exit(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn usage(text: &str) -> ExitCode {
    eprint!("{text}");
    ExitCode::from(2)
}
