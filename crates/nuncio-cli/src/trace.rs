//! `NUNCIO_LOG`: what the libraries trace, for those who look for a fault.

use std::io;

use nuncio_client::Redactor;
use tracing_subscriber::EnvFilter;

/// Starts tracing to standard error where `NUNCIO_LOG` asks for it, as in `NUNCIO_LOG=nuncio_client=debug`, or else `default`.
pub(crate) fn start(default: Option<&str>) {
    let asked = EnvFilter::try_from_env("NUNCIO_LOG").ok();
    let Some(filter) = asked.or_else(|| default.map(EnvFilter::new)) else { return };
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(|| Redacted).init();
}

/// Standard error, secrets blanked. Every event is one write. There is nobody to tell when that fails, and the subscriber would panic.
struct Redacted;

impl io::Write for Redacted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().write_all(&Redactor::global().redact_bytes(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
