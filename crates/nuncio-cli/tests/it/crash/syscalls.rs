//! `pull` and `each`, killed or out of room at every single write, flush, rename and cut of their files.
//!
//! Where `strace` is missing or may not trace, this is skipped: the kills at random points are the proof then.

use std::process::{Command, Output};

use crate::support::{Home, Ran};

use super::each::{indexes, keyed};
use super::life::run;
use super::pull::pull;
use super::shop::{RECORDS, Shop, items};

/// What is done to files.
const CALLS: [&str; 5] = ["write", "fdatasync", "fsync", "rename", "ftruncate"];

/// More than any run here does of one kind.
const MAX_STRIKES: usize = 100;

/// `command`, traced where it does one of [`CALLS`] to one of `files`.
fn traced(command: &Command, home: &Home, files: &[&str], more: &[&str]) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-y", "-e", &format!("trace={}", CALLS.join(","))]).args(more);
    for file in files {
        strace.arg("-P").arg(home.path(file));
    }
    strace.arg(command.get_program()).args(command.get_args());
    strace.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    strace.current_dir(home.dir.path());
    strace
}

pub(super) fn can_trace() -> bool {
    let probe = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "-e", "inject=fsync:signal=KILL", "true"])
        .output();
    let can = probe.is_ok_and(|probe| probe.status.success());
    if !can {
        eprintln!("skipped: strace is missing or may not trace here");
    }
    can
}

/// Lets `what` happen at the first of each kind of call, at the second, and so on, each time in a new home, until a run comes to its end
/// first. `check` goes on from what is left. How often it struck.
async fn strike_everywhere(
    what: &str,
    files: &[&str],
    new_home: impl Fn() -> (Home, Command),
    check: impl AsyncFn(&Home, Command, &str),
) -> usize {
    let mut strikes = 0;
    for call in CALLS {
        for number in 1.. {
            assert!(number < MAX_STRIKES, "{call} is never done");
            let (home, command) = new_home();
            let inject = format!("inject={call}:{what}:when={number}");
            let output =
                traced(&command, &home, files, &["-o", "/dev/null", "-e", &inject]).output().unwrap();
            if output.status.success() {
                break;
            }
            strikes += 1;
            assert_ended_in_order(&output, &inject);
            check(&home, command, &inject).await;
        }
    }
    strikes
}

/// Killed, or with an error that says why.
fn assert_ended_in_order(output: &Output, at: &str) {
    let err = String::from_utf8_lossy(&output.stderr);
    if at.contains("signal=KILL") {
        assert_eq!((output.status.code(), err.as_ref()), (None, ""), "{at}");
    } else {
        assert_eq!(output.status.code(), Some(1), "{at}: {err}");
        assert!(
            err.starts_with("nuncio: cannot write ") && err.contains("No space left on device"),
            "{at}: {err}"
        );
    }
}

const PULL_FILES: &[&str] = &["out.jsonl", "out.jsonl.state", "out.jsonl.state.new"];

/// A pull of three pages.
fn new_pull(url: &str) -> (Home, Command) {
    let home = Home::new();
    let path = home.path("out.jsonl");
    let args = pull(url, &["--cursor", "next", "--max-pages", "3"], path.to_str().unwrap());
    let command = home.command(&args);
    (home, command)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_struck_at_any_call_goes_on() {
    if !can_trace() {
        return;
    }
    let shop = Shop::open().await;
    let url = format!("{}/orders", shop.url);
    let whole: String = Shop::all_records().split_inclusive('\n').take(3 * RECORDS as usize).collect();
    let check = async |home: &Home, command, at: &str| {
        run(command).await.ends_with(0);
        assert_eq!(home.read("out.jsonl"), whole, "{at}");
        assert!(!home.path("out.jsonl.state.new").exists(), "{at}");
    };
    for what in ["signal=KILL", "error=ENOSPC"] {
        let strikes = strike_everywhere(what, PULL_FILES, || new_pull(&url), check).await;
        eprintln!("{what}: {strikes} strikes");
        // Each page is written, flushed, noted, and the note flushed and renamed.
        assert!(strikes >= 15, "{what} struck {strikes} times");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_each_struck_at_any_call_goes_on() {
    if !can_trace() {
        return;
    }
    let shop = Shop::open().await;
    let args = ["--concurrency", "1"];
    let new_each = || {
        let (home, keyed) = keyed(&shop, &items(3));
        // By their full names, as strace wants them.
        let path = |end: &str| home.path(&format!("in.jsonl.{end}")).to_str().unwrap().to_owned();
        let mut command = home.command(&[&keyed[..], &args].concat());
        command.args(["--results", &path("results.jsonl"), "--failures", &path("failures.jsonl")]);
        command.args(["--state", &path("journal")]);
        (home, command)
    };
    let files = &["in.jsonl.journal", "in.jsonl.results.jsonl", "in.jsonl.failures.jsonl"];
    let check = async |home: &Home, command, at: &str| {
        run(command).await.ends_with(0);
        assert_eq!(indexes(home, "in.jsonl.results.jsonl"), [0, 1, 2], "{at}");
    };
    let mut runs = 0;
    for what in ["signal=KILL", "error=ENOSPC"] {
        let strikes = strike_everywhere(what, files, new_each, check).await;
        eprintln!("{what}: {strikes} strikes");
        // The beginnings are written and flushed, and the results; what comes fast is gathered.
        assert!(strikes >= 8, "{what} struck {strikes} times");
        runs += strikes + CALLS.len();
    }
    // In the end each run was done, and each item of it once.
    let taken = shop.orders_taken();
    assert!(taken.values().all(|times| *times as usize == runs), "{runs} runs, {taken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_noted_was_on_disk_before() {
    if !can_trace() {
        return;
    }
    let shop = Shop::open().await;
    let url = format!("{}/orders", shop.url);
    let (home, command) = new_pull(&url);
    let trace = home.path("trace");
    Ran::from(traced(&command, &home, PULL_FILES, &["-o", trace.to_str().unwrap()]).output().unwrap())
        .ends_with(0);
    let (mut output_is_flushed, mut note_is_flushed, mut notes) = (true, true, 0);
    for line in home.read("trace").lines() {
        let is_note = line.contains("out.jsonl.state");
        if line.contains("write(") {
            *(if is_note { &mut note_is_flushed } else { &mut output_is_flushed }) = false;
        } else if line.contains("fdatasync(") || line.contains("fsync(") {
            *(if is_note { &mut note_is_flushed } else { &mut output_is_flushed }) = true;
        } else if line.contains("rename(") {
            assert!(output_is_flushed && note_is_flushed, "{}", home.read("trace"));
            notes += 1;
        }
    }
    // At the beginning, after the first page, and at the end; pages that come fast are noted together.
    assert!((3..=4).contains(&notes), "{}", home.read("trace"));
}
