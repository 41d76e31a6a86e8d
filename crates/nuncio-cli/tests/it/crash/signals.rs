//! SIGINT and SIGTERM: once to end in good order, twice to end now.

use crate::support::{Home, Ran};

use super::each::{indexes, keyed};
use super::life::{next_line, run, send, start};
use super::pull::pull;
use super::shop::{Bell, PAGES, RECORDS, Shop, items};

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_pull_says_how_far_it_got_and_goes_on() {
    for (signal, code, to) in [("INT", 130, "int.jsonl"), ("TERM", 143, "term.jsonl")] {
        let shop = Shop::open().await;
        let url = format!("{}/orders", shop.url);
        let home = Home::new();
        let args = pull(&url, &["--cursor", "next"], to);
        // The fourth page is received and not answered.
        shop.set_alarm(10, Bell::Freezes);
        let child = start(home.command(&args));
        shop.bell().await;
        send(signal, &child);
        let ran = Ran::from(child.wait_with_output().await.unwrap()).ends_with(code);
        let records = home.read(to).lines().count();
        // Whole pages of the three that were answered.
        assert!(records as u64 <= 3 * RECORDS && (records as u64).is_multiple_of(RECORDS), "{records}");
        let lines: Vec<_> = ran.err.lines().collect();
        let stopping = "nuncio: stopping; the same command goes on from here; Ctrl-C again stops at once";
        let stopped = format!("stopped: {records} records so far; the same command goes on from here");
        assert_eq!(lines, [stopping, &stopped]);
        shop.thaw();
        let ran = run(home.command(&args)).await.ends_with(0);
        assert!(
            ran.err.starts_with(&format!("complete: {} records on {PAGES} pages", PAGES * RECORDS)),
            "{ran:?}"
        );
        assert_eq!(home.read(to), Shop::all_records());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_pull_is_told_to_machines_as_json_alone() {
    let shop = Shop::open().await;
    let url = format!("{}/orders", shop.url);
    let home = Home::new();
    shop.set_alarm(10, Bell::Freezes);
    let child =
        start(home.command(&[&pull(&url, &["--cursor", "next"], "out.jsonl")[..], &["--json"]].concat()));
    shop.bell().await;
    send("INT", &child);
    let ran = Ran::from(child.wait_with_output().await.unwrap()).ends_with(130);
    let summary: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let records = home.read("out.jsonl").lines().count();
    assert_eq!((&summary["complete"], &summary["records"]), (&false.into(), &records.into()));
    assert_eq!(ran.err, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_each_finishes_what_is_under_way_and_takes_nothing_new() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let shop = Shop::open().await;
        let (home, mut args) = keyed(&shop, &items(20));
        args.extend(["--concurrency", "4"]);
        shop.set_alarm(1, Bell::Freezes);
        let mut child = start(home.command(&args));
        shop.bell().await;
        send(signal, &child);
        let told = next_line(&mut child).await;
        assert_eq!(told, "nuncio: finishing the calls under way; Ctrl-C again stops at once\n");
        shop.thaw();
        let ran = Ran::from(child.wait_with_output().await.unwrap()).ends_with(code);
        let sent = shop.requests();
        assert!(sent <= 4, "{sent} were sent, 4 at a time");
        assert!(ran.err.contains(&format!(": {sent} ok, 0 failed, 0 of unknown fate")), "{ran:?}");
        assert!(ran.err.ends_with("stopped: the same command goes on from here\n"), "{ran:?}");

        run(home.command(&args)).await.ends_with(0);
        assert_eq!(shop.requests(), 20);
        assert_eq!(indexes(&home, "in.jsonl.results.jsonl"), (0..20).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_interrupt_ends_at_once_and_loses_nothing() {
    let shop = Shop::open().await;
    let (home, args) = keyed(&shop, &items(20));
    shop.set_alarm(11, Bell::Freezes);
    let mut child = start(home.command(&args));
    shop.bell().await;
    send("INT", &child);
    next_line(&mut child).await;
    // What is under way is never answered, so only the second signal can end this.
    send("INT", &child);
    Ran::from(child.wait_with_output().await.unwrap()).ends_with(130);

    shop.thaw();
    run(home.command(&args)).await.ends_with(0);
    assert_eq!(indexes(&home, "in.jsonl.results.jsonl"), (0..20).collect::<Vec<_>>());
    assert!(shop.orders_taken().values().all(|times| *times == 1));
}

/// Makes a call that is received and not answered, and sends `signal` then.
async fn interrupted_call(home: &Home, shop: &Shop, signal: &str, args: &[&str]) -> Ran {
    // The order is received, and then nothing more happens.
    shop.set_alarm(1, Bell::Freezes);
    let child = start(home.command(args));
    shop.bell().await;
    send(signal, &child);
    Ran::from(child.wait_with_output().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_interrupted_while_its_fate_is_unknown_says_so() {
    let (shop, home) = (Shop::open().await, Home::new());
    let url = format!("{}/orders", shop.url);
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let ran = interrupted_call(&home, &shop, signal, &["call", "POST", &url, "name=o1"]).await;
        let told = "nuncio: interrupted; whether the call was done is not known\n  \
                    help: find out whether it was done before making it again\n";
        assert_eq!(ran.ends_with(code).err, told);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_call_tells_the_key_under_which_it_can_be_made_again() {
    let (shop, home) = (Shop::open().await, Home::new());
    home.write("services/shop.yaml", &shop.service_file());
    let order = ["call", "shop", "orders.create", "name=o1"];
    let ran = interrupted_call(&home, &shop, "TERM", &order).await.ends_with(143);
    let (_, key) = ran.err.split_once("--idempotency-key ").expect("a key");
    let key = key.strip_suffix(": it is done once then\n").expect("the end");
    assert_eq!(shop.orders_received(), [("o1".to_owned(), Some(key.to_owned()))]);

    shop.thaw();
    run(home.command(&[&order[..], &["--idempotency-key", key]].concat())).await.ends_with(0);
    assert_eq!(shop.orders_received().len(), 2);
    assert_eq!(shop.orders_taken()["o1"], 1);

    let ran = interrupted_call(&home, &shop, "INT", &[&order[..], &["--json"]].concat()).await.ends_with(130);
    let told = ran.json("interrupted");
    let sent = shop.orders_received().pop().unwrap().1;
    assert_eq!((&told["fate"], told["idempotency_key"].as_str()), (&"unknown".into(), sent.as_deref()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_call_that_can_do_no_harm_says_nothing() {
    let (shop, home) = (Shop::open().await, Home::new());
    let url = format!("{}/orders", shop.url);
    let ran = interrupted_call(&home, &shop, "INT", &["call", "GET", &url]).await;
    assert_eq!(ran.ends_with(130).err, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_no_header_carries_is_refused_before_anything_is_sent() {
    let (shop, home) = (Shop::open().await, Home::new());
    let url = format!("{}/orders", shop.url);
    for words in [
        &["POST", &url, "name=o1"][..],
        &["GET", &url],
        &["GET", &url, "--all", "--single", "--records", "data"],
    ] {
        let ran =
            run(home.command(&[&["call", "--idempotency-key", "k"], words].concat())).await.ends_with(1);
        assert!(ran.err.contains("idempotency key"), "{ran:?}");
    }
    assert_eq!(shop.requests(), 0);
}
