//! Files that cannot be written: said before anything is sent.
//!
//! The causes hold for root too, whom permissions do not bind.

use std::process::Command;

use crate::support::{Home, Ran};

use super::each::keyed;
use super::pull::pull;
use super::shop::{Shop, items};

/// A home in which `folder` is one with something in it, and `file` a file.
fn furnished(home: Home) -> Home {
    home.write("folder/inside", "");
    home.write("file", "mine\n");
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_cannot_write_sends_nothing() {
    let shop = Shop::open().await;
    let url = format!("{}/orders", shop.url);
    let long = "x".repeat(300);
    let home = furnished(Home::new());
    let table: &[(&str, &[&str], &str)] = &[
        ("missing/out", &[], "cannot open missing/out"),
        ("folder", &[], "cannot open folder"),
        ("file/out", &[], "cannot open file/out"),
        (&long, &[], "cannot open xxx"),
        ("file", &[], "file is there already, and no state tells how to go on with it"),
        ("out", &["--state", "folder"], "cannot read folder"),
        ("out", &["--state", "folder", "--restart"], "cannot write folder"),
        ("out", &["--state", "missing/state"], "cannot write missing/state"),
        ("out", &["--state", "out"], "out cannot be both the output and its state"),
        ("-", &["--state", "state"], "a pull that does not write to a file has no state"),
    ];
    for (to, more, problem) in table {
        let args = [&pull(&url, &["--cursor", "next"], to)[..], more].concat();
        let ran = home.run(&args).ends_with(1);
        assert!(ran.err.starts_with(&format!("nuncio: {problem}")), "{to} {more:?}: {}", ran.err);
    }
    assert_eq!(home.read("file"), "mine\n");
    assert_eq!(shop.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_each_that_cannot_write_sends_nothing() {
    let shop = Shop::open().await;
    let (home, args) = keyed(&shop, &items(3));
    let home = furnished(home);
    let table: &[(&[&str], &str)] = &[
        (&["--results", "missing/results"], "cannot open missing/results"),
        (&["--results", "folder"], "cannot open folder"),
        (&["--failures", "file/failures"], "cannot open file/failures"),
        (&["--state", "missing/journal"], "cannot open missing/journal"),
        (
            &["--results", "file", "--state", "a"],
            "file is there already, and no journal tells how to go on with it",
        ),
        (&["--state", "file"], "file is not a journal that can be gone on with"),
        (&["--results", "b", "--failures", "b"], "results, failures and journal need a file each"),
        (&["--results", "in.jsonl", "--restart"], "in.jsonl is the input and cannot be written too"),
    ];
    for (more, problem) in table {
        let ran = home.run(&[&args[..], more].concat()).ends_with(1);
        assert!(ran.err.starts_with(&format!("nuncio: {problem}")), "{more:?}: {}", ran.err);
    }
    assert_eq!((home.read("file"), home.read("in.jsonl")), ("mine\n".to_owned(), items(3)));
    assert_eq!(shop.requests(), 0);
}

/// `script` with `args` as root of a user and mount namespace of its own; nothing where the system does not allow that.
pub(super) fn in_own_mounts(home: &Home, script: &str, args: &[&str]) -> Option<Ran> {
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args([
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            script,
            env!("CARGO_BIN_EXE_nuncio"),
        ]);
        command.current_dir(home.dir.path());
        command
    };
    let probe = unshare("mkdir -p probe && mount -t tmpfs none probe").output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        eprintln!("skipped: this system does not let us mount a file system (unshare --user --mount)");
        return None;
    }
    Some(Ran::from(unshare(script).args(args).output().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_system_that_is_read_only_is_told_before_anything_is_sent() {
    let shop = Shop::open().await;
    let url = format!("{}/orders", shop.url);
    let home = Home::new();
    home.write("disk/none", "");
    let script = r#"mount -t tmpfs -o ro none disk && exec "$0" "$@""#;
    let Some(ran) = in_own_mounts(&home, script, &pull(&url, &["--cursor", "next"], "disk/out")) else {
        return;
    };
    let ran = ran.ends_with(1);
    assert!(
        ran.err.starts_with("nuncio: cannot open disk/out\n  because: Read-only file system"),
        "{}",
        ran.err
    );
    assert_eq!(shop.requests(), 0);
}
