//! Commands of this machine.

use std::time::Duration;

use nuncio_relay::Fault;
use nuncio_relay::deliver::{EXCERPT_BYTES, Targets};
use serde_json::json;

use super::{attempt, endpoint, event, fault, once, reason, settings, try_endpoint};

fn shell(script: &str) -> serde_json::Value {
    json!({ "command": { "run": ["sh", "-c", script] } })
}

#[tokio::test]
async fn a_command_gets_the_body_and_who_it_is_about_and_no_more() {
    let event = event("made-up body");
    let outcome =
        attempt(&Targets::new(settings()), &endpoint(shell("cat; echo; env | sort")), &event, 1).await;
    assert_eq!(fault(&outcome), None);
    let said = String::from_utf8_lossy(&outcome.excerpt).into_owned();
    let mut lines = said.lines();
    assert_eq!(lines.next(), Some("made-up body"));
    // PWD and its like are the shell's own.
    let names: Vec<_> = lines
        .filter_map(|line| line.split_once('='))
        .filter(|(name, _)| !["PWD", "SHLVL", "_", "OLDPWD"].contains(name))
        .collect();
    let id = event.id.to_string();
    let home = std::env::var("HOME").ok();
    let path = std::env::var("PATH").unwrap();
    let mut expected: Vec<(&str, &str)> = home.iter().map(|home| ("HOME", home.as_str())).collect();
    expected.extend([("NUNCIO_EVENT_ID", id.as_str()), ("NUNCIO_EVENT_TYPE", "order.paid"), ("PATH", &path)]);
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_command_is_judged_by_how_it_ends() {
    let outcome = once(shell("echo made-up trouble >&2; exit 3")).await;
    assert_eq!((fault(&outcome), &outcome.excerpt[..]), (Some(Fault::Refused), &b"made-up trouble\n"[..]));
    assert!(reason(&outcome).contains('3'), "{}", reason(&outcome));
    assert_eq!(fault(&once(shell("kill -9 $$")).await), Some(Fault::Unavailable));
    let missing = once(json!({ "command": { "run": ["made-up-program-that-is-not-there"] } })).await;
    assert_eq!(fault(&missing), Some(Fault::Misconfigured));
    assert!(try_endpoint(json!({ "command": { "run": [] } }), nuncio_service::Env::default()).is_err());
}

#[tokio::test]
async fn much_is_said_and_nothing_is_read_without_anybody_waiting() {
    let large = event(vec![b'x'; 1 << 20]);
    let to = endpoint(shell("exec 0<&-; head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2"));
    let outcome = attempt(&Targets::new(settings()), &to, &large, 1).await;
    assert_eq!((fault(&outcome), outcome.excerpt.len()), (None, EXCERPT_BYTES));
}

#[tokio::test]
async fn what_a_command_leaves_behind_is_not_waited_for() {
    let outcome = once(shell("sleep 20 & echo taken")).await;
    assert_eq!((fault(&outcome), &outcome.excerpt[..]), (None, &b"taken\n"[..]));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_command_that_is_given_up_is_killed_with_all_it_has_begun() {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("pids");
    let script = format!("sleep 60 & echo $! $$ > {0}.new; mv {0}.new {0}; wait", note.display());
    let targets = Targets::new(settings());
    let (to, event) = (endpoint(shell(&script)), event("{}"));
    let noted = async {
        while !note.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        outcome = attempt(&targets, &to, &event, 1) => panic!("it ended: {outcome:?}"),
        () = noted => {}
    }
    let pids = std::fs::read_to_string(&note).unwrap();
    // One that is dead may still be listed, as a zombie that nobody has asked for.
    let is_alive = |pid: &str| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
    };
    for _ in 0..400 {
        if !pids.split_whitespace().any(is_alive) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{pids} live on");
}
