//! What the programs start as processes of their own: the server, and the ways to do a job that are written in Rust.

use nuncio_bench::{rivals, server};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve", pages, delay_ms] => server::serve(number(pages), number(delay_ms)),
        ["pull", way, address, to] => rivals::pull::run(way, address, to),
        ["each", way, address, from, to] => rivals::each::run(way, address, from, to),
        _ => panic!("not for use by hand: see docs/performance.md"),
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}
