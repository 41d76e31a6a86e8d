//! Every record of a list in a file: pages of 100 records of about 400 bytes.

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use nuncio_bench::children::{Program, compare, nuncio, sibling, workplace};
use nuncio_bench::peers::{installed, or_skip, python, script};
use nuncio_bench::records::{PER_PAGE, check};
use nuncio_bench::server::Server;

fn main() {
    println!("pull, 1000 pages by cursor, medians of 5 rounds in turns, what takes long once\n");
    let job = Job::new(1_000, Duration::ZERO);
    let mut programs = job.in_rust();
    let node = or_skip("node", installed("node"));
    programs.extend(node.map(|node| job.script("node, fetch", node, "pull.mjs", "node.jsonl").once()));
    if let Some(python) = or_skip("Python", python()) {
        programs.push(
            job.script("Python, httpx and tenacity", python.clone(), "pull_httpx.py", "httpx.jsonl").once(),
        );
        programs.push(job.dlt(python.clone()).once());
        programs.push(job.airbyte(python).once());
    }
    compare(&programs, 5);

    println!("\npull, 10000 pages by cursor, medians of 3 rounds in turns\n");
    compare(&Job::new(10_000, Duration::ZERO).in_rust(), 3);
    println!("\npull, 1000 pages by number, with a total, medians of 5 rounds in turns\n");
    compare(&Job::new(1_000, Duration::ZERO).by_number(), 5);
    println!(
        "\npull, 200 pages by number, with a total, 50 ms for each answer, medians of 3 rounds in turns\n"
    );
    compare(&Job::new(200, Duration::from_millis(50)).by_number(), 3);
}

struct Job {
    pages: u64,
    server: Server,
    files: PathBuf,
}

impl Job {
    fn new(pages: u64, delay: Duration) -> Self {
        Self { pages, server: Server::start(pages, delay), files: workplace("pull") }
    }

    fn in_rust(&self) -> Vec<Program<'_>> {
        vec![
            self.rival("hyper, records split without a tree", "hyper"),
            self.rival("reqwest, records split without a tree", "reqwest"),
            self.rival("reqwest, serde_json::Value", "value"),
            self.pull("nuncio pull", "records.list", "nuncio.jsonl", &[]),
            self.filtered("nuncio call --all --jq, of three keys", "{id, total, email: .customer.email}"),
            self.filtered("nuncio call --all --jq, select by one key", "select(.total > 100)"),
            self.filtered("nuncio call --all --jq, of the whole record", ".lines |= map(.price)"),
            self.pull("nuncio pull, CSV", "records.list", "nuncio.csv", &[]),
        ]
    }

    fn by_number(&self) -> [Program<'_>; 2] {
        let pull =
            |name, in_flight| self.pull(name, "records.pages", "nuncio.jsonl", &["--concurrency", in_flight]);
        [pull("nuncio pull, one after the other", "1"), pull("nuncio pull, 8 in flight", "8")]
    }

    fn base_url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// A program that writes the records to `file`.
    fn program<'a>(
        &'a self,
        name: &'a str,
        file: &str,
        command: impl Fn(&PathBuf) -> Command + 'a,
    ) -> Program<'a> {
        let to = self.files.join(file);
        let written = to.clone();
        Program::new(name, move || command(&to), move || check(&written, self.pages))
    }

    fn rival<'a>(&'a self, name: &'a str, way: &'a str) -> Program<'a> {
        self.program(name, &format!("{way}.jsonl"), move |to| {
            let mut command = Command::new(sibling("nuncio-bench"));
            command.args(["pull", way, &self.server.address.to_string()]).arg(to);
            command
        })
    }

    fn pull<'a>(&'a self, name: &'a str, operation: &'a str, file: &str, flags: &[&'a str]) -> Program<'a> {
        let flags = flags.to_vec();
        self.program(name, file, move |to| {
            let mut command = nuncio("pull", &self.base_url());
            command.args(["bench", operation, "--restart", "--to"]).arg(to).args(&flags);
            command
        })
    }

    fn filtered<'a>(&'a self, name: &'a str, filter: &'a str) -> Program<'a> {
        self.program(name, "filtered.jsonl", move |to| {
            let mut command = nuncio("call", &self.base_url());
            command.args(["bench", "records.list", "--all", "--jq", filter]);
            command.stdout(File::create(to).expect("a file to write"));
            command
        })
    }

    fn script<'a>(&'a self, name: &'a str, by: PathBuf, file: &'a str, to: &str) -> Program<'a> {
        self.program(name, to, move |to| {
            let mut command = Command::new(&by);
            command.arg(script(file)).arg(self.base_url()).arg(to);
            command
        })
    }

    /// It writes several files, in an order of its own, and counts the records itself.
    fn dlt(&self, python: PathBuf) -> Program<'_> {
        let arguments: [OsString; 4] = [
            script("pull_dlt.py").into(),
            self.base_url().into(),
            self.files.join("dlt").into(),
            (self.pages * PER_PAGE).to_string().into(),
        ];
        let command = move || {
            let mut command = Command::new(&python);
            command.args(&arguments);
            command
        };
        Program::new("Python, dlt", command, || Ok(()))
    }

    fn airbyte(&self, python: PathBuf) -> Program<'_> {
        self.program("Python, airbyte-cdk", "airbyte.jsonl", move |to| {
            let mut command = Command::new(&python);
            command.arg(script("pull_airbyte.py")).arg(self.base_url()).arg(&self.files);
            command.stdout(File::create(to).expect("a file to write"));
            command
        })
    }
}
