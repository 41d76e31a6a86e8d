//! The fuzz targets of `fuzz/`: a step of the tests, each for a few seconds, and a search for as long as one likes.
//!
//! `cargo fuzz` needs a nightly toolchain for its address sanitizer. Our own code is safe Rust, so that libFuzzer's guidance by
//! coverage is what counts, and the flags for that are stable ones.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{cargo, output, run};
use crate::step::{Outcome, Step};

pub(crate) const STEP: Step = Step { name: "fuzz", run: fuzz };

const TARGETS: &str = "fuzz/fuzz_targets";
const SEEDS: &str = "fuzz/seeds";
const TARGET_DIR: &str = "target/fuzz";

/// How long a target is run.
#[derive(Clone, Copy)]
enum Effort {
    /// So many inputs, the same ones each time: what passed once passes again, on a slower or quicker machine too.
    Inputs(u32),
    /// So long, with other inputs each time: for new faults.
    Seconds(u32),
}

impl Effort {
    fn arguments(self) -> Vec<String> {
        match self {
            Self::Inputs(inputs) => vec![format!("-runs={inputs}"), "-seed=1".to_owned()],
            Self::Seconds(seconds) => vec![format!("-max_total_time={seconds}")],
        }
    }
}

const OF_THE_STEP: Effort = Effort::Inputs(5_000);

/// Those of cargo-fuzz without the sanitizer, and without keeping dead code.
const RUSTFLAGS: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    --cfg fuzzing -Ccodegen-units=1 -Cdebug-assertions";

fn fuzz() -> Result<Outcome, String> {
    run_targets(&targets()?, OF_THE_STEP)
}

/// Runs the named targets, or all, for so long each.
pub(crate) fn search(seconds: u32, names: &[&str]) -> Result<(), String> {
    let all = targets()?;
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|target| target == *name)) {
        return Err(format!("no target is named {unknown:?}; there are: {}", all.join(", ")));
    }
    let wanted = |target: &String| names.is_empty() || names.contains(&target.as_str());
    match run_targets(&all.into_iter().filter(wanted).collect::<Vec<_>>(), Effort::Seconds(seconds))? {
        Outcome::Passed => Ok(()),
        Outcome::Skipped(why) => Err(why),
    }
}

fn run_targets(targets: &[String], effort: Effort) -> Result<Outcome, String> {
    if cfg!(not(unix)) {
        return Ok(Outcome::Skipped("libFuzzer is run on Unix only".to_owned()));
    }
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    if output(Command::new(&compiler).arg("--version")).is_err() {
        return Ok(Outcome::Skipped(format!("{compiler} not found, which libFuzzer is built with")));
    }
    let host = host()?;
    // With a target named, build scripts and macros are built for the host, without the flags.
    // Not locked: whoever changes a dependency of the crates need not know of the lock file there.
    let build = ["build", "--quiet", "--release", "--manifest-path", "fuzz/Cargo.toml"];
    let mut build = cargo(build);
    build.args(["--target", &host, "--target-dir", TARGET_DIR]).env("RUSTFLAGS", RUSTFLAGS);
    run(build.args(targets.iter().flat_map(|target| ["--bin", target])))?;
    let programs = Path::new(TARGET_DIR).join(host).join("release");
    for target in targets {
        println!("{target:18} {}", run_target(&programs, target, effort)?);
    }
    Ok(Outcome::Passed)
}

/// The triple of this machine.
fn host() -> Result<String, String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let about = output(Command::new(rustc).arg("-vV"))?.stdout;
    let about = String::from_utf8_lossy(&about);
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| format!("rustc does not tell its host: {about}"))
}

fn targets() -> Result<Vec<String>, String> {
    let files = std::fs::read_dir(TARGETS).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let files = files.map_err(|error| format!("{TARGETS}: {error}"))?;
    let name = |file: &std::fs::DirEntry| Some(file.path().file_stem()?.to_string_lossy().into_owned());
    let mut names: Vec<String> = files.iter().filter_map(name).collect();
    names.sort();
    Ok(names)
}

/// Runs all seeds of a target and then inputs made from them; returns libFuzzer's last word on it.
fn run_target(programs: &Path, target: &str, effort: Effort) -> Result<String, String> {
    // Made anew, so that a run does not depend on the one before.
    let corpus = emptied(Path::new(TARGET_DIR).join("corpus").join(target))?;
    let artifacts = emptied(Path::new(TARGET_DIR).join("artifacts").join(target))?;
    let program = programs.join(target);
    let mut command = Command::new(&program);
    command.args([&corpus, &Path::new(SEEDS).join(target)]);
    command.args(["-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1"]);
    command.args(effort.arguments()).arg(format!("-artifact_prefix={}/", artifacts.display()));
    let ended = command.output().map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    let told = String::from_utf8_lossy(&ended.stderr);
    if !ended.status.success() {
        eprintln!("{told}");
        let input = first_file(&artifacts).unwrap_or_else(|| artifacts.join("…"));
        return Err(format!(
            "{target}: run this input again with: {} {}",
            program.display(),
            input.display()
        ));
    }
    summary(&told).ok_or_else(|| format!("{target}: nothing was covered, so nothing was guided:\n{told}"))
}

fn emptied(folder: PathBuf) -> Result<PathBuf, String> {
    // It may not be there yet.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

fn first_file(folder: &Path) -> Option<PathBuf> {
    Some(std::fs::read_dir(folder).ok()?.next()?.ok()?.path())
}

/// Inputs and coverage, from `#2097152 DONE   cov: 364 ft: 1078 corp: 100/3065b lim: 4096 exec/s: 699050 rss: 58Mb`.
fn summary(told: &str) -> Option<String> {
    let coverage = |line: &str| Some(line.split_once("cov: ")?.1.split_once(' ')?.0.to_owned());
    let inited = told.lines().find(|line| line.contains("INITED")).and_then(coverage)?;
    let done = told.lines().rfind(|line| line.contains("DONE"))?;
    let inputs = done.split_ascii_whitespace().next()?.strip_prefix('#')?;
    Some(format!("{inputs:>8} inputs, {:>5} edges covered, {inited:>5} by the seeds", coverage(done)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_tells_what_the_seeds_cover_and_what_was_found() {
        let told = "#10\tINITED cov: 84 ft: 96 corp: 6/87b exec/s: 0 rss: 45Mb\n\
            #131072\tpulse  cov: 99 ft: 120\n\
            #262144\tDONE   cov: 101 ft: 130 corp: 9/1b lim: 4096 exec/s: 699050 rss: 58Mb\n";
        assert_eq!(
            summary(told).as_deref(),
            Some("  262144 inputs,   101 edges covered,    84 by the seeds")
        );
    }

    #[test]
    fn a_program_without_instrumentation_has_no_summary() {
        assert_eq!(summary("#2\tINITED exec/s: 0 rss: 30Mb\n#100\tDONE   corp: 1/1b\n"), None);
    }
}
