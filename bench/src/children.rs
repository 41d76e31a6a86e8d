//! Ways to do a job that are programs: each is run as a process of its own and measured by the operating system.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;
use wait4::Wait4 as _;

use crate::table;
use crate::way::median;

/// What a process took.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// By the clock, from its start to its end.
    pub wall: Duration,
    /// User and system.
    pub cpu: Duration,
    /// Most memory in use at once, in bytes. It is never less than what this process had in use when it started the other, about 3 MB.
    pub peak: u64,
}

/// One way to do a job.
pub struct Program<'a> {
    name: &'a str,
    command: Box<dyn Fn() -> Command + 'a>,
    check: Box<dyn Fn() -> Result<(), String> + 'a>,
    rounds: usize,
}

impl<'a> Program<'a> {
    /// The program that `command` starts, which begins from nothing each time. `check` sees to it that the job was done.
    pub fn new(
        name: &'a str,
        command: impl Fn() -> Command + 'a,
        check: impl Fn() -> Result<(), String> + 'a,
    ) -> Self {
        Self { name, command: Box::new(command), check: Box::new(check), rounds: usize::MAX }
    }

    /// Says that it takes so long that once must do.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.rounds = 1;
        self
    }
}

/// Runs the programs in turns, `rounds` times, and prints the medians and their ratios to the first.
///
/// # Panics
/// When one of them fails or has not done its job: there is no figure for that.
pub fn compare(programs: &[Program<'_>], rounds: usize) {
    let mut samples = vec![Vec::new(); programs.len()];
    for round in 0..rounds {
        for (program, samples) in
            programs.iter().zip(&mut samples).filter(|(program, _)| round < program.rounds)
        {
            let usage =
                run(&mut (program.command)()).unwrap_or_else(|error| panic!("{}: {error}", program.name));
            (program.check)().unwrap_or_else(|error| panic!("{}: {error}", program.name));
            samples.push(usage);
        }
    }
    let cpu = |index: usize| median(&samples[index], |usage| usage.cpu).as_secs_f64();
    let (unit, in_units) = if cpu(0) < 0.01 { ("ms", 1e3) } else { ("s", 1.0) };
    let rows = programs.iter().zip(&samples).enumerate().map(|(index, (program, samples))| {
        let wall = median(samples, |usage| usage.wall).as_secs_f64();
        let peak = median(samples, |usage| usage.peak) as f64 / f64::from(1 << 20);
        vec![
            program.name.to_owned(),
            format!("{:.3}", cpu(index) * in_units),
            format!("{:.2}", cpu(index) / cpu(0)),
            format!("{:.3}", wall * in_units),
            format!("{peak:.1}"),
        ]
    });
    let heads = ["", &format!("CPU {unit}"), "ratio", &format!("wall {unit}"), "peak MiB"];
    table::print(&heads, &rows.collect::<Vec<_>>());
}

/// Runs a command to its end.
///
/// # Errors
/// When it cannot be started, or fails.
pub fn run(command: &mut Command) -> Result<Usage, String> {
    let start = Instant::now();
    let child = command.stdin(Stdio::null()).spawn();
    let mut child = child.map_err(|error| format!("cannot start {command:?}: {error}"))?;
    let ended = child.wait4().map_err(|error| format!("{command:?}: {error}"))?;
    let wall = start.elapsed();
    if !ended.status.success() {
        return Err(format!("{command:?} ended with {}", ended.status));
    }
    Ok(Usage { wall, cpu: ended.rusage.utime + ended.rusage.stime, peak: ended.rusage.maxrss })
}

/// A program that was built beside this one.
///
/// # Panics
/// When this program cannot tell where it is.
#[must_use]
pub fn sibling(name: &str) -> PathBuf {
    std::env::current_exe().expect("the path of this program").with_file_name(name)
}

/// nuncio itself, with the service file of `bench/`.
#[must_use]
pub fn nuncio(command: &str, base_url: &str) -> Command {
    let mut nuncio = Command::new(sibling("nuncio"));
    nuncio.args([
        command,
        "--base-url",
        base_url,
        "--file",
        concat!(env!("CARGO_MANIFEST_DIR"), "/service.yaml"),
    ]);
    nuncio.env("BENCH_TOKEN", "made-up-token").stdout(Stdio::null()).stderr(Stdio::null());
    nuncio
}

/// An empty folder for the files of a job, beside the programs.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn workplace(job: &str) -> PathBuf {
    let folder = sibling("bench-files").join(job);
    // It need not be there yet.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}
