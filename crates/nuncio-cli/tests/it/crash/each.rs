//! `each`, killed at random points.

use std::collections::{HashMap, HashSet};
use std::process::Command;

use serde_json::Value;

use crate::support::{Home, Ran};

use super::life::{MAX_LIVES, aim, run, run_until_bell};
use super::shop::{Bell, Shop, items};

const ITEMS: usize = 200;

/// Moments of a request: received, answered.
const MOMENTS: u32 = 2 * ITEMS as u32;

/// A home with the input, and a run over it with idempotency keys.
pub(super) fn keyed(shop: &Shop, items: &str) -> (Home, Vec<&'static str>) {
    let home = Home::new();
    home.write("shop.yaml", &shop.service_file());
    home.write("in.jsonl", items);
    let args = [
        "each",
        "shop",
        "orders.create",
        "name={{ item.name }}",
        "--file",
        "shop.yaml",
        "--from",
        "in.jsonl",
    ];
    (home, args.to_vec())
}

/// The lines of a file that is whole up to a last torn line, in which each line is JSON.
fn whole_lines(home: &Home, name: &str) -> Vec<Value> {
    let text = std::fs::read(home.path(name)).unwrap_or_default();
    let lines = text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// The items that have their result or failure for good.
fn settled(home: &Home) -> HashSet<String> {
    let journal = whole_lines(home, "in.jsonl.journal");
    let indexes = journal.iter().filter_map(|note| note["settled"]["index"].as_u64());
    indexes.map(|index| format!("o{index}")).collect()
}

pub(super) fn indexes(home: &Home, name: &str) -> Vec<u64> {
    let mut indexes: Vec<u64> =
        whole_lines(home, name).iter().map(|line| line["index"].as_u64().unwrap()).collect();
    indexes.sort_unstable();
    indexes
}

/// What kills met.
#[derive(Default)]
struct Met {
    kills: usize,
    /// Items that were sent again after a kill.
    sent_again: usize,
}

/// Kills the run until one comes to its end, and checks after each what it sent.
async fn kill_until_done(
    seed: u64,
    shop: &Shop,
    home: &Home,
    command: impl Fn() -> Command,
    met: &mut Met,
) -> Ran {
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..MAX_LIVES {
        let (done, earlier) = (settled(home), shop.orders_received());
        let known: HashMap<_, _> = earlier.iter().cloned().collect();
        let (moments, bell) = aim(&mut random, MOMENTS / 2);
        shop.set_alarm(moments, bell);
        let ended = run_until_bell(command(), shop).await;
        for (name, key) in shop.orders_received().split_off(earlier.len()) {
            assert!(!done.contains(&name), "seed {seed}: {name} was confirmed and sent again");
            if let Some(first) = known.get(&name) {
                met.sent_again += 1;
                assert!(key.is_some() && key == *first, "seed {seed}: {name} has another key");
            }
        }
        match ended {
            Some(ran) => return ran,
            None => met.kills += 1,
        }
    }
    panic!("seed {seed} never ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_sends_again_only_what_has_no_result_and_with_its_old_key() {
    let mut met = Met::default();
    for seed in 0..6 {
        let shop = Shop::open().await;
        let (home, args) = keyed(&shop, &items(ITEMS));
        let ran = kill_until_done(seed, &shop, &home, || home.command(&args), &mut met).await;
        ran.ends_with(0);
        assert_eq!(
            indexes(&home, "in.jsonl.results.jsonl"),
            (0..ITEMS as u64).collect::<Vec<_>>(),
            "seed {seed}"
        );
        for line in whole_lines(&home, "in.jsonl.results.jsonl") {
            assert_eq!(line["body"]["taken"], format!("o{}", line["index"]), "seed {seed}");
        }
        let taken = shop.orders_taken();
        assert!(taken.len() == ITEMS && taken.values().all(|times| *times == 1), "seed {seed}: {taken:?}");
    }
    eprintln!("seeds 0..6: {} kills, {} items sent again", met.kills, met.sent_again);
    assert!(met.kills >= 10 && met.sent_again >= 10, "too few of the kills met calls under way");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_without_keys_sends_nothing_twice_and_tells_what_is_unknown() {
    let mut met = Met::default();
    let mut unknown = 0;
    for seed in 10..14 {
        let shop = Shop::open().await;
        let home = Home::new();
        home.write("in.jsonl", &items(ITEMS));
        let url = format!("{}/orders", shop.url);
        let args = ["each", "POST", &url, "name={{ item.name }}", "--from", "in.jsonl"];
        kill_until_done(seed, &shop, &home, || home.command(&args), &mut met).await;
        assert_eq!(met.sent_again, 0);
        let failures = whole_lines(&home, "in.jsonl.failures.jsonl");
        assert!(failures.iter().all(|line| line["fate"] == "unknown"), "seed {seed}: {failures:?}");
        let mut told = indexes(&home, "in.jsonl.results.jsonl");
        told.extend(indexes(&home, "in.jsonl.failures.jsonl"));
        told.sort_unstable();
        assert_eq!(told, (0..ITEMS as u64).collect::<Vec<_>>(), "seed {seed}");
        unknown += failures.len();

        shop.thaw();
        run(home.command(&[&args[..], &["--retry-unknown"]].concat())).await.ends_with(0);
        assert_eq!(
            indexes(&home, "in.jsonl.results.jsonl"),
            (0..ITEMS as u64).collect::<Vec<_>>(),
            "seed {seed}"
        );
    }
    assert!(unknown > 0, "no kill met a call under way");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_were_in_flight_at_a_kill_are_made_again_with_their_keys() {
    let shop = Shop::open().await;
    let (home, args) = keyed(&shop, &items(8));
    // All eight are received, none is answered.
    shop.set_alarm(1, Bell::Freezes);
    let mut command = home.command(&args);
    command.args(["--concurrency", "8"]);
    let mut child = super::life::start(command);
    shop.bell().await;
    while shop.requests() < 8 {
        tokio::task::yield_now().await;
    }
    child.kill().await.unwrap();
    let first: HashMap<_, _> = shop.orders_received().into_iter().collect();
    assert_eq!(first.values().collect::<HashSet<_>>().len(), 8, "each has a key of its own");

    shop.thaw();
    run(home.command(&args)).await.ends_with(0);
    let again: HashMap<_, _> = shop.orders_received().split_off(8).into_iter().collect();
    assert_eq!(again, first);
    assert!(shop.orders_taken().values().all(|times| *times == 1));
}
