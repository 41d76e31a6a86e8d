//! Every record of a list in a file.
//!
//! Records are copied, not parsed: numbers keep every digit. At the end of a page the file is brought to disk, then the state
//! file is replaced by one that says how long the file is and where the next page is. A run that finds a state cuts the file to that
//! length and goes on there, so that nothing is lost and nothing is there twice. Pages that come faster than [`COMMIT_INTERVAL`] are made
//! safe together.

mod csv;
mod output;
mod sink;
mod state;

use std::future::Future;
use std::io::Write;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use nuncio_client::pages::{Checkpoint, Item, Progress, Verdict};
use serde::Serialize;

use crate::{Error, files};

use csv::Csv;
use output::Output;
use sink::{Out, Sink};
use state::State;

pub use crate::Format;
pub use output::COMMIT_INTERVAL;

/// What a pull writes, and where.
#[derive(Debug)]
#[non_exhaustive]
pub struct Options {
    /// Where the records go.
    pub to: Target,
    /// How they are written. Default: [`Format::Jsonl`].
    pub format: Format,
    /// The columns of a CSV file; other fields are left out. Default: the fields of the first records, in order of appearance; a
    /// later record with another field ends the pull with an error, since there is no column for it.
    pub columns: Option<Vec<String>>,
    /// Where to keep how far the pull got. Default for a file: the file's name with `.state` behind it; a device or a pipe has none.
    /// Without it the pull cannot be resumed.
    pub state: Option<PathBuf>,
    /// What is pulled, for people and without secrets, such as `stripe customers.list {"limit":100}`. A state of another call is
    /// refused.
    pub call: String,
    /// Whether to begin anew and write over what an earlier pull left. Default: false.
    pub restart: bool,
}

impl Options {
    /// A pull into the file at `path`, resumable. A device or a pipe at `path` is written like a [writer](Self::to_writer): it keeps
    /// nothing that could be gone on with.
    #[must_use]
    pub fn to_file(path: impl Into<PathBuf>, call: impl Into<String>) -> Self {
        let path = path.into();
        let state = (!files::is_stream(&path)).then(|| {
            let mut state = path.clone().into_os_string();
            state.push(".state");
            state.into()
        });
        Self { state, ..Self::new(Target::File(path), call.into()) }
    }

    /// A pull into `writer`, not resumable.
    #[must_use]
    pub fn to_writer(writer: impl Write + Send + 'static, call: impl Into<String>) -> Self {
        Self::new(Target::Writer(Box::new(writer)), call.into())
    }

    fn new(to: Target, call: String) -> Self {
        Self { to, format: Format::default(), columns: None, state: None, call, restart: false }
    }
}

/// Where records go.
#[non_exhaustive]
pub enum Target {
    /// A file. One that exists is only touched with its state or with [`Options::restart`].
    File(PathBuf),
    /// Anything else, such as standard output.
    Writer(Box<dyn Write + Send>),
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Writer(_) => f.write_str("Writer"),
        }
    }
}

/// What a pull came to.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Whether all records are there, or all that the bounds let through.
    pub complete: bool,
    /// Why it ended and whether that is everything; nothing when it was stopped.
    pub verdict: Option<Verdict>,
    /// What was written, earlier runs included.
    #[serde(flatten)]
    pub progress: Progress,
    /// Bytes of the output, earlier runs included.
    pub bytes: u64,
    /// What earlier runs had written, when this one went on from there.
    pub resumed_from: Option<Progress>,
}

/// Writes every record of a list.
///
/// `start` makes the stream, from the checkpoint if there is one ([`Pages::resume`](nuncio_client::pages::Pages::resume)).
/// `progress` is told after each page. When `stop` ends, so does the pull, at once: a page that was begun is
/// read again by the next run. Dropping the future, or a kill, leaves the same. A pull that has ended already asks for nothing.
///
/// ```
/// use nuncio_bulk::pull::{Options, pull};
/// use nuncio_client::pages::{Pages, Param, Place, Records, Strategy};
/// # use nuncio_client::{Body, Client, Error, Request, Response};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let service = tower::service_fn(|request: Request| async move {
/// #     let body = match request.uri().query() {
/// #         Some("cursor=c2") => r#"{"data": [{"name": "Grace"}], "next": null}"#,
/// #         _ => r#"{"data": [{"name": "Ada"}, {"name": "Edsger"}], "next": "c2"}"#,
/// #     };
/// #     Ok::<_, Error>(Response::new(Body::from(body.to_owned())))
/// # });
/// # let client = Client::builder().base_url("https://api.example.com").transport(service).build()?;
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("customers.jsonl");
/// let strategy = Strategy::Cursor { param: Param::Query("cursor".into()), next: Place::Body("next".parse()?) };
/// let pages = Pages::new(strategy, Records::Array("data".parse()?));
/// let start = |checkpoint| match checkpoint {
///     Some(checkpoint) => client.get("/customers").resume(&pages, checkpoint),
///     None => client.get("/customers").pages(&pages),
/// };
/// let summary = pull(Options::to_file(&path, "customers"), start, |_| {}, std::future::pending()).await?;
/// assert!(summary.complete);
/// assert_eq!(std::fs::read_to_string(&path)?.lines().last(), Some(r#"{"name": "Grace"}"#));
/// # Ok(())
/// # }
/// ```
///
/// Files are written on the calling task; the stream reads ahead on one of its own.
///
/// # Errors
/// Those of the stream; [`Error::File`] with the file; [`Error::InUse`] while another run writes it; [`Error::State`] where an earlier
/// run was of another call, or the file and the state do not go together; [`Error::Options`] for a state where there can be none;
/// [`Error::Record`] for a record that has no place in a CSV file.
pub async fn pull<S>(
    options: Options,
    start: impl FnOnce(Option<Checkpoint>) -> Result<S, nuncio_client::Error>,
    mut progress: impl FnMut(&Progress),
    stop: impl Future<Output = ()>,
) -> Result<Summary, Error>
where
    S: Stream<Item = Result<Item, nuncio_client::Error>>,
{
    let (mut output, checkpoint) = open(options)?;
    let resumed_from = checkpoint.as_ref().map(|checkpoint| checkpoint.progress);
    let mut items = pin!(start(checkpoint)?);
    let mut stop = pin!(stop);
    let mut due = pin!(tokio::time::sleep(Duration::ZERO));
    let mut done = resumed_from.unwrap_or_default();
    let outcome = loop {
        let item = tokio::select! {
            biased;
            () = &mut stop => break Ok(None),
            item = items.next() => item,
            // The next page takes its time: what came before it need not wait to be safe.
            () = &mut due, if output.is_unsaved() => match output.commit() {
                Ok(()) => continue,
                Err(error) => break Err(error),
            },
        };
        let result = match item {
            None => break Ok(None),
            Some(Err(error)) => break Err(error.into()),
            Some(Ok(Item::End(verdict))) => break Ok(Some(verdict)),
            Some(Ok(Item::Record(record))) => output.write(&record),
            Some(Ok(Item::Page(checkpoint))) => {
                done = checkpoint.progress;
                progress(&done);
                output.end_page(checkpoint, due.as_mut())
            }
            Some(Ok(_)) => Ok(()),
        };
        if let Err(error) = result {
            break Err(error);
        }
    };
    // What is behind the last whole page has no note in the state.
    let bytes = output.close();
    let verdict = outcome?;
    Ok(Summary {
        complete: verdict.as_ref().is_some_and(|verdict| verdict.check().is_ok()),
        verdict,
        progress: done,
        bytes: bytes?,
        resumed_from,
    })
}

fn open(options: Options) -> Result<(Output, Option<Checkpoint>), Error> {
    let Options { to, format, columns, state, call, restart } = options;
    // Opened first: the lock on the output is the one on its state too.
    let mut out = Out::open(to)?;
    let state = state.map(|path| State::new(path, &out, format, columns.as_ref(), &call)).transpose()?;
    let found = match &state {
        Some(state) if !restart => state.load()?,
        _ => None,
    };
    if found.is_none() {
        if !restart {
            out.must_be_empty()?;
        }
        // Before the output is touched: from here on, an old state would tell of bytes that are not there any more.
        if let Some(state) = &state {
            state.begin()?;
        }
    }
    let saved = found.unwrap_or_default();
    out.cut(saved.bytes)?;
    let records = saved.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.progress.records);
    let csv = (format == Format::Csv).then(|| Csv::new(columns, saved.header.clone(), records));
    Ok((Output::new(Sink::new(out, csv, saved.bytes), state), saved.checkpoint))
}
