//! How far a pull got, on disk.

use std::io;
use std::path::PathBuf;

use nuncio_client::Redactor;
use nuncio_client::pages::Checkpoint;
use serde::{Deserialize, Serialize};

use crate::{Error, Format, files};

use super::sink::Out;

/// Of the file's shape. A file of another version is refused.
const VERSION: u32 = 1;

/// What a state file is about, and where it is.
pub(super) struct State {
    path: PathBuf,
    subject: Subject,
}

/// What must be the same in a resumed run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Subject {
    version: u32,
    call: String,
    /// Name of the output file, without its folder, which may move.
    to: String,
    format: Format,
    /// The columns that were asked for.
    columns: Option<Vec<String>>,
}

/// What changes with each page.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Saved {
    /// Length of the output.
    pub(super) bytes: u64,
    /// Header of a CSV file, once it is written.
    pub(super) header: Option<Vec<String>>,
    /// Nothing before the first page.
    pub(super) checkpoint: Option<Checkpoint>,
}

#[derive(Serialize, Deserialize)]
struct Document {
    #[serde(flatten)]
    subject: Subject,
    #[serde(flatten)]
    saved: Saved,
}

impl State {
    pub(super) fn new(
        path: PathBuf,
        out: &Out,
        format: Format,
        columns: Option<&Vec<String>>,
        call: &str,
    ) -> Result<Self, Error> {
        let Out::File(_, output) = out else {
            let problem = "a pull that does not write to a file has no state".to_owned();
            return Err(Error::Options { problem });
        };
        // The output is there by now, so the state is another file if it is not.
        if path.canonicalize().is_ok_and(|state| output.canonicalize().is_ok_and(|output| state == output)) {
            let problem = format!("{} cannot be both the output and its state", output.display());
            return Err(Error::Options { problem });
        }
        let to = output.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let call = Redactor::global().redact(call).into_owned();
        Ok(Self { path, subject: Subject { version: VERSION, call, to, format, columns: columns.cloned() } })
    }

    /// What an earlier run left, if there was one.
    pub(super) fn load(&self) -> Result<Option<Saved>, Error> {
        let text = match std::fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(Error::file("read", &self.path))?,
        };
        let Document { subject, saved } = serde_json::from_str(&text)
            .map_err(|error| self.problem(&format!("is not the state of a pull ({error})")))?;
        if subject != self.subject {
            let Subject { version, call, to, format, columns } = subject;
            let columns =
                columns.map_or("all columns".to_owned(), |names| format!("columns {}", names.join(",")));
            let what = format!(
                "is the state of `{call}` to {to} as {format} with {columns} (version {version}), not of this pull"
            );
            return Err(self.problem(&what));
        }
        Ok(Some(saved))
    }

    /// Makes the state of a pull that has nothing yet.
    pub(super) fn begin(&self) -> Result<(), Error> {
        self.save(Saved::default())?;
        files::sync_name(&self.path);
        Ok(())
    }

    pub(super) fn save(&self, saved: Saved) -> Result<(), Error> {
        let document = Document { subject: self.subject.clone(), saved };
        let text = serde_json::to_vec_pretty(&document).expect("it has text keys only");
        files::replace(&self.path, &text)
    }

    fn problem(&self, what: &str) -> Error {
        Error::state(&self.path, format!("{what}: start anew, or keep the state in another file"))
    }
}
