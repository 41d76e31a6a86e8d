//! `nuncio each`: one call for each item of a file, resumable.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use nuncio_bulk::each::{Format, Item, Options, Summary};
use nuncio_client::{Call, Error, Kind, Observer};
use nuncio_service::{Inputs, Operation, suggest};
use serde_json::json;

use super::pull::{Advice, FormatName, bulk_error};
use crate::args::{BodyOptions, CallOptions, PreviewOptions};
use crate::exit::{self, Stop};
use crate::mapping::Mapping;
use crate::output::Output;
use crate::progress::Progress;
use crate::session::Session;
use crate::target::{self, Target};
use crate::verdict::counted;
use crate::{adhoc, interrupt, preview, stderr, values};

const EXAMPLES: &str = "\
Examples:
  nuncio each stripe customers.create --from people.csv \\
    email='{{ item.email }}' name='{{ item.name }}'
  nuncio each POST https://api.example.com/items --from - --results out.jsonl \\
    name='{{ item.name }}'

A run that was stopped or killed goes on where it was: run the same command again. What has its result is not sent again.";

const ADVICE: Advice = Advice {
    restart: "--restart begins anew, over what is there: every item is sent again",
    no_room: "make room and run the same command again: what has its result is not sent again",
};

/// Make one call for each item of a file; the same command goes on where a stopped one was
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES, override_usage = "nuncio each [OPTIONS] --from FILE SERVICE OPERATION [NAME=TEMPLATE]...\n       nuncio each [OPTIONS] --from FILE [METHOD] URL [NAME=TEMPLATE]...")]
pub(crate) struct EachCommand {
    /// A service and its operation, or a method and a URL; then NAME=text, NAME:=json, NAME@file with {{ item.x }} in them
    #[arg(required = true, value_name = "WORDS")]
    words: Vec<String>,
    /// File with the items, JSON lines or CSV with a header; - for standard input
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// How items are written. Default: by the name of the file, else jsonl
    #[arg(long, value_name = "FORMAT")]
    format: Option<FormatName>,
    /// Where results go, a line an item. Default: the input's name with .results.jsonl behind it
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Where failures go, a line an item. Default: the input's name with .failures.jsonl behind it
    #[arg(long, value_name = "FILE")]
    failures: Option<PathBuf>,
    /// Where to keep what became of which item. Default: the input's name with .journal behind it
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Take no further item after this many failures
    #[arg(long, value_name = "N")]
    max_failures: Option<NonZeroU64>,
    /// Try again what failed in an earlier run and was not done
    #[arg(long)]
    retry_failed: bool,
    /// Try again what may have been done in an earlier run, with the same idempotency key
    #[arg(long)]
    retry_unknown: bool,
    /// Begin anew, over what an earlier run left
    #[arg(long)]
    restart: bool,
    #[command(flatten)]
    options: CallOptions,
    #[command(flatten)]
    body: BodyOptions,
    #[command(flatten)]
    preview: PreviewOptions,
}

impl EachCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        let progress = Progress::of("items", session);
        let make_call = self.make_call(session, progress.observer(session))?;
        let input = open(&self.from)?;
        if self.preview.is_wanted() {
            return self.preview_first(input, &make_call, session).await;
        }
        let finishing = "finishing the calls under way";
        let output = self.output(session);
        self.keep_input(&output)?;
        let interrupted = interrupt::listen((!session.global.json).then_some(finishing));
        let summary = nuncio_bulk::each(
            input,
            output,
            |item| target::adjust(make_call(item)?, session, &self.options),
            |summary| progress.done(summary.ok + summary.failed + summary.unknown, None),
            interrupted.came(),
        )
        .await;
        progress.finish();
        let summary = summary.map_err(|error| bulk_error(error, &ADVICE))?;
        self.tell(&summary, session)?;
        match summary.failed + summary.unknown {
            _ if interrupted.has_come() && !summary.complete => {
                if !session.global.json {
                    stderr::line("stopped: the same command goes on from here");
                }
                Err(interrupted.stop())
            }
            0 => Ok(()),
            _ => Err(Stop::Told(exit::PARTIAL)),
        }
    }

    /// Shows the call of the first item: the others differ in what their items have.
    async fn preview_first(
        &self,
        input: Box<dyn BufRead + Send>,
        make_call: &MakeCall,
        session: &Session,
    ) -> Result<(), Stop> {
        let first = nuncio_bulk::each::first(input, self.item_format()).await;
        let Some(item) = first.map_err(|error| bulk_error(error, &ADVICE))? else {
            stderr::line("the input has no items");
            return Ok(());
        };
        let call = target::adjust(make_call(&item)?, session, &self.options)?;
        preview::show(call, &self.preview, None, session)
    }

    /// What makes the call of an item. What would fail for every item fails here, before the first.
    fn make_call(&self, session: &Session, observer: Observer) -> Result<MakeCall, Error> {
        match Target::parse(&self.words)? {
            Target::Url { method, url, fields } => {
                let client = target::client(session, &self.options, self.options.auth()?.as_ref(), observer)?;
                let mapping = Mapping::new(fields, &session.env)?;
                let body = self.body.clone();
                Ok(Box::new(move |item| {
                    adhoc::call(&client, method.clone(), &url, mapping.apply(&item.value)?, &body)
                }))
            }
            Target::Operation { service, operation: name, fields } => {
                self.body.refuse_for(&service)?;
                let connection = target::connect(session, &service, &self.options, observer)?;
                let mapping = Mapping::new(fields, &session.env)?;
                all_known(connection.service().operation(&name)?, &mapping)?;
                if let Err(error) = connection.call(&name, Inputs::new())
                    && error.kind() == Kind::Configuration
                {
                    return Err(error);
                }
                Ok(Box::new(move |item| {
                    let operation = connection.service().operation(&name)?;
                    connection.call(&name, values::inputs(operation, mapping.apply(&item.value)?)?)
                }))
            }
        }
    }

    fn output(&self, session: &Session) -> Options {
        let stem = match self.from.as_os_str() == "-" {
            true => Path::new("nuncio-each"),
            false => &self.from,
        };
        let mut options = Options::new(stem, target::identity(&self.words, &self.options));
        if let Some(results) = &self.results {
            options.results.clone_from(results);
        }
        if let Some(failures) = &self.failures {
            options.failures.clone_from(failures);
        }
        if let Some(state) = &self.state {
            options.journal.clone_from(state);
        }
        options.format = self.item_format();
        options.concurrency = session.concurrency(&self.options).unwrap_or(options.concurrency);
        options.max_failures = self.max_failures;
        options.retry_failed = self.retry_failed;
        options.retry_unknown = self.retry_unknown;
        options.restart = self.restart;
        options
    }

    /// A run that begins anew writes over its files.
    fn keep_input(&self, output: &Options) -> Result<(), Error> {
        let Ok(input) = self.from.canonicalize() else { return Ok(()) };
        let written = [&output.results, &output.failures, &output.journal];
        if written.into_iter().any(|path| path.canonicalize().is_ok_and(|path| path == input)) {
            let input = self.from.display();
            return Err(Error::configuration(format!("{input} is the input and cannot be written too")));
        }
        Ok(())
    }

    fn item_format(&self) -> Format {
        match FormatName::of(self.format, &self.from) {
            FormatName::Jsonl => Format::Jsonl,
            FormatName::Csv => Format::Csv,
        }
    }

    /// The last word: on standard error for a person, on standard output for a machine.
    fn tell(&self, summary: &Summary, session: &Session) -> Result<(), Stop> {
        if session.global.json {
            let mut output = Output::new(None)?;
            output.line(&json!(summary).to_string())?;
            return output.flush();
        }
        let Summary { ok, failed, unknown, skipped, attempts, .. } = summary;
        let items = counted(ok + failed + unknown, "item");
        let attempts = counted(*attempts, "attempt");
        stderr::line(&format!(
            "{items}: {ok} ok, {failed} failed, {unknown} of unknown fate; {skipped} were settled before; {attempts}"
        ));
        if failed + unknown > 0 {
            let failures = self.output(session).failures;
            stderr::line(&format!(
                "{} says why; --retry-failed and --retry-unknown try them again",
                failures.display()
            ));
        }
        Ok(())
    }
}

type MakeCall = Box<dyn Fn(&Item) -> Result<Call, Error>>;

fn open(path: &Path) -> Result<Box<dyn BufRead + Send>, Error> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let file = File::open(path)
        .map_err(|error| Error::configuration(format!("{} cannot be read", path.display())).because(error))?;
    Ok(Box::new(BufReader::new(file)))
}

fn all_known(operation: &Operation, mapping: &Mapping) -> Result<(), Error> {
    let Some(unknown) = mapping.names().find(|name| !operation.input.contains_key(*name)) else {
        return Ok(());
    };
    let known = operation.input.keys().map(String::as_str);
    let meant = suggest(unknown, known).map(|meant| format!(", did you mean {meant}?")).unwrap_or_default();
    Err(Error::new(Kind::Validation, format!("the operation has no input {unknown}{meant}")))
}
