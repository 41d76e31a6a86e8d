//! Ctrl-C, or a request to terminate: once to end in good order, twice to end now.

use std::io;
use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use crate::exit::{self, Stop};
use crate::stderr;

/// Whether a signal came, and which.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt {
    token: CancellationToken,
    code: Arc<OnceLock<u8>>,
}

impl Interrupt {
    /// Waits for it.
    pub(crate) async fn came(&self) {
        self.token.cancelled().await;
    }

    pub(crate) fn has_come(&self) -> bool {
        self.token.is_cancelled()
    }

    /// How the program ends for it.
    pub(crate) fn stop(&self) -> Stop {
        Stop::Told(self.code())
    }

    pub(crate) fn code(&self) -> u8 {
        self.code.get().copied().unwrap_or(exit::INTERRUPTED)
    }
}

/// Listens from when this returns. The first signal is told; `first` says what it does. The second ends the program.
pub(crate) fn listen(first: Option<&'static str>) -> Interrupt {
    let interrupt = Interrupt::default();
    // Where the system cannot tell, a signal ends the program as it would any other.
    let Ok(mut signals) = Signals::new() else { return interrupt };
    let told = interrupt.clone();
    tokio::spawn(async move {
        let code = signals.next().await;
        told.code.get_or_init(|| code);
        if let Some(first) = first {
            stderr::line(&format!("nuncio: {first}; Ctrl-C again stops at once"));
        }
        told.token.cancel();
        std::process::exit(i32::from(signals.next().await));
    });
    interrupt
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

    /// The exit code for the next one.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => exit::INTERRUPTED,
            _ = self.terminate.recv() => exit::TERMINATED,
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

    async fn next(&mut self) -> u8 {
        self.0.recv().await;
        exit::INTERRUPTED
    }
}
