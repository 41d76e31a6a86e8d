//! Steps: run one after the other, timed, summed up.

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// A part of the test run that can be asked for by its name.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) run: fn() -> Result<Outcome, String>,
}

/// How a step that did not fail ended.
pub(crate) enum Outcome {
    Passed,
    /// It could not run here; the text says why.
    Skipped(String),
}

/// Runs the steps up to the first that fails and prints the summary.
pub(crate) fn run_all(steps: &[Step]) -> ExitCode {
    let mut summary = Vec::new();
    let mut failed = None;
    for step in steps {
        println!("\n── {}", step.name);
        let (result, took) = timed(step.run);
        summary.push(match result {
            Ok(Outcome::Passed) => format!("passed   {:<36} {:>7.1} s", step.name, took.as_secs_f64()),
            Ok(Outcome::Skipped(why)) => format!("skipped  {}: {why}", step.name),
            Err(error) => {
                failed = Some(step.name);
                format!("FAILED   {}: {error}", step.name)
            }
        });
        if failed.is_some() {
            break;
        }
    }
    println!("\n── summary");
    summary.iter().for_each(|line| println!("{line}"));
    let Some(name) = failed else { return ExitCode::SUCCESS };
    let left: Vec<_> = steps.iter().skip(summary.len()).map(|step| step.name).collect();
    if !left.is_empty() {
        println!("not run  {}", left.join(", "));
    }
    println!("\nrun this step again with: cargo xtask test {name}");
    ExitCode::FAILURE
}

#[expect(clippy::disallowed_methods, reason = "the time is shown to people; nothing is decided by it")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (work(), start.elapsed())
}
