//! Two runs on the same files.

use crate::support::Home;

use super::each::keyed;
use super::life::{run, start};
use super::pull::pull;
use super::shop::{Bell, Shop, items};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_pull_to_the_same_file_is_refused_until_the_first_is_gone() {
    let shop = Shop::open().await;
    let url = format!("{}/orders", shop.url);
    let home = Home::new();
    let args = pull(&url, &["--cursor", "next"], "out.jsonl");
    shop.set_alarm(5, Bell::Freezes);
    let mut first = start(home.command(&args));
    shop.bell().await;
    let requests = shop.requests();
    for more in [&[][..], &["--restart"]] {
        let refused = run(home.command(&[&args[..], more].concat())).await.ends_with(1);
        assert!(refused.err.starts_with("nuncio: out.jsonl is in use by another run\n"), "{}", refused.err);
        assert!(refused.err.contains("help: wait until that run has ended"), "{}", refused.err);
    }
    assert_eq!(shop.requests(), requests);

    first.kill().await.unwrap();
    shop.thaw();
    run(home.command(&args)).await.ends_with(0);
    assert_eq!(home.read("out.jsonl"), Shop::all_records());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_each_over_the_same_files_is_refused_until_the_first_is_gone() {
    let shop = Shop::open().await;
    let (home, args) = keyed(&shop, &items(6));
    shop.set_alarm(1, Bell::Freezes);
    let mut command = home.command(&args);
    command.args(["--concurrency", "1"]);
    let mut first = start(command);
    shop.bell().await;
    let other_journal = ["--state", "other.journal"];
    for (more, busy) in [(&[][..], "journal"), (&["--restart"], "journal"), (&other_journal, "results.jsonl")]
    {
        let refused = run(home.command(&[&args[..], more].concat())).await.ends_with(1);
        assert!(refused.err.starts_with(&format!("nuncio: in.jsonl.{busy} is in use")), "{}", refused.err);
    }
    assert_eq!(shop.requests(), 1);

    first.kill().await.unwrap();
    shop.thaw();
    run(home.command(&args)).await.ends_with(0);
    assert!(shop.orders_taken().values().all(|times| *times == 1));
}
