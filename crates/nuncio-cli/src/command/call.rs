//! `nuncio call`: one call, or with `--all` every record of a list.

use clap::Args as ClapArgs;
use futures_util::StreamExt as _;
use nuncio_client::pages::{Item, Pages, Verdict};
use nuncio_client::{Call, Error};
use serde_json::json;

use crate::args::{AnswerOptions, BodyOptions, CallOptions, KeyOptions, PageOptions, PreviewOptions};
use crate::exit::Stop;
use crate::fate;
use crate::output::Output;
use crate::session::Session;
use crate::target::{Prepared, Target};
use crate::{interrupt, preview, stderr, verdict};

const EXAMPLES: &str = "\
Examples:
  nuncio call stripe customers.create email=ada@example.com
  nuncio call stripe customers.list --all --jq .id
  nuncio call GET https://api.example.com/items --auth bearer:env:TOKEN
  nuncio call https://api.example.com/items name=lamp tags:='[\"new\"]'
  nuncio call https://api.example.com/items --all --records data --cursor next";

/// Make one call and write its answer; with --all write every record of a list
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES, override_usage = "nuncio call [OPTIONS] SERVICE OPERATION [NAME=VALUE]...\n       nuncio call [OPTIONS] [METHOD] URL [NAME=VALUE]...")]
pub(crate) struct CallCommand {
    /// A service and its operation, or a method and a URL; then NAME=text, NAME:=json, NAME@file
    #[arg(required = true, value_name = "WORDS")]
    words: Vec<String>,
    /// Write every record of a list, page after page, one a line
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    options: CallOptions,
    #[command(flatten)]
    key: KeyOptions,
    #[command(flatten)]
    body: BodyOptions,
    #[command(flatten)]
    pages: PageOptions,
    #[command(flatten)]
    preview: PreviewOptions,
    #[command(flatten)]
    answer: AnswerOptions,
}

impl CallCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        let output = Output::new(self.answer.jq.as_deref())?;
        if !self.all {
            self.pages.refuse_without_all()?;
        }
        let pages = self.all.then_some(&self.pages);
        let target = Target::parse(&self.words)?;
        let prepared = target.prepare(session, &self.options, &self.body, pages, session.observer())?;
        let Prepared { call, pages, variable } = prepared;
        if self.preview.is_wanted() {
            return preview::show(call, &self.preview, variable.as_deref(), session);
        }
        match pages {
            Some(_) if self.key.is_given() => {
                Err(Error::configuration("an idempotency key is for one call, and --all makes many").into())
            }
            Some(pages) => all(call, &pages, &self.answer, session, output).await,
            None => one(call, &self.key, &self.answer, session, output).await,
        }
    }
}

/// Sends the call and writes the answer.
pub(crate) async fn one(
    call: Call,
    key: &KeyOptions,
    options: &AnswerOptions,
    session: &Session,
    mut output: Output,
) -> Result<(), Stop> {
    match fate::send(key.put(call)?, session).await? {
        Ok(answer) => output.body(&answer),
        Err(error) => Err(fail(error, options, &mut output)),
    }
}

/// The body of a failed answer is still the answer.
fn fail(error: Error, options: &AnswerOptions, output: &mut Output) -> Stop {
    let written = if options.fail { output.flush() } else { output.failure(&error) };
    written.err().unwrap_or(Stop::Failed(error))
}

async fn all(
    call: Call,
    pages: &Pages,
    options: &AnswerOptions,
    session: &Session,
    mut output: Output,
) -> Result<(), Stop> {
    let interrupted = interrupt::listen((!session.global.json).then_some("stopping after this page"));
    let mut items = call.pages(pages)?;
    while let Some(item) = items.next().await {
        match item {
            Ok(Item::Record(record)) => output.record(&record)?,
            Ok(Item::Page(_)) => {
                output.flush()?;
                if interrupted.has_come() {
                    return Err(interrupted.stop());
                }
            }
            Ok(Item::End(verdict)) => {
                output.flush()?;
                tell(&verdict, session);
                verdict.check()?;
            }
            Ok(_) => {}
            Err(error) => return Err(fail(error, options, &mut output)),
        }
    }
    Ok(())
}

/// Says what came and whether that is everything.
fn tell(verdict: &Verdict, session: &Session) {
    if session.global.json {
        stderr::line(&json!({ "verdict": verdict }).to_string());
    } else {
        stderr::line(&verdict::sentence(verdict));
    }
}
