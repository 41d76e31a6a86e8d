//! Calls, pulls and runs of `each` against a sandbox behind a proxy that strikes their exchanges with random faults.
//!
//! The sandbox counts what was really done, and what the client claims must agree with it: see [`Claim`](case::Claim).
//! `NUNCIO_FAULT_SEED` chooses the faults; `NUNCIO_FAULT_CASE` runs one case alone and tells what it met.

mod allowed;
mod case;
mod shop;
mod tally;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};

use case::{Case, Claim, Report};
use shop::Shop;
use tally::Tally;

const DEFAULT_SEED: u64 = 20_261_124;
const CASES: u64 = 1_300;
const FEWEST_FAULTS: u64 = 2_000;
const AT_A_TIME: usize = 64;

/// The most memory that this process may ever have had: a bomb that inflates would be far above.
const MAX_PEAK_KIB: u64 = 512 * 1024;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_breaks_every_call_ends_rightly_and_nothing_is_lost_or_done_twice() {
    let seed = number("NUNCIO_FAULT_SEED").unwrap_or(DEFAULT_SEED);
    let only = number("NUNCIO_FAULT_CASE");
    let numbers = only.map_or(0..CASES, |only| only..only + 1);
    let shop = Arc::new(Shop::open().await);

    let reports = stream::iter(numbers)
        .map(|number| {
            let shop = Arc::clone(&shop);
            let task = tokio::spawn(async move { Case::new(seed, number).run(&shop).await });
            async move { (number, task.await.unwrap_or_else(|panic| Report::broken(panic.to_string()))) }
        })
        .buffer_unordered(AT_A_TIME)
        .collect::<Vec<_>>()
        .await;

    let applied = shop.applied();
    let mut tally = Tally::default();
    let mut broken = String::new();
    for (number, report) in &reports {
        tally.add(report);
        let wrong = report.wrong.iter().cloned().chain(disproved(report, &applied));
        for wrong in wrong {
            let again = "cargo test --package nuncio-bulk --test it whatever_breaks";
            let _ = writeln!(
                broken,
                "case {number}: {wrong}\n    again: NUNCIO_FAULT_SEED={seed} NUNCIO_FAULT_CASE={number} {again}"
            );
        }
        if only.is_some() {
            let _ = writeln!(std::io::stderr(), "case {number} met {:#?}", report.runs);
        }
    }
    let peak = peak_kib();
    // Not by a macro, which the test harness would keep for itself.
    let _ = writeln!(std::io::stderr(), "{}", tally.text(seed, reports.len(), peak));
    assert!(broken.is_empty(), "{broken}");
    assert!(only.is_some() || tally.faults() >= FEWEST_FAULTS, "only {} faults were met", tally.faults());
    assert!(peak.is_none_or(|peak| peak < MAX_PEAK_KIB), "{peak:?} KiB");
}

/// The claims of a case that the sandbox does not bear out.
fn disproved(report: &Report, applied: &HashMap<String, u64>) -> Vec<String> {
    let claims = report.claims.iter().filter_map(|(reference, claim)| {
        let times = applied.get(reference).copied().unwrap_or_default();
        let holds = match claim {
            Claim::Done => times == 1,
            Claim::NotDone => times == 0,
            Claim::Unknown => times <= 1,
        };
        (!holds).then(|| format!("{reference} is said to be {claim:?} and was applied {times} times"))
    });
    claims.collect()
}

/// The most memory that this process has had so far, where the system tells.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
