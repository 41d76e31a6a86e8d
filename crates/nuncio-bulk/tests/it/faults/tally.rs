//! How often what was met, and what came of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::case::Report;

#[derive(Default)]
pub(super) struct Tally {
    /// Faults by name.
    met: BTreeMap<&'static str, u64>,
    /// Runs by the name of each fault that they met and by outcome.
    outcomes: BTreeMap<(&'static str, &'static str), u64>,
    runs: u64,
    ok: u64,
}

impl Tally {
    pub(super) fn add(&mut self, report: &Report) {
        for run in &report.runs {
            self.runs += 1;
            self.ok += u64::from(run.outcome == "ok");
            let mut names: Vec<_> = run.faults.iter().map(|fault| fault.name()).collect();
            for name in &names {
                *self.met.entry(name).or_default() += 1;
            }
            names.sort_unstable();
            names.dedup();
            for name in names {
                *self.outcomes.entry((name, run.outcome)).or_default() += 1;
            }
        }
    }

    pub(super) fn faults(&self) -> u64 {
        self.met.values().sum()
    }

    pub(super) fn text(&self, seed: u64, cases: usize, peak: Option<u64>) -> String {
        let mut text = format!(
            "faults: seed {seed}, {} faults in {} runs of {cases} cases, {} runs ended well, peak memory {} MiB\n",
            self.faults(),
            self.runs,
            self.ok,
            peak.map_or_else(|| "unknown".to_owned(), |kib| (kib / 1024).to_string()),
        );
        for (name, count) in &self.met {
            let of = self.outcomes.iter().filter(|((fault, _), _)| fault == name);
            let outcomes: Vec<_> = of.map(|((_, outcome), count)| format!("{outcome} {count}")).collect();
            let _ = writeln!(text, "  {name:<22} {count:>5}   runs: {}", outcomes.join(", "));
        }
        text
    }
}
