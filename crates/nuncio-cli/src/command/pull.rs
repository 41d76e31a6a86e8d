//! `nuncio pull`: every record of a list in a file, resumable.

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, ValueEnum};
use futures_util::future::Either;
use nuncio_bulk::pull::{Format, Options, Summary};
use nuncio_client::Error;
use serde_json::json;

use crate::args::{BodyOptions, CallOptions, PageOptions, PreviewOptions};
use crate::exit::Stop;
use crate::filter::Filter;
use crate::output::Output;
use crate::progress::Progress;
use crate::session::Session;
use crate::target::{self, Prepared, Target};
use crate::verdict::{self, counted};
use crate::{interrupt, preview, stderr};

const EXAMPLES: &str = "\
Examples:
  nuncio pull stripe customers.list --to customers.jsonl
  nuncio pull github issues.list owner=rust-lang repo=rust --to issues.csv --columns number,title
  nuncio pull github issues.list owner=rust-lang repo=rust --to open.jsonl --jq 'select(.comments > 0) | {number, title}'
  nuncio pull https://api.example.com/items --records data --cursor next --to items.jsonl

A pull that was stopped or killed goes on where it was: run the same command again. One that is complete asks for nothing; --restart reads the list again.";

/// Write every record of a list to a file; the same command goes on where a stopped one was
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES, override_usage = "nuncio pull [OPTIONS] --to FILE SERVICE OPERATION [NAME=VALUE]...\n       nuncio pull [OPTIONS] --to FILE [METHOD] URL [NAME=VALUE]...")]
pub(crate) struct PullCommand {
    /// A service and its operation, or a method and a URL; then NAME=text, NAME:=json, NAME@file
    #[arg(required = true, value_name = "WORDS")]
    words: Vec<String>,
    /// File to write; - for standard output, which cannot be resumed
    #[arg(long, value_name = "FILE", required_unless_present_any = ["dry_run", "curl"])]
    to: Option<PathBuf>,
    /// How records are written. Default: by the name of the file, else jsonl
    #[arg(long, value_name = "FORMAT")]
    format: Option<FormatName>,
    /// Columns of a CSV file. Default: the fields of the first records
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    columns: Option<Vec<String>>,
    /// Put each record through a jq filter, which may make none, one or several of it
    #[arg(long, value_name = "FILTER")]
    jq: Option<String>,
    /// Where to keep how far the pull got. Default: the file's name with .state behind it
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Begin anew, over what an earlier pull left
    #[arg(long)]
    restart: bool,
    #[command(flatten)]
    options: CallOptions,
    #[command(flatten)]
    body: BodyOptions,
    #[command(flatten)]
    pages: PageOptions,
    #[command(flatten)]
    preview: PreviewOptions,
}

/// A format by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatName {
    Jsonl,
    Csv,
}

impl FormatName {
    /// The one that was asked for, else the one that the name of the file says.
    pub(crate) fn of(asked: Option<Self>, file: &Path) -> Self {
        let by_name = if file.extension().is_some_and(|end| end == "csv") { Self::Csv } else { Self::Jsonl };
        asked.unwrap_or(by_name)
    }
}

impl PullCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        let progress = Progress::records(session);
        let target = Target::parse(&self.words)?;
        let prepared = target.prepare(
            session,
            &self.options,
            &self.body,
            Some(&self.pages),
            progress.observer(session),
        )?;
        let Prepared { call, pages, variable } = prepared;
        if self.preview.is_wanted() {
            return preview::show(call, &self.preview, variable.as_deref(), session);
        }
        let pages = pages.ok_or_else(|| Error::configuration("a pull needs a list"))?;
        let filter = self.jq.as_deref().map(Filter::new).transpose()?;
        let output = self.output();
        let resumes = output.state.is_some();
        let stopping = if resumes { "stopping; the same command goes on from here" } else { "stopping" };
        let interrupted = interrupt::listen((!session.global.json).then_some(stopping));
        let summary = nuncio_bulk::pull(
            output,
            |checkpoint| {
                let items = match checkpoint {
                    Some(checkpoint) => call.resume(&pages, checkpoint)?,
                    None => call.pages(&pages)?,
                };
                Ok(match filter {
                    Some(filter) => Either::Left(filter.list(items)),
                    None => Either::Right(items),
                })
            },
            |done| progress.page(done),
            interrupted.came(),
        )
        .await;
        progress.finish();
        let summary = summary.map_err(|error| bulk_error(error, if resumes { &RESUMED } else { &LOST }))?;
        self.tell(&summary, resumes, session)?;
        match &summary.verdict {
            Some(verdict) => Ok(verdict.check()?),
            None => Err(interrupted.stop()),
        }
    }

    /// The last word: on standard error for a person, on standard output for a machine, unless the records are there.
    fn tell(&self, summary: &Summary, resumes: bool, session: &Session) -> Result<(), Stop> {
        match &summary.verdict {
            _ if session.global.json && self.is_to_stdout() => {
                stderr::line(&json!({ "summary": summary }).to_string());
            }
            _ if session.global.json => {
                let mut output = Output::new(None)?;
                output.line(&json!(summary).to_string())?;
                output.flush()?;
            }
            // Who pulls every day would take the old list for a new one.
            Some(verdict) if summary.complete && summary.resumed_from == Some(summary.progress) => {
                let sentence = verdict::sentence(verdict);
                stderr::line(&format!("{sentence}; it was so before, --restart reads the list again"));
            }
            Some(verdict) => stderr::line(&verdict::sentence(verdict)),
            None => {
                let records = counted(summary.progress.records, "record");
                let next = if resumes { "; the same command goes on from here" } else { "" };
                stderr::line(&format!("stopped: {records} so far{next}"));
            }
        }
        Ok(())
    }

    fn is_to_stdout(&self) -> bool {
        self.to.as_deref().is_none_or(|to| to.as_os_str() == "-" || to == Path::new("/dev/stdout"))
    }

    fn output(&self) -> Options {
        let filter = self.jq.iter().map(|filter| format!(" --jq {filter}"));
        let call = target::identity(&self.words, &self.options) + &filter.collect::<String>();
        let to = self.to.clone().unwrap_or_else(|| PathBuf::from("-"));
        let format = FormatName::of(self.format, &to);
        let mut options = match self.is_to_stdout() {
            true => Options::to_writer(std::io::stdout(), call),
            false => Options::to_file(to, call),
        };
        options.format = match format {
            FormatName::Jsonl => Format::Jsonl,
            FormatName::Csv => Format::Csv,
        };
        options.columns = self.columns.clone();
        options.state = self.state.clone().or(options.state);
        options.restart = self.restart;
        options
    }
}

/// What a command says about going on after an error.
pub(crate) struct Advice {
    /// What `--restart` does.
    pub(crate) restart: &'static str,
    /// What to do when there was no room for the output.
    pub(crate) no_room: &'static str,
}

const RESUMED: Advice = Advice {
    restart: "--restart begins anew, over what is there",
    no_room: "make room and run the same command again: it goes on from the last whole page",
};

/// Of a pull whose output cannot be gone on with.
const LOST: Advice = Advice { no_room: "make room and begin anew", ..RESUMED };

/// An error of a run over files, as one of the client's.
pub(crate) fn bulk_error(error: nuncio_bulk::Error, advice: &Advice) -> Stop {
    use std::io::ErrorKind;

    let message = error.to_string();
    Stop::Failed(match error {
        nuncio_bulk::Error::Call(error) => error,
        nuncio_bulk::Error::File { source, .. } => match source.kind() {
            ErrorKind::BrokenPipe => return Stop::PipeClosed,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Error::configuration(message).because(source).advise(advice.no_room)
            }
            _ => Error::configuration(message).because(source),
        },
        nuncio_bulk::Error::InUse { .. } => {
            Error::configuration(message).advise("wait until that run has ended, or write to another file")
        }
        nuncio_bulk::Error::State { .. } => Error::configuration(message).advise(advice.restart),
        _ => Error::configuration(message),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_run_left_names_the_flag_that_begins_anew() {
        let error =
            nuncio_bulk::Error::State { path: "a.jsonl.state".into(), problem: "is of another call".into() };
        let Stop::Failed(error) = bulk_error(error, &RESUMED) else { panic!("it failed") };
        assert_eq!(error.to_string(), "a.jsonl.state is of another call");
        assert_eq!(error.advice(), Some("--restart begins anew, over what is there"));
    }
}
