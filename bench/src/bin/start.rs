//! Cold start: a process that does next to nothing, from its start to its end.

use std::process::{Command, Stdio};

use nuncio_bench::children::{Program, compare, sibling};
use nuncio_bench::peers::{installed, or_skip, python};

const ROUNDS: usize = 31;

fn main() {
    println!("start, medians of {ROUNDS} rounds in turns\n");
    let nuncio = sibling("nuncio");
    let dry_run = ["call", "--dry-run", "stripe", "customers.get", "customer=cus_1"];
    let mut programs = vec![
        program("true, a process that does nothing", "true", &[]),
        program("nuncio --version", &nuncio, &["--version"]),
        program("nuncio call --dry-run, of the catalog", &nuncio, &dry_run),
    ];
    let curl = or_skip("curl", installed("curl"));
    programs.extend(curl.map(|curl| program("curl --version", curl, &["--version"])));
    let restish = or_skip("restish", installed("restish"));
    programs.extend(restish.map(|restish| program("restish --version", restish, &["--version"])));
    let python = or_skip("Python", python());
    programs
        .extend(python.map(|python| program("python -c 'import httpx'", python, &["-c", "import httpx"])));
    let node = or_skip("node", installed("node"));
    programs.extend(node.map(|node| program("node -e 0", node, &["-e", "0"])));
    compare(&programs, ROUNDS);
}

fn program<'a>(
    name: &'a str,
    program: impl AsRef<std::ffi::OsStr> + 'a,
    arguments: &'a [&str],
) -> Program<'a> {
    let command = move || {
        let mut command = Command::new(&program);
        command
            .args(arguments)
            .env("STRIPE_SECRET_KEY", "sk_test_made_up")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    };
    // It is enough that it succeeds.
    Program::new(name, command, || Ok(()))
}
