//! A run of the binary that may not get to its end.

use std::process::{Command, Stdio};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use crate::support::Ran;

use super::shop::{Bell, Shop};

/// More lives than any test needs: a run that never gets on ends the test.
pub(super) const MAX_LIVES: usize = 100;

/// What a random kill is aimed at.
pub(super) fn aim(random: &mut fastrand::Rng, moments: u32) -> (u32, Bell) {
    (random.u32(1..moments), if random.bool() { Bell::Freezes } else { Bell::OnlyRings })
}

/// Starts `command`. It does not outlive the test.
pub(super) fn start(command: Command) -> Child {
    tokio::process::Command::from(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Runs `command` to its end.
pub(super) async fn run(command: Command) -> Ran {
    Ran::from(start(command).wait_with_output().await.unwrap())
}

/// Runs `command` and kills it as `kill -9` does when the bell rings. The run, if it came to its end before.
pub(super) async fn run_until_bell(command: Command, shop: &Shop) -> Option<Ran> {
    let mut child = start(command);
    let killed = tokio::select! {
        biased;
        () = shop.bell() => true,
        ended = child.wait() => {
            ended.unwrap();
            false
        }
    };
    if killed {
        // It may have ended by itself just now.
        child.start_kill().ok();
    }
    let output = child.wait_with_output().await.unwrap();
    output.status.code().map(|_| Ran::from(output))
}

/// Sends `signal`, such as `INT`, to `child` alone.
pub(super) fn send(signal: &str, child: &Child) {
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success());
}

/// Waits for the next line on standard error, and gives back the rest of it.
pub(super) async fn next_line(child: &mut Child) -> String {
    let mut line = String::new();
    let mut reader = BufReader::with_capacity(1, child.stderr.take().unwrap());
    reader.read_line(&mut line).await.unwrap();
    child.stderr = Some(reader.into_inner());
    line
}
