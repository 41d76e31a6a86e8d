//! Ctrl-C: once to end in good order, twice to end now.

use tokio_util::sync::CancellationToken;

use crate::{exit, stderr};

/// Listens for Ctrl-C from now on. The first is told through the token; `first` says what it does. The second ends the program.
pub(crate) fn listen(first: Option<&'static str>) -> CancellationToken {
    let token = CancellationToken::new();
    let told = token.clone();
    tokio::spawn(async move {
        if wait().await.is_none() {
            return;
        }
        if let Some(first) = first {
            stderr::line(&format!("nuncio: {first}; Ctrl-C again stops at once"));
        }
        told.cancel();
        if wait().await.is_some() {
            std::process::exit(i32::from(exit::INTERRUPTED));
        }
    });
    token
}

/// Waits for Ctrl-C or a request to terminate. Nothing when the system cannot tell.
#[cfg(unix)]
async fn wait() -> Option<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).ok()?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.ok(),
        asked = terminate.recv() => asked,
    }
}

/// Waits for Ctrl-C. Nothing when the system cannot tell.
#[cfg(not(unix))]
async fn wait() -> Option<()> {
    tokio::signal::ctrl_c().await.ok()
}
