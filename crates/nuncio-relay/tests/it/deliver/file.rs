//! Files of this machine.

use nuncio_relay::Fault;
use nuncio_relay::deliver::Targets;
use serde_json::{Value, json};

use super::{attempt, endpoint, event, fault, once, settings};

#[tokio::test]
async fn each_event_is_one_line_of_json() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let to = endpoint(json!({ "file": { "path": path } }));
    let targets = Targets::new(settings());
    let bodies = [
        &b"{\n  \"amount\": 12345678901234567890.10,\r\n \"name\": \"a\\nb\"\n}"[..],
        b"made-up=1",
        b"\xff\x00",
    ];
    for body in bodies {
        assert_eq!(fault(&attempt(&targets, &to, &event(body), 1).await), None);
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    let first = event(bodies[0]);
    assert_eq!(lines[0]["id"], first.id.to_string());
    assert_eq!((&lines[0]["type"], &lines[0]["origin"]), (&json!("order.paid"), &json!("source/shop")));
    assert_eq!(lines[0]["headers"], json!({ "content-type": "application/json" }));
    assert_eq!(lines[0]["at"], first.at.to_string());
    assert!(text.contains("12345678901234567890.10"), "numbers keep their digits: {text}");
    assert_eq!(lines[0]["body"]["name"], "a\nb");
    assert_eq!(
        (&lines[1]["body_base64"], &lines[2]["body_base64"]),
        (&json!("bWFkZS11cD0x"), &json!("/wA="))
    );
}

#[tokio::test]
async fn endpoints_that_share_a_file_do_not_mix_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let targets = std::sync::Arc::new(Targets::new(settings()));
    let large = format!("[{}]", "1,".repeat(20_000) + "1");
    let tasks = (0..16).map(|number| {
        let (targets, path, event) = (targets.clone(), path.clone(), event(large.clone()));
        tokio::spawn(async move {
            let to = endpoint(json!({ "file": { "path": path } }));
            attempt(&targets, &to, &event, number + 1).await
        })
    });
    for outcome in futures_util::future::join_all(tasks).await {
        assert_eq!(fault(&outcome.unwrap()), None);
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 16);
}

#[tokio::test]
async fn a_file_that_cannot_be_is_set_up_wrong_and_a_full_disk_passes() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("not-there/events.jsonl")] {
        assert_eq!(fault(&once(json!({ "file": { "path": path } })).await), Some(Fault::Misconfigured));
    }
    if cfg!(target_os = "linux") {
        assert_eq!(fault(&once(json!({ "file": { "path": "/dev/full" } })).await), Some(Fault::Unavailable));
    }
}
