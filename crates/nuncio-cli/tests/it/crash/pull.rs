//! `pull`, killed at random points.

use serde_json::Value;

use crate::support::{Home, Ran};

use super::life::{MAX_LIVES, aim, run, run_until_bell};
use super::shop::{PAGES, RECORDS, Shop};

const BY_CURSOR: &[&str] = &["--cursor", "next"];
const BY_PAGE: &[&str] = &["--page-param", "page", "--total", "total", "--concurrency", "4"];

/// From the first request to the last byte of the last page.
const MOMENTS: u32 = 3 * PAGES as u32;

pub(super) fn pull<'a>(url: &'a str, paging: &'a [&str], to: &'a str) -> Vec<&'a str> {
    let mut args = vec!["pull", url, "--records", "data", "--to", to];
    args.extend(paging);
    args
}

/// Pages that the state says are safe.
fn safe_pages(home: &Home, to: &str) -> u64 {
    let state = home.path(&format!("{to}.state"));
    let Ok(text) = std::fs::read_to_string(state) else { return 0 };
    let state: Value = serde_json::from_str(&text).expect("a state is whole at any time");
    match &state["checkpoint"] {
        Value::Null => 0,
        checkpoint => checkpoint["pages"].as_u64().unwrap(),
    }
}

async fn killed_anywhere(paging: &[&str], to: &str, seeds: std::ops::Range<u64>) -> Shop {
    let shop = Shop::open().await;
    let url = format!("{}/orders", shop.url);
    let args = pull(&url, paging, to);
    let undisturbed = Home::new();
    run(undisturbed.command(&args)).await.ends_with(0);
    let whole = undisturbed.read(to);
    let (mut killed, mut resumed) = (0, 0);
    for seed in seeds.clone() {
        let home = Home::new();
        let mut random = fastrand::Rng::with_seed(seed);
        let mut lives = 0;
        let ran: Ran = loop {
            lives += 1;
            assert!(lives < MAX_LIVES, "seed {seed} never ends");
            let (safe, before) = (safe_pages(&home, to), shop.pages_asked_for().len());
            let (moments, bell) = aim(&mut random, MOMENTS / 2);
            shop.set_alarm(moments, bell);
            let ended = run_until_bell(home.command(&args), &shop).await;
            let asked = shop.pages_asked_for().split_off(before);
            assert!(
                asked.iter().all(|page| *page > safe),
                "seed {seed}: {safe} were safe, {asked:?} asked for"
            );
            resumed += usize::from(safe > 0);
            match ended {
                Some(ran) => break ran,
                None => killed += 1,
            }
        };
        let ran = ran.ends_with(0);
        assert!(
            ran.err.starts_with(&format!("complete: {} records", PAGES * RECORDS)),
            "seed {seed}: {ran:?}"
        );
        assert_eq!(home.read(to), whole, "seed {seed} after {lives} lives");
    }
    eprintln!("{to}, seeds {seeds:?}: {killed} kills, {resumed} runs went on from a state");
    assert!(killed >= 5 && resumed >= 5, "too few of the kills met a run");
    shop
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_pull_by_cursor_ends_as_an_undisturbed_one() {
    killed_anywhere(BY_CURSOR, "out.jsonl", 0..3).await;
    killed_anywhere(BY_CURSOR, "out.csv", 10..13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_pull_with_pages_in_flight_ends_as_an_undisturbed_one() {
    let shop = killed_anywhere(BY_PAGE, "out.jsonl", 20..23).await;
    assert!(shop.most_under_way() > 1, "no two pages were in flight");
    killed_anywhere(BY_PAGE, "out.csv", 30..33).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undisturbed_pull_has_every_record_as_it_was_sent() {
    let shop = Shop::open().await;
    let home = Home::new();
    let url = format!("{}/orders", shop.url);
    for (paging, to) in [(BY_CURSOR, "cursor.jsonl"), (BY_PAGE, "page.jsonl")] {
        run(home.command(&pull(&url, paging, to))).await.ends_with(0);
        assert_eq!(home.read(to), Shop::all_records(), "{to}");
    }
}
