//! What the targets share.

pub mod webhook;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use nuncio_client::Secret;

/// A secret with everything that encoders write in their own way.
pub const SECRET: &str = "made-Up \"key\"/31337+ö~";

/// Registers [`SECRET`], once for the whole process.
pub fn secret() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| drop(Secret::new(SECRET)));
}

/// 2027-01-15T08:00:00Z.
pub fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// The first line, and what follows it.
pub fn first_line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &[]),
    }
}

/// Lines of the form `name: value`; others are passed over.
pub fn headers(data: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(line[..colon].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii())) {
            headers.append(name, value);
        }
    }
    headers
}

/// All ways to cut `body` once and all sizes of equal pieces; of a long body, some of them.
pub fn cuts(body: &[u8]) -> impl Iterator<Item = Vec<Bytes>> {
    let body = Bytes::copy_from_slice(body);
    let step = body.len() / 64 + 1;
    let once = {
        let body = body.clone();
        (0..body.len()).step_by(step).map(move |at| vec![body.slice(..at), body.slice(at..)])
    };
    let equal = (1..body.len()).step_by(step).map(move |size| {
        let starts = (0..body.len()).step_by(size);
        starts.map(|start| body.slice(start..body.len().min(start + size))).collect()
    });
    once.chain(equal)
}

/// Runs `future` on a runtime of this thread.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// A folder for one input, in memory where the system has such a place: these targets wait for the disk otherwise.
pub fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}
