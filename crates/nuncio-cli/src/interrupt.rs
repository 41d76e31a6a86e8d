//! Ctrl-C, or a request to terminate: once to end in good order, twice to end now.

use std::io;

use tokio_util::sync::CancellationToken;

use crate::{exit, stderr};

/// Listens from when this returns. The first signal is told through the token; `first` says what it does. The second ends the program.
pub(crate) fn listen(first: Option<&'static str>) -> CancellationToken {
    let token = CancellationToken::new();
    // Where the system cannot tell, a signal ends the program as it would any other.
    let Ok(mut signals) = Signals::new() else { return token };
    let told = token.clone();
    tokio::spawn(async move {
        signals.next().await;
        if let Some(first) = first {
            stderr::line(&format!("nuncio: {first}; Ctrl-C again stops at once"));
        }
        told.cancel();
        signals.next().await;
        std::process::exit(i32::from(exit::INTERRUPTED));
    });
    token
}

/// Made once and kept: between two of them a signal would be lost.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self(tokio::signal::windows::ctrl_c()?))
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
