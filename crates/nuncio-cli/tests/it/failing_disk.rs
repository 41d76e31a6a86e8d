//! `nuncio serve` on a disk that cannot flush, or is full: nothing is acknowledged meanwhile, nothing that was is lost, and it goes on by itself when the
//! disk does.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::killed_relay::{SECRET, send, start, stored};
use crate::support::Home;

/// What a request that was begun before the fault may still take to be answered.
const GRACE: Duration = Duration::from_secs(1);

/// How long the disk is well in between: long enough for a machine that is busy.
const WELL: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_loses_nothing_that_was_acknowledged() {
    let home = Home::new();
    let Some(shim) = compile(&home.path("failing_disk.so")) else {
        println!("skipped: there is no C compiler (cc) to make a disk fail with");
        return;
    };
    let fault = home.path("fault");
    let home = home
        .with_env("LD_PRELOAD", &shim.display().to_string())
        .with_env("NUNCIO_FAULT_FILE", &fault.display().to_string());
    let config = json!({ "sources": { "shop": { "scheme": "github", "secrets": { "current": SECRET } } } });
    home.write("relay.yaml", &config.to_string());
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let url = format!("http://{address}/in/shop");
    let (is_over, numbers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut serving = start(&home, &address);
    let senders: Vec<_> =
        (0..3).map(|_| tokio::spawn(send(url.clone(), Arc::clone(&numbers), Arc::clone(&is_over)))).collect();

    let mut faults = Vec::new();
    for kind in ["S", "W", "S", "W", "S", "W"] {
        sleep(WELL).await;
        std::fs::write(&fault, kind).unwrap();
        let begun = Instant::now();
        sleep(GRACE + Duration::from_millis(500)).await;
        faults.push((kind, begun + GRACE, Instant::now()));
        std::fs::remove_file(&fault).unwrap();
    }
    sleep(WELL).await;
    is_over.store(true, Ordering::Relaxed);
    let mut acknowledged = BTreeSet::new();
    let mut times = Vec::new();
    for sender in senders {
        for (body, at) in sender.await.unwrap() {
            acknowledged.insert(body);
            times.push(at);
        }
    }
    serving.kill().unwrap();
    serving.wait().unwrap();

    let during =
        |from: Instant, until: Instant| times.iter().filter(|at| **at >= from && **at < until).count();
    for (index, (kind, from, until)) in faults.iter().enumerate() {
        assert_eq!(during(*from, *until), 0, "acknowledged while the disk failed ({kind}, fault {index})");
        let next = faults.get(index + 1).map_or_else(Instant::now, |(_, from, _)| *from - GRACE);
        assert!(
            during(*until, next) > 0,
            "nothing was taken after the disk was well again ({kind}, fault {index})"
        );
    }
    let stored = stored(&home).await;
    println!("{} acknowledged, {} stored", acknowledged.len(), stored.len());
    let lost: Vec<_> = acknowledged.iter().filter(|body| !stored.contains_key(*body)).collect();
    assert!(lost.is_empty(), "acknowledged and not stored: {lost:?}");
    assert!(stored.values().all(|ids| ids.len() == 1), "stored as two events");
}

/// The library that makes a disk fail; nothing where there is no compiler.
fn compile(to: &Path) -> Option<std::path::PathBuf> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/failing_disk.c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(to)
        .arg(source)
        .arg("-ldl")
        .output()
        .ok()?;
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    Some(to.to_owned())
}
