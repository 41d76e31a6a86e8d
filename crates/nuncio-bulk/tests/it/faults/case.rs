//! One case: a call, a pull or a run of `each`, struck until it is let alone.

use std::future::pending;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nuncio_bulk::Error;
use nuncio_bulk::each::{self, each};
use nuncio_bulk::pull::{self, pull};
use nuncio_client::{Evidence, Kind};
use nuncio_faults::{ClosedPort, Fault, Proxy};
use nuncio_service::{Connection, Inputs};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::allowed::is_allowed;
use super::shop::Shop;

/// Runs that are struck, of a pull or of `each`, before one is let alone.
const STRUCK_RUNS: usize = 4;

/// Items of a run of `each`.
const ITEMS: usize = 6;

/// What the client says about something that should be done once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// It was done: exactly once.
    Done,
    /// It was not.
    NotDone,
    /// No one knows: once at most.
    Unknown,
}

/// What became of a case.
#[derive(Default)]
pub(super) struct Report {
    pub(super) runs: Vec<Run>,
    /// By reference.
    pub(super) claims: Vec<(String, Claim)>,
    /// What should not have been.
    pub(super) wrong: Vec<String>,
}

/// One run, and what it met.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) faults: Vec<Fault>,
    /// `ok`, or the name of a kind of error.
    pub(super) outcome: &'static str,
}

impl Report {
    pub(super) fn broken(how: String) -> Self {
        Self { wrong: vec![how], ..Self::default() }
    }

    /// Notes a run that ended in errors of these kinds, or in none.
    fn note(&mut self, faults: Vec<Fault>, errors: &[(Kind, String)]) {
        for (kind, told) in errors {
            if !is_allowed(*kind, &faults) {
                self.wrong.push(format!("{kind} after {faults:?}: {told}"));
            }
        }
        let outcome = errors.first().map_or("ok", |(kind, _)| kind.name());
        self.runs.push(Run { faults, outcome });
    }
}

/// Decides which exchange is struck, and with what.
struct Trouble {
    seed: u64,
    /// The share of exchanges that are struck.
    share: f64,
    is_over: AtomicBool,
}

impl Trouble {
    fn strike(&self, exchange: usize) -> Option<Fault> {
        let seed = self.seed ^ (exchange as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut rng = fastrand::Rng::with_seed(seed);
        let is_struck = rng.f64() < self.share && !self.is_over.load(Ordering::SeqCst);
        is_struck.then(|| Fault::draw(&mut rng))
    }
}

pub(super) struct Case {
    number: u64,
    rng: fastrand::Rng,
}

impl Case {
    pub(super) fn new(seed: u64, number: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let seed = rng.u64(..) ^ number.wrapping_mul(0x2545_F491_4F6C_DD1D);
        Self { number, rng: fastrand::Rng::with_seed(seed) }
    }

    pub(super) async fn run(mut self, shop: &Shop) -> Report {
        let keyed = self.rng.bool();
        // The first half of what can be asked for is plain calls.
        let (kind, share) = match self.rng.u8(..6) {
            0..=2 => (0, 0.75),
            3 => (1, 0.25),
            _ => (2, 0.4),
        };
        let trouble = Arc::new(Trouble { seed: self.rng.u64(..), share, is_over: AtomicBool::new(false) });
        let port = ClosedPort::bind().expect("a free port");
        let url = port.url().expect("bound");
        let connection = shop.connect(&url, keyed);
        let mut report = Report::default();
        if self.rng.u8(..20) == 0 {
            self.refused(&connection, &mut report).await;
        }
        let plan = Arc::clone(&trouble);
        let proxy =
            port.open(shop.origin(), move |exchange| plan.strike(exchange)).expect("the port is ours");
        match kind {
            0 => self.call(shop, &connection, &proxy, &mut report).await,
            1 => self.pull(shop, &connection, &proxy, &trouble, &mut report).await,
            _ => self.each(&connection, keyed, &proxy, &trouble, &mut report).await,
        }
        report
    }

    /// A call while nobody listens yet.
    async fn refused(&self, connection: &Connection, report: &mut Report) {
        let reference = format!("refused-{}", self.number);
        let told = order(connection, &reference).await;
        match told {
            Err(error) if (error.kind(), error.evidence()) == (Kind::Connect, Evidence::NeverSent) => {}
            other => report.wrong.push(format!("a closed port is no connection: {other:?}")),
        }
        report.claims.push((reference, Claim::NotDone));
    }

    async fn call(&mut self, shop: &Shop, connection: &Connection, proxy: &Proxy, report: &mut Report) {
        let told = if self.rng.bool() {
            let row = &shop.rows[self.rng.usize(..shop.rows.len())];
            let inputs = Inputs::from([("id", row["id"].to_string())]);
            let told = match connection.call("rows.get", inputs).expect("valid").send().await {
                Ok(answer) => answer.value(),
                Err(error) => Err(error),
            };
            if let Ok(found) = &told
                && found != row
            {
                report.wrong.push(format!("{found} is not {row}"));
            }
            told
        } else {
            let reference = format!("call-{}", self.number);
            let told = order(connection, &reference).await;
            let claim = told.as_ref().map_or_else(|error| claim(error.evidence()), |_| Claim::Done);
            report.claims.push((reference, claim));
            told
        };
        let error = told.err().map(|error| (error.kind(), error.report()));
        report.note(proxy.take_struck(), error.as_slice());
    }

    /// Pulls until the list is complete; struck a few times, then let alone.
    async fn pull(
        &mut self,
        shop: &Shop,
        connection: &Connection,
        proxy: &Proxy,
        trouble: &Trouble,
        report: &mut Report,
    ) {
        let (name, expected) =
            if self.rng.bool() { ("rows.list", &shop.rows) } else { ("items.list", &shop.items) };
        let mut pages = connection.pages(name).expect("a list");
        pages.parallel = self.rng.usize(1..4).try_into().expect("not zero");
        let dir = TempDir::new().expect("a folder");
        let path = dir.path().join("records.jsonl");
        let mut last = String::new();
        for run in 0..=STRUCK_RUNS {
            if run == STRUCK_RUNS {
                trouble.is_over.store(true, Ordering::SeqCst);
            }
            let start = |checkpoint| {
                let call = connection.call(name, Inputs::default())?;
                match checkpoint {
                    Some(checkpoint) => call.resume(&pages, checkpoint),
                    None => call.pages(&pages),
                }
            };
            let told = pull(pull::Options::to_file(&path, name), start, |_| {}, pending()).await;
            let faults = proxy.take_struck();
            match told {
                Ok(summary) if summary.complete => {
                    report.note(faults, &[]);
                    let records: Vec<Value> = lines(&path);
                    if records != *expected {
                        report.wrong.push(format!("a pull that is complete has {} records", records.len()));
                    }
                    return;
                }
                Ok(summary) => report.wrong.push(format!("neither complete nor an error: {summary:?}")),
                Err(Error::Call(error)) => {
                    last = error.report();
                    report.note(faults, &[(error.kind(), last.clone())]);
                }
                Err(other) => report.wrong.push(other.to_string()),
            }
        }
        report.wrong.push(format!("a pull that is let alone ends in {last}"));
    }

    /// Makes a call for each item until all have one that succeeded, or may have; struck a few times, then let alone.
    async fn each(
        &mut self,
        connection: &Connection,
        keyed: bool,
        proxy: &Proxy,
        trouble: &Trouble,
        report: &mut Report,
    ) {
        let reference = |index: usize| format!("each-{}-{index}", self.number);
        let input: String =
            (0..ITEMS).map(|index| format!("{}\n", json!({ "ref": reference(index) }))).collect();
        let dir = TempDir::new().expect("a folder");
        let mut options = each::Options::new(dir.path().join("run"), "shop orders.create");
        options.concurrency = self.rng.usize(1..4).try_into().expect("not zero");
        options.retry_failed = true;
        options.retry_unknown = keyed;
        for run in 0..=STRUCK_RUNS {
            if run == STRUCK_RUNS {
                trouble.is_over.store(true, Ordering::SeqCst);
            }
            let make_call = |item: &each::Item| {
                let reference = item.value["ref"].as_str().unwrap_or_default();
                connection.call("orders.create", Inputs::from([("ref", reference)]))
            };
            let input = io::Cursor::new(input.clone());
            let told = each(input, options.clone(), make_call, |_| {}, pending()).await;
            if let Err(error) = told {
                report.wrong.push(error.to_string());
                return;
            }
            let failures: Vec<Told> = lines(&options.failures);
            // An error from an earlier run that was not tried again belongs to the faults of that run.
            let is_new = |failure: &&Told| keyed || run == 0 || !failure.is_unknown();
            let errors: Vec<_> = failures.iter().filter(is_new).map(Told::error).collect();
            report.note(proxy.take_struck(), &errors);
        }
        let (results, failures): (Vec<Told>, Vec<Told>) = (lines(&options.results), lines(&options.failures));
        let mut told: Vec<usize> = results.iter().chain(&failures).map(|line| line.index).collect();
        told.sort_unstable();
        if told != (0..ITEMS).collect::<Vec<_>>() {
            report.wrong.push(format!("items are told of as {told:?}"));
        }
        report.claims.extend(results.iter().map(|line| (reference(line.index), Claim::Done)));
        for failure in &failures {
            if keyed || !failure.is_unknown() {
                report.wrong.push(format!("an item that is let alone fails: {failure:?}"));
            }
            report.claims.push((reference(failure.index), Claim::Unknown));
        }
    }
}

/// A line of results or of failures.
#[derive(Debug, Deserialize)]
struct Told {
    index: usize,
    fate: Option<String>,
    error: Option<ToldError>,
}

#[derive(Debug, Deserialize)]
struct ToldError {
    kind: String,
    message: String,
}

impl Told {
    fn is_unknown(&self) -> bool {
        self.fate.as_deref() == Some("unknown")
    }

    fn error(&self) -> (Kind, String) {
        let error = self.error.as_ref().expect("a failure has one");
        let kinds = [Kind::Connect, Kind::Timeout, Kind::Decode, Kind::TooLarge, Kind::Status, Kind::Limit];
        let kind = kinds.into_iter().find(|kind| error.kind == kind.name());
        // No other is allowed after any fault.
        (kind.unwrap_or(Kind::Configuration), error.message.clone())
    }
}

async fn order(connection: &Connection, reference: &str) -> Result<Value, nuncio_client::Error> {
    let call = connection.call("orders.create", Inputs::from([("ref", reference)]))?;
    // That the words behind a success cannot be read does not undo it.
    Ok(call.send().await?.value().unwrap_or_default())
}

fn claim(evidence: Evidence) -> Claim {
    match evidence {
        Evidence::NeverSent | Evidence::Rejected => Claim::NotDone,
        Evidence::Unknown => Claim::Unknown,
    }
}

fn lines<T: DeserializeOwned>(path: &Path) -> Vec<T> {
    let text = std::fs::read_to_string(path).expect("the file is there");
    text.lines().map(|line| serde_json::from_str(line).expect("a whole line")).collect()
}
