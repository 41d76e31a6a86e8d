//! `nuncio serve` on a disk that cannot flush, or is full: nothing is acknowledged meanwhile, nothing that was is lost, and it goes on by itself when the
//! disk does.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
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
    let Some(shim) = home.compile("failing_disk") else {
        println!("skipped: there is no C compiler (cc) to make a disk fail with");
        return;
    };
    let (fault, record) = (home.path("fault"), home.path("record"));
    let home = home
        .with_env("LD_PRELOAD", &shim.display().to_string())
        .with_env("NUNCIO_FAULT_FILE", &fault.display().to_string())
        .with_env("NUNCIO_DISK_RECORD", &record.display().to_string());
    let config = json!({ "sources": { "shop": { "scheme": "github", "secrets": { "current": SECRET } } } });
    home.write("relay.yaml", &config.to_string());
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let url = format!("http://{address}/in/shop");
    let (is_over, numbers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut serving = start(&home, &address);
    let senders: Vec<_> =
        (0..3).map(|_| tokio::spawn(send(url.clone(), Arc::clone(&numbers), Arc::clone(&is_over)))).collect();

    let (mut faults, mut cuts) = (Vec::new(), Vec::new());
    for kind in ["S", "W", "S", "W", "S", "W"] {
        sleep(WELL).await;
        std::fs::write(&fault, kind).unwrap();
        let begun = Instant::now();
        sleep(GRACE + Duration::from_millis(500)).await;
        faults.push((kind, begun + GRACE, Instant::now()));
        std::fs::remove_file(&fault).unwrap();
        // The power may fail at any time, also before the log that the fault stands in was carried over.
        sleep(WELL / 4).await;
        cuts.push((Instant::now(), std::fs::metadata(&record).unwrap().len()));
    }
    sleep(WELL).await;
    is_over.store(true, Ordering::Relaxed);
    let mut acknowledged = BTreeMap::new();
    for sender in senders {
        acknowledged.extend(sender.await.unwrap());
    }
    serving.kill().unwrap();
    serving.wait().unwrap();

    let during = |from: Instant, until: Instant| {
        acknowledged.values().filter(|at| **at >= from && **at < until).count()
    };
    for (index, (kind, from, until)) in faults.iter().enumerate() {
        assert_eq!(during(*from, *until), 0, "acknowledged while the disk failed ({kind}, fault {index})");
        let next = faults.get(index + 1).map_or_else(Instant::now, |(_, from, _)| *from - GRACE);
        assert!(
            during(*until, next) > 0,
            "nothing was taken after the disk was well again ({kind}, fault {index})"
        );
    }
    let after_kill = stored(&home.path("relay.db")).await;
    let lost: Vec<_> = acknowledged.keys().filter(|body| !after_kill.contains_key(*body)).collect();
    assert!(lost.is_empty(), "acknowledged and not stored: {lost:?}");
    assert!(after_kill.values().all(|ids| ids.len() == 1), "stored as two events");
    let record = std::fs::read(&record).unwrap();
    for (at, length) in cuts {
        let after_cut = {
            let (_folder, path) = after_a_power_cut(&record[..length as usize]);
            stored(&path).await
        };
        let before: Vec<_> =
            acknowledged.iter().filter(|(_, time)| **time < at).map(|(body, _)| body).collect();
        let lost: Vec<_> = before.iter().filter(|body| !after_cut.contains_key(**body)).collect();
        println!(
            "{} acknowledged before a power cut, {} stored, {} lost",
            before.len(),
            after_cut.len(),
            lost.len()
        );
        assert!(lost.is_empty(), "acknowledged and not stored after a power cut: {lost:?}");
    }
}

/// The store as the power left it: of each file what was flushed. What stood in the way of a flush that failed counts as written for Linux, and is not,
/// unless it was written once more. A step that is not whole yet is none.
fn after_a_power_cut(record: &[u8]) -> (TempDir, PathBuf) {
    let (mut files, mut pending) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    let mut rest = record;
    while let [kind, file, head @ ..] = rest
        && head.len() >= 16
    {
        let number = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().unwrap()) as usize;
        let (place, length) = (number(0), number(8));
        let Some((bytes, after)) = head[16..].split_at_checked(length) else { break };
        let (file, pending) = (&mut files[usize::from(*file)], &mut pending[usize::from(*file)]);
        match kind {
            b'w' | b't' => pending.push((*kind, place, bytes)),
            b'e' => pending.clear(),
            b'f' => pending.drain(..).for_each(|(kind, place, bytes)| {
                let end = place + bytes.len();
                if kind == b't' || file.len() < end {
                    file.resize(end, 0);
                }
                file[place..end].copy_from_slice(bytes);
            }),
            other => panic!("{other} is no kind of step"),
        }
        rest = after;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in ["relay.db", "relay.db-wal"].into_iter().zip(&files) {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let path = folder.path().join("relay.db");
    (folder, path)
}
