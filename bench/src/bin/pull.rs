//! Every record of a list in a file: pages of 100 records of about 400 bytes.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nuncio_bench::children::{Program, compare, nuncio, sibling, workplace};
use nuncio_bench::records::check;
use nuncio_bench::server::Server;

fn main() {
    for (pages, rounds) in [(1_000, 5), (10_000, 3)] {
        println!("pull, {pages} pages by cursor, medians of {rounds} rounds in turns\n");
        by_cursor(pages, rounds);
    }
    println!("\npull, 1000 pages by number, with a total\n");
    by_number(1_000, Duration::ZERO, 5);
    println!("\npull, 200 pages by number, with a total, from a server that takes 50 ms for each answer\n");
    by_number(200, Duration::from_millis(50), 3);
}

fn by_cursor(pages: u64, rounds: usize) {
    let (files, server) = (workplace("pull"), Server::start(pages, Duration::ZERO));
    let programs = [
        rival("hyper, records split without a tree", "hyper", pages, &server, &files),
        rival("reqwest, records split without a tree", "reqwest", pages, &server, &files),
        rival("reqwest, serde_json::Value", "value", pages, &server, &files),
        pull("nuncio pull", "records.list", "nuncio.jsonl", &[], pages, &server, &files),
        filtered("nuncio call --all --jq", pages, &server, &files),
        pull("nuncio pull, CSV", "records.list", "nuncio.csv", &[], pages, &server, &files),
    ];
    compare(&programs, rounds);
}

fn by_number(pages: u64, delay: Duration, rounds: usize) {
    let (files, server) = (workplace("pull"), Server::start(pages, delay));
    let pull = |name, in_flight| {
        pull(name, "records.pages", "nuncio.jsonl", &["--concurrency", in_flight], pages, &server, &files)
    };
    compare(&[pull("nuncio pull, one after the other", "1"), pull("nuncio pull, 8 in flight", "8")], rounds);
}

fn rival<'a>(name: &'a str, way: &'a str, pages: u64, server: &'a Server, files: &Path) -> Program<'a> {
    let to = files.join(way).with_extension("jsonl");
    let written = to.clone();
    let command = move || {
        let mut command = Command::new(sibling("nuncio-bench"));
        command.args(["pull", way, &server.address.to_string()]).arg(&to);
        command
    };
    Program::new(name, command, move || check(&written, pages, 0))
}

fn pull<'a>(
    name: &'a str,
    operation: &'a str,
    file: &str,
    flags: &[&'a str],
    pages: u64,
    server: &'a Server,
    files: &Path,
) -> Program<'a> {
    let to = files.join(file);
    let written = to.clone();
    let flags = flags.to_vec();
    let heads = usize::from(file.ends_with(".csv"));
    let command = move || {
        let mut command = nuncio("pull", &format!("http://{}", server.address));
        command.args(["bench", operation, "--restart", "--to"]).arg(&to).args(&flags);
        command
    };
    Program::new(name, command, move || check(&written, pages, heads))
}

/// Its output is its standard output.
fn filtered<'a>(name: &'a str, pages: u64, server: &'a Server, files: &Path) -> Program<'a> {
    let to = files.join("filtered.jsonl");
    let written = to.clone();
    let command = move || {
        let mut command = nuncio("call", &format!("http://{}", server.address));
        command.args(["bench", "records.list", "--all", "--jq", "{id, total, email: .customer.email}"]);
        command.stdout(File::create(&to).expect("a file to write"));
        command
    };
    Program::new(name, command, move || check(&written, pages, 0))
}
