//! Deliveries to the end of files of this machine.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::Event;
use crate::outcome::{Fault, Outcome};
use crate::settings::File;

use super::{Parcel, event};

/// Appends a line and has it on disk. When the future is dropped it may be appended or not.
pub(super) async fn deliver(parcel: &Parcel<'_>, file: &File) -> Outcome {
    let (path, line) = (file.path.clone(), line(parcel.event));
    let shown = file.path.display();
    match tokio::task::spawn_blocking(move || append(&path, &line)).await {
        Ok(Ok(())) => Outcome { status: None, ..Outcome::taken(0) },
        Ok(Err(error)) => {
            use io::ErrorKind::{IsADirectory, NotADirectory, NotFound, PermissionDenied};
            let is_set_up_wrong =
                matches!(error.kind(), IsADirectory | NotADirectory | NotFound | PermissionDenied);
            let fault = if is_set_up_wrong { Fault::Misconfigured } else { Fault::Unavailable };
            Outcome::failed(fault, format!("{shown}: {error}"))
        }
        Err(error) => Outcome::failed(Fault::Unavailable, format!("{shown}: {error}")),
    }
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    head: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a RawValue>,
    /// Where it is not JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

fn line(event: &Event) -> Vec<u8> {
    // Not parsed into a tree, so that numbers keep their digits. A line break in JSON is white space: within texts it is escaped.
    let json =
        std::str::from_utf8(&event.body).map(|text| text.replace(['\n', '\r'], " ")).unwrap_or_default();
    let body = serde_json::from_str::<&RawValue>(&json).ok();
    let body_base64 = body.is_none().then(|| BASE64_STANDARD.encode(&event.body));
    let mut line =
        serde_json::to_vec(&Line { head: event::head(event), body, body_base64 }).unwrap_or_default();
    line.push(b'\n');
    line
}

fn append(path: &Path, line: &[u8]) -> io::Result<()> {
    let is_new = !path.exists();
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    // Whoever else appends waits, so that a line that was cut off can be taken back.
    file.lock()?;
    let length = file.metadata()?.len();
    if let Err(error) = file.write_all(line) {
        file.set_len(length)?;
        return Err(error);
    }
    file.unlock()?;
    file.sync_data()?;
    if is_new {
        // Its name is on disk when the folder is.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}
