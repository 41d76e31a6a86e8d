//! What can stand on the command line.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{ArgAction, Args as ClapArgs, Parser};
use http::{HeaderName, HeaderValue};
use nuncio_client::{Call, Error};
use nuncio_credentials::{Account, DEFAULT_NAME};
use nuncio_service::model::Span;

use crate::command::Command;
use crate::exit;
use crate::secret_ref::AuthRef;
use crate::size::Size;

/// Talks to third-party HTTP APIs: proves who calls, waits its turn, tries again where that is safe, reads every page.
#[derive(Debug, Parser)]
#[command(name = "nuncio", version, after_help = exit::TABLE, propagate_version = true, infer_subcommands = false)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Global {
    /// Settings file. Default: ~/.config/nuncio/config.toml
    #[arg(long, global = true, value_name = "FILE", env = "NUNCIO_CONFIG", help_heading = "Global options")]
    pub(crate) config: Option<PathBuf>,
    /// Write errors, events and summaries as JSON objects, one a line
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) json: bool,
    /// Show what goes over the wire and why, secrets blanked
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub(crate) verbose: bool,
}

/// Which service, at which place, for whom.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Service options")]
pub(crate) struct ServiceOptions {
    /// Service file to add to the catalog
    #[arg(long, value_name = "SERVICE.yaml")]
    pub(crate) file: Option<PathBuf>,
    /// Call this instead of the service's own base URL
    #[arg(long, value_name = "URL", env = "NUNCIO_BASE_URL")]
    pub(crate) base_url: Option<String>,
    /// Account whose stored credentials are used; `nuncio login` stores them
    #[arg(long = "as", value_name = "NAME", env = "NUNCIO_AS")]
    pub(crate) account: Option<String>,
    /// Certificates of authorities to trust beside those of the system, as PEM
    #[arg(long, value_name = "FILE", env = "NUNCIO_CACERT")]
    pub(crate) cacert: Option<String>,
    /// Certificate and private key to show to servers that ask for one, as PEM; as PKCS#12 in a build with that feature, with its passphrase in
    /// NUNCIO_CERT_PASSPHRASE
    #[arg(long, value_name = "FILE", env = "NUNCIO_CERT")]
    pub(crate) cert: Option<String>,
    /// Allow http:// to other machines
    #[arg(long)]
    pub(crate) allow_http: bool,
}

impl ServiceOptions {
    /// The account of `service` that is meant.
    pub(crate) fn account_of(&self, service: &str) -> Result<Account, Error> {
        Account::new(service, self.account.as_deref().unwrap_or(DEFAULT_NAME))
    }
}

/// How calls are made.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Call options")]
pub(crate) struct CallOptions {
    #[command(flatten)]
    pub(crate) service: ServiceOptions,
    /// Credentials for a call without a service file: bearer:env:NAME, basic:USER:env:NAME, header:NAME:file:PATH, query:NAME:env:NAME
    #[arg(long, value_name = "SCHEME")]
    pub(crate) auth: Option<String>,
    /// Header to send; may be given several times
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Query parameter to send; may be given several times
    #[arg(short = 'q', long = "query", value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) query: Vec<(String, String)>,
    /// Time for one attempt, such as 30s
    #[arg(long, value_name = "TIME", env = "NUNCIO_TIMEOUT")]
    pub(crate) timeout: Option<Span>,
    /// Time for a whole call, waits and further attempts included, such as 5m
    #[arg(long, value_name = "TIME", env = "NUNCIO_DEADLINE")]
    pub(crate) deadline: Option<Span>,
    /// Bound on an answer that is read whole, such as 500kB or 2GiB. Default: 64MiB
    #[arg(long, value_name = "SIZE", env = "NUNCIO_MAX_BODY")]
    pub(crate) max_body: Option<Size>,
    /// Calls at the same time
    #[arg(long, value_name = "N", env = "NUNCIO_CONCURRENCY")]
    pub(crate) concurrency: Option<NonZeroUsize>,
}

// Not parsed by clap, whose messages repeat what was written: it may be a secret.
impl CallOptions {
    /// `--auth`.
    pub(crate) fn auth(&self) -> Result<Option<AuthRef>, Error> {
        self.auth.as_deref().map(|text| text.parse()).transpose()
    }

    /// `--header`, all of them.
    pub(crate) fn headers(&self) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        self.headers.iter().map(|text| header(text)).collect()
    }
}

/// Under which key a single call is made.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Call options")]
pub(crate) struct KeyOptions {
    /// Make the call under this idempotency key, so that it is done once beside an earlier try with the same key. Default: a random one
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

impl KeyOptions {
    pub(crate) fn is_given(&self) -> bool {
        self.idempotency_key.is_some()
    }

    /// The call under the key.
    pub(crate) fn put(&self, call: Call) -> Result<Call, Error> {
        let Some(key) = &self.idempotency_key else { return Ok(call) };
        let mut call = call.idempotency_key(key.as_str());
        match call.settle_idempotency_key() {
            Some(_) => Ok(call),
            // Sent without the key, it could be done twice.
            None => Err(Error::configuration("no idempotency key can be sent with this call")
                .advise("keys go with POST and PATCH, to services whose file names a header for them under idempotency")),
        }
    }
}

/// A service, and one account there.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct AccountArgs {
    /// The service
    pub(crate) service: String,
    /// The account. Default: default
    #[arg(long = "as", value_name = "NAME", env = "NUNCIO_AS")]
    pub(crate) name: Option<String>,
}

impl AccountArgs {
    pub(crate) fn account(&self) -> Result<Account, Error> {
        Account::new(&self.service, self.name.as_deref().unwrap_or(DEFAULT_NAME))
    }
}

/// The body of a call without a service file.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Call options")]
pub(crate) struct BodyOptions {
    /// Body to send as it is; @FILE reads it from a file, @- from standard input
    #[arg(short, long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) data: Option<String>,
    /// Send the fields as a form instead of JSON
    #[arg(long, conflicts_with = "data")]
    pub(crate) form: bool,
}

impl BodyOptions {
    /// A service file describes the body itself.
    pub(crate) fn refuse_for(&self, service: &str) -> Result<(), Error> {
        if self.data.is_none() && !self.form {
            return Ok(());
        }
        Err(Error::configuration(format!("the file of {service} says how bodies are made"))
            .advise("leave --data and --form out and give NAME=VALUE, or call a URL"))
    }
}

/// What is shown instead of sending the call.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Preview")]
pub(crate) struct PreviewOptions {
    /// Show the request with secrets blanked; send nothing, fetch no token
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Show the request as a curl command with secrets blanked; send nothing
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) curl: bool,
}

impl PreviewOptions {
    pub(crate) fn is_wanted(&self) -> bool {
        self.dry_run || self.curl
    }
}

/// How lists are read, and how a list without a service file pages.
#[derive(Debug, Clone, Default, PartialEq, ClapArgs)]
#[command(next_help_heading = "Pages")]
pub(crate) struct PageOptions {
    /// Stop after this many records
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<NonZeroU64>,
    /// Stop after this many pages
    #[arg(long, value_name = "N")]
    pub(crate) max_pages: Option<NonZeroU64>,
    /// Place of the list of records in the answer, such as data.items; `.` for the whole body
    #[arg(long, value_name = "PATH")]
    pub(crate) records: Option<String>,
    /// The answer has the next cursor at PATH, and the parameter PARAM (cursor) takes it
    #[arg(long, value_name = "PATH[:PARAM]", group = "strategy")]
    pub(crate) cursor: Option<String>,
    /// The answer has the URL of the next page at PATH
    #[arg(long, value_name = "PATH", group = "strategy")]
    pub(crate) next_url: Option<String>,
    /// The answer has the URL of the next page in its Link header
    #[arg(long, group = "strategy")]
    pub(crate) link: bool,
    /// PARAM takes the number of the page, from 1
    #[arg(long, value_name = "PARAM", group = "strategy")]
    pub(crate) page_param: Option<String>,
    /// PARAM takes the number of records to skip
    #[arg(long, value_name = "PARAM", group = "strategy")]
    pub(crate) offset_param: Option<String>,
    /// PARAM takes the id (at ID in a record) of the last record
    #[arg(long, value_name = "PARAM:ID", group = "strategy")]
    pub(crate) keyset: Option<String>,
    /// All records are on one page
    #[arg(long, group = "strategy")]
    pub(crate) single: bool,
    /// Ask for pages of N records by the parameter PARAM
    #[arg(long, value_name = "PARAM=N", value_parser = pair)]
    pub(crate) page_size: Option<(String, String)>,
    /// The answer says at PATH whether there is more
    #[arg(long, value_name = "PATH")]
    pub(crate) more: Option<String>,
    /// The answer says at PATH how many records there are
    #[arg(long, value_name = "PATH")]
    pub(crate) total: Option<String>,
}

impl PageOptions {
    /// Bounds and paging are about lists.
    pub(crate) fn refuse_without_all(&self) -> Result<(), Error> {
        if *self == Self::default() {
            return Ok(());
        }
        Err(Error::configuration("a bound or a way to page is given, but a single call is made")
            .advise("add --all"))
    }

    /// A service file describes how its lists page.
    pub(crate) fn refuse_for(&self, service: &str) -> Result<(), Error> {
        if *self == (Self { limit: self.limit, max_pages: self.max_pages, ..Self::default() }) {
            return Ok(());
        }
        Err(Error::configuration(format!("the file of {service} says how its lists page"))
            .advise("keep --limit and --max-pages and leave the other flags for pages out, or call a URL"))
    }
}

/// What is done with the answer.
#[derive(Debug, Clone, ClapArgs)]
#[command(next_help_heading = "Output")]
pub(crate) struct AnswerOptions {
    /// Put the answer, or each record, through a jq filter
    #[arg(long, value_name = "FILTER")]
    pub(crate) jq: Option<String>,
    /// Do not write the body of a failed answer
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) fail: bool,
}

pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("{text:?} has no =: write NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let refused = |what: &str| Error::configuration(what).advise("write --header \"NAME: VALUE\"");
    let (name, value) = text.split_once(':').ok_or_else(|| refused("a header has no colon"))?;
    let name: HeaderName =
        name.trim().parse().map_err(|_| refused(&format!("{:?} is no name of a header", name.trim())))?;
    if name == http::header::AUTHORIZATION || name == http::header::COOKIE {
        return Err(Error::configuration(format!(
            "the header {name} is a secret, which others could read here"
        ))
        .advise("use --auth, or a service file"));
    }
    let value = value.trim().parse().map_err(|_| {
        refused(&format!("the value of the header {name} has a character that no header can carry"))
    })?;
    Ok((name, value))
}
