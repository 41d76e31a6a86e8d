//! Deliveries into commands of this machine.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nuncio_client::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use crate::outcome::{Fault, Outcome};
use crate::settings::Run;

use super::{Parcel, READ_BYTES, excerpt};

/// How long what a command has begun and left behind may hold its output open: 100 ms.
const OUTPUT_PATIENCE: Duration = Duration::from_millis(100);

/// What a command gets of our environment.
const PASSED: [&str; 2] = ["PATH", "HOME"];

/// Whether there is a program to run.
pub(super) fn check(run: &Run) -> Result<(), Error> {
    match run.run.first() {
        Some(program) if !program.is_empty() => Ok(()),
        _ => Err(Error::configuration("`run` names no program")),
    }
}

/// Runs it once. When the future is dropped it is killed, and with it what it has begun.
pub(super) async fn deliver(parcel: &Parcel<'_>, run: &Run) -> Outcome {
    let mut running = match start(parcel, run) {
        Ok(child) => Running(child),
        Err(error) => {
            let is_missing =
                matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied);
            let fault = if is_missing { Fault::Misconfigured } else { Fault::Unavailable };
            let program = run.run.first().map_or("", String::as_str);
            return Outcome::failed(fault, format!("{program} cannot be started: {error}"));
        }
    };
    match running.finish(&parcel.event.body).await {
        Ok((status, output)) => judged(status, &output),
        Err(error) => {
            Outcome::failed(Fault::Unavailable, format!("nothing is known of the command: {error}"))
        }
    }
}

fn start(parcel: &Parcel<'_>, run: &Run) -> io::Result<Child> {
    let (program, arguments) = run.run.split_first().ok_or(io::ErrorKind::NotFound)?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    command.envs(PASSED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.env("NUNCIO_EVENT_ID", parcel.event.id.to_string());
    // No variable holds a NUL.
    command.env("NUNCIO_EVENT_TYPE", parcel.event.event_type.replace('\0', ""));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    command.spawn()
}

/// What a command has written, as far as it is kept.
#[derive(Default)]
struct Output {
    out: Vec<u8>,
    err: Vec<u8>,
}

fn judged(status: ExitStatus, output: &Output) -> Outcome {
    if status.success() {
        return Outcome { status: None, excerpt: excerpt(&output.out), ..Outcome::taken(0) };
    }
    // One that was killed has not said anything about the event.
    let fault = if status.code().is_some() { Fault::Refused } else { Fault::Unavailable };
    let said = if output.err.is_empty() { &output.out } else { &output.err };
    Outcome { excerpt: excerpt(said), ..Outcome::failed(fault, format!("the command ended with {status}")) }
}

/// A command that ends with this value, and what it has begun with it.
struct Running(Child);

impl Running {
    async fn finish(&mut self, body: &[u8]) -> io::Result<(ExitStatus, Output)> {
        let (stdin, stdout, stderr) = (self.0.stdin.take(), self.0.stdout.take(), self.0.stderr.take());
        let mut output = Output::default();
        let feed = async {
            if let Some(mut stdin) = stdin {
                // It need not read what it is given.
                let _ = stdin.write_all(body).await;
            }
        };
        let mut talk = Box::pin(async {
            tokio::join!(feed, keep(stdout, &mut output.out), keep(stderr, &mut output.err));
        });
        let mut is_over = false;
        let status = loop {
            tokio::select! {
                status = self.0.wait() => break status?,
                () = &mut talk, if !is_over => is_over = true,
            }
        };
        if !is_over {
            let _ = tokio::time::timeout(OUTPUT_PATIENCE, &mut talk).await;
        }
        drop(talk);
        Ok((status, output))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The leader is killed by tokio. Its id is its group's, as long as it is not waited for.
        #[cfg(unix)]
        if let Some(group) = self.0.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// Reads to the end, so that nobody has to wait for us, and keeps the beginning.
async fn keep(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    let mut piece = [0; 4096];
    while let Ok(count @ 1..) = pipe.read(&mut piece).await {
        let room = READ_BYTES.saturating_sub(kept.len());
        kept.extend_from_slice(&piece[..count.min(room)]);
    }
}
