//! States and journals that are not as they were left.

use crate::support::Home;

use super::each::{indexes, keyed};
use super::life::{run, run_until_bell};
use super::pull::pull;
use super::shop::{Bell, Shop, items};

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_state_is_refused_with_what_to_do_and_touches_nothing() {
    let shop = Shop::open().await;
    let url = format!("{}/orders", shop.url);
    let home = Home::new();
    let args = pull(&url, &["--cursor", "next"], "out.jsonl");
    shop.set_alarm(20, Bell::Freezes);
    assert!(run_until_bell(home.command(&args), &shop).await.is_none());
    shop.thaw();
    let (state, written, requests) = (home.read("out.jsonl.state"), home.read("out.jsonl"), shop.requests());
    let bytes: serde_json::Value = serde_json::from_str(&state).unwrap();
    let bytes = bytes["bytes"].as_u64().unwrap();
    let damaged = [
        String::new(),
        state[..state.len() / 2].to_owned(),
        "\0".repeat(state.len()),
        state.replace("\"version\": 1", "\"version\": 999"),
        state.replace(&format!("\"bytes\": {bytes}"), &format!("\"bytes\": {}", bytes - 1)),
        state.replace(&format!("\"bytes\": {bytes}"), &format!("\"bytes\": {}", bytes + 100_000)),
    ];
    for state in damaged {
        home.write("out.jsonl.state", &state);
        let ran = run(home.command(&args)).await.ends_with(1);
        assert!(ran.err.contains("help: --restart begins anew, over what is there"), "{state}: {}", ran.err);
        assert_eq!((home.read("out.jsonl"), shop.requests()), (written.clone(), requests));
    }
    home.write("out.jsonl.state", &state);
    run(home.command(&args)).await.ends_with(0);
    assert_eq!(home.read("out.jsonl"), Shop::all_records());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_with_a_torn_line_is_gone_on_with() {
    let mut random = fastrand::Rng::with_seed(7);
    let shop = Shop::open().await;
    let (home, args) = keyed(&shop, &items(12));
    shop.set_alarm(13, Bell::Freezes);
    assert!(run_until_bell(home.command(&args), &shop).await.is_none());
    shop.thaw();
    let journal = std::fs::read(home.path("in.jsonl.journal")).unwrap();
    let results = home.read("in.jsonl.results.jsonl");
    // As if the disk had kept less of it than was written, down to its first line.
    let first = journal.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for _ in 0..8 {
        let kept = random.usize(first..journal.len());
        home.write("in.jsonl.results.jsonl", &results);
        std::fs::write(home.path("in.jsonl.journal"), &journal[..kept]).unwrap();
        run(home.command(&args)).await.ends_with(0);
        assert_eq!(
            indexes(&home, "in.jsonl.results.jsonl"),
            (0..12).collect::<Vec<_>>(),
            "{kept} bytes kept"
        );
    }
    // What was sent again had its old key each time.
    assert!(shop.orders_taken().values().all(|times| *times == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_damaged_in_the_middle_is_refused_with_what_to_do() {
    let shop = Shop::open().await;
    let (home, args) = keyed(&shop, &items(4));
    run(home.command(&args)).await.ends_with(0);
    let (journal, results) = (home.read("in.jsonl.journal"), home.read("in.jsonl.results.jsonl"));
    home.write("in.jsonl.journal", &journal.replacen("settled", "sett\0ed", 1));
    let ran = run(home.command(&args)).await.ends_with(1);
    assert!(ran.err.starts_with("nuncio: in.jsonl.journal is damaged (line "), "{}", ran.err);
    assert!(
        ran.err.contains("help: --restart begins anew, over what is there: every item is sent again"),
        "{}",
        ran.err
    );
    assert_eq!((home.read("in.jsonl.results.jsonl"), shop.requests()), (results, 4));

    home.write("in.jsonl.journal", &journal);
    home.write("in.jsonl.results.jsonl", "");
    let ran = run(home.command(&args)).await.ends_with(1);
    assert!(ran.err.starts_with("nuncio: in.jsonl.results.jsonl has 0 bytes, but "), "{}", ran.err);
}
