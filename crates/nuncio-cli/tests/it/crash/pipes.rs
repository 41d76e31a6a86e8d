//! Readers that go away, as `head` does.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use axum::body::Body;
use axum::response::Response;

use crate::support::{Home, Ran, serve};

use super::pull::pull;
use super::shop::Shop;

/// A list of one page that no pipe holds.
async fn long_list() -> String {
    let record = format!("{{\"text\":\"{}\"}}", "x".repeat(1000));
    let page = format!("{{\"data\":[{}]}}", vec![record; 4000].join(","));
    serve(move |_| Response::new(Body::from(page.clone()))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_read_enough_ends_the_command_in_silence() {
    let url = long_list().await;
    let home = Home::new();
    let table: &[&[&str]] = &[
        &["pull", &url, "--records", "data", "--single", "--to", "-"],
        &["pull", &url, "--records", "data", "--single", "--to", "/dev/stdout"],
        &["pull", &url, "--records", "data", "--single", "--to", "-", "--format", "csv"],
        &["call", &url, "--records", "data", "--single", "--all"],
        &["call", &url, "--jq", ".data[]"],
    ];
    for args in table {
        let mut child = home.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "{args:?}");
        let ran = Ran::from(child.wait_with_output().unwrap()).ends_with(141);
        assert_eq!(ran.err, "", "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_reads_nothing_ends_the_command_in_silence() {
    let url = long_list().await;
    let shop = Shop::open().await;
    let orders = format!("{}/orders", shop.url);
    let home = Home::new();
    let pull = pull(&orders, &["--cursor", "next"], "out.jsonl");
    let with_summary = [&pull[..], &["--json"]].concat();
    for args in
        [&["call", &url][..], &with_summary, &["services", "list"], &["man"], &["completions", "bash"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = home.command(args).stdout(writer).output().unwrap();
        assert_eq!(Ran::from(output).ends_with(141).err, "", "{args:?}");
    }
    // The records were safe before the summary had nobody to read it.
    assert_eq!(home.read("out.jsonl"), Shop::all_records());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_to_read_what_is_told_about_a_run() {
    let shop = Shop::open().await;
    let orders = format!("{}/orders", shop.url);
    let home = Home::new().with_env("NUNCIO_LOG", "trace");
    let args = [&pull(&orders, &["--cursor", "next"], "out.jsonl")[..], &["--verbose"]].concat();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = home.command(&args).stderr(writer).output().unwrap();
    Ran::from(output).ends_with(0);
    assert_eq!(home.read("out.jsonl"), Shop::all_records());
}
