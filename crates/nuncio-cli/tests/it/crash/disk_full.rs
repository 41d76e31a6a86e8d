//! No room for the output.

use std::process::Command;

use crate::support::{Home, Ran};

use super::each::{indexes, keyed};
use super::life::run;
use super::pull::pull;
use super::shop::{Shop, items};
use super::unwritable::in_own_mounts;

/// `command`, which may make no file longer than `blocks` of 512 bytes (1024 in some shells). Writing on is an error, not a signal.
fn bounded(command: &Command, blocks: u32) -> Command {
    let mut bounded = Command::new("sh");
    bounded.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")]);
    bounded.arg(command.get_program()).args(command.get_args());
    bounded.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    bounded.current_dir(command.get_current_dir().unwrap());
    bounded
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_goes_on_once_there_is_room() {
    for to in ["out.jsonl", "out.csv"] {
        let shop = Shop::open().await;
        let url = format!("{}/orders", shop.url);
        let (home, roomy) = (Home::new(), Home::new());
        let args = pull(&url, &["--cursor", "next"], to);
        run(roomy.command(&args)).await.ends_with(0);
        let whole = roomy.read(to);
        assert!(whole.len() > 4 * 1024, "it would fit");

        let ran = run(bounded(&home.command(&args), 4)).await.ends_with(1);
        assert!(
            ran.err.starts_with(&format!("nuncio: cannot write {to}\n  because: File too large")),
            "{}",
            ran.err
        );
        assert!(ran.err.contains("help: make room and run the same command again"), "{}", ran.err);
        let kept = home.read(to);
        assert!(!kept.is_empty() && whole.starts_with(&kept) && kept.ends_with('\n'), "{kept}");

        let requests = shop.requests();
        run(home.command(&args)).await.ends_with(0);
        assert_eq!(home.read(to), whole);
        assert!(shop.requests() < 2 * requests, "it began anew");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_goes_on_once_there_is_room() {
    let shop = Shop::open().await;
    let (home, args) = keyed(&shop, &items(40));
    let ran = run(bounded(&home.command(&args), 2)).await.ends_with(1);
    assert!(ran.err.starts_with("nuncio: cannot write in.jsonl."), "{}", ran.err);
    assert!(ran.err.contains("help: make room and run the same command again"), "{}", ran.err);
    assert!(shop.requests() < 40);

    run(home.command(&args)).await.ends_with(0);
    assert_eq!(indexes(&home, "in.jsonl.results.jsonl"), (0..40).collect::<Vec<_>>());
    let taken = shop.orders_taken();
    assert!(taken.len() == 40 && taken.values().all(|times| *times == 1), "{taken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_goes_on_once_a_full_disk_has_room() {
    let shop = Shop::open().await;
    let url = format!("{}/orders", shop.url);
    let home = Home::new();
    home.write("disk/none", "");
    // Each file takes whole blocks of 4 kB: the state, its successor, and one for the output.
    let script = r#"
        mount -t tmpfs -o size=12k none disk
        "$0" "$@"; echo "code $?"
        mount -o remount,size=1m none disk
        "$0" "$@"; echo "code $?"
        cat disk/out.jsonl > out.jsonl"#;
    let Some(ran) = in_own_mounts(&home, script, &pull(&url, &["--cursor", "next"], "disk/out.jsonl")) else {
        return;
    };
    assert_eq!(ran.out, "code 1\ncode 0\n", "{ran:?}");
    assert!(ran.err.contains("\n  because: No space left on device"), "{}", ran.err);
    assert!(ran.err.contains("help: make room and run the same command again"), "{}", ran.err);
    assert_eq!(home.read("out.jsonl"), Shop::all_records());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_device_keeps_nothing_so_it_has_no_state() {
    let shop = Shop::open().await;
    let url = format!("{}/orders", shop.url);
    let home = Home::new();
    let ran = home.run(&pull(&url, &["--cursor", "next"], "/dev/full")).ends_with(1);
    assert!(
        ran.err.starts_with("nuncio: cannot write to /dev/full\n  because: No space left on device"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("help: make room and begin anew"), "{}", ran.err);
    home.run(&pull(&url, &["--cursor", "next"], "/dev/null")).ends_with(0);
    for state in ["/dev/full.state", "/dev/null.state"] {
        assert!(!std::fs::exists(state).unwrap(), "{state}");
    }

    let full = std::fs::File::create("/dev/full").unwrap();
    for args in [pull(&url, &["--cursor", "next"], "-"), vec!["call", "GET", &url], vec!["services", "list"]]
    {
        let output = home.command(&args).stdout(full.try_clone().unwrap()).output().unwrap();
        let ran = Ran::from(output).ends_with(1);
        assert!(ran.err.contains("No space left on device"), "{args:?}: {}", ran.err);
    }
}
