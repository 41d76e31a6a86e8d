//! A POST for each item of a file, 32 in flight.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nuncio_bench::children::{Program, compare, nuncio, sibling, workplace};
use nuncio_bench::connection::Connection;
use nuncio_bench::peers::{installed, or_skip, python, script};
use nuncio_bench::rivals::each::IN_FLIGHT;
use nuncio_bench::server::Server;
use nuncio_bench::way::runtime;

const ITEMS: u64 = 20_000;
const ROUNDS: usize = 3;

fn main() {
    println!(
        "each, {ITEMS} POSTs, {IN_FLIGHT} in flight, medians of {ROUNDS} rounds in turns, what takes long once\n"
    );
    let (files, server) = (workplace("each"), Server::start(1, Duration::ZERO));
    let items = files.join("items.jsonl");
    std::fs::write(&items, lines()).expect("room on the disk");
    let mut programs = vec![
        rival("hyper", "hyper", &server, &items),
        rival("reqwest", "reqwest", &server, &items),
        each("nuncio each", &server, &items),
    ];
    let node = or_skip("node", installed("node"));
    programs.extend(node.map(|node| peer("node, fetch", node, "each.mjs", &server, &items).once()));
    let python = or_skip("Python", python());
    let httpx = |python| peer("Python, httpx and tenacity", python, "each_httpx.py", &server, &items).once();
    programs.extend(python.map(httpx));
    compare(&programs, ROUNDS);
}

fn lines() -> String {
    (0..ITEMS).fold(String::new(), |mut lines, number| {
        let line = writeln!(
            lines,
            r#"{{"email":"person-{number}@example.com","name":"Person {number}","balance":{number},"note":"not sent"}}"#
        );
        line.expect("room for text");
        lines
    })
}

fn rival<'a>(name: &'a str, way: &'a str, server: &'a Server, items: &'a Path) -> Program<'a> {
    let results = items.with_file_name(way).with_extension("jsonl");
    let written = results.clone();
    let command = move || {
        let mut command = Command::new(sibling("nuncio-bench"));
        command.args(["each", way, &server.address.to_string()]).arg(items).arg(&results);
        command
    };
    Program::new(name, command, move || check(&written, server))
}

fn each<'a>(name: &'a str, server: &'a Server, items: &'a Path) -> Program<'a> {
    let command = move || {
        let mut command = nuncio("each", &format!("http://{}", server.address));
        command.args([
            "bench",
            "items.create",
            "--restart",
            "--concurrency",
            &IN_FLIGHT.to_string(),
            "--from",
        ]);
        command.arg(items).args([
            "email={{ item.email }}",
            "name={{ item.name }}",
            "balance={{ item.balance }}",
        ]);
        command
    };
    let results = items.with_file_name("items.jsonl.results.jsonl");
    Program::new(name, command, move || check(&results, server))
}

fn peer<'a>(name: &'a str, by: PathBuf, file: &'a str, server: &'a Server, items: &'a Path) -> Program<'a> {
    let results = items.with_file_name(file).with_extension("jsonl");
    let written = results.clone();
    let command = move || {
        let mut command = Command::new(&by);
        command.arg(script(file)).arg(format!("http://{}", server.address)).arg(items).arg(&results);
        command
    };
    Program::new(name, command, move || check(&written, server))
}

/// Sees to it that each item was sent once, and that the answer to each was written.
fn check(results: &Path, server: &Server) -> Result<(), String> {
    let results =
        std::fs::read_to_string(results).map_err(|error| format!("{}: {error}", results.display()))?;
    let ids = results.lines().filter_map(|line| line.get(line.find("item_")?..)?.get(..13));
    let written = ids.collect::<HashSet<_>>().len() as u64;
    let sent = runtime().block_on(async { Connection::open(server.address).await.get("/v1/posts").await });
    if sent == ITEMS.to_string() && written == ITEMS {
        return Ok(());
    }
    Err(format!("{sent:?} items were sent, {written} results were written"))
}
