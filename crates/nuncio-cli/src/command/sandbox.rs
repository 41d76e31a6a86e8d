//! `nuncio sandbox`: fakes of services, made from their files.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args as ClapArgs;
use nuncio_client::Error;
use nuncio_sandbox::{Fault, Options, Sandbox};
use nuncio_service::model::Span;

use crate::exit::Stop;
use crate::interrupt;
use crate::output::Output;
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  nuncio sandbox stripe slack
  nuncio sandbox example --port 4010 --fault 429:every=10,retry-after=1 --fault 503:rate=0.05 --seed 7

A fault is what happens (a status, reset, truncate, delay=200ms, expired-token, repeat-cursor) and when (every=N, rate=P,
times=N, on=OPERATION). The header Sandbox-Fault asks for one on a single request.";

/// Serve fakes of services, made from their files, on this machine until Ctrl-C
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SandboxCommand {
    /// Names of services
    #[arg(required = true, value_name = "SERVICE")]
    services: Vec<String>,
    /// Service file to add to the catalog
    #[arg(long, value_name = "SERVICE.yaml")]
    file: Option<PathBuf>,
    /// Port of 127.0.0.1 to listen on; 0 for any free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Decides ids and the chance of faults: the same seed, the same run
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Misbehave, as in 429:every=10,retry-after=1; may be given several times
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<Fault>,
    /// Do not enforce the limits of the service files
    #[arg(long)]
    no_limits: bool,
    /// How many objects are there from the start, as in example.orders=1000; may be given several times
    #[arg(long = "records", value_name = "SERVICE.RESOURCE=N", value_parser = records)]
    records: Vec<(String, u32)>,
    /// How long an OAuth 2.0 token is accepted, as in 2s [default: 1h]
    #[arg(long, value_name = "SPAN")]
    token_lifetime: Option<Span>,
    /// Make OAuth 2.0 refresh tokens rotate, and take a used one for this long; a later one ends its login
    #[arg(long, value_name = "SPAN")]
    refresh_grace: Option<Span>,
}

impl SandboxCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        let catalog = session.catalog(self.file.as_deref())?;
        let services = self.services.iter().map(|name| catalog.get(name)).collect::<Result<_, Error>>()?;
        let interrupted = interrupt::listen(None);
        let defaults = Options::default();
        let options = Options {
            services,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)),
            seed: self.seed,
            faults: self.faults,
            enforce_limits: !self.no_limits,
            env: session.env.clone(),
            records: BTreeMap::from_iter(self.records),
            token_lifetime: self.token_lifetime.map_or(defaults.token_lifetime, |span| span.0),
            refresh_grace: self.refresh_grace.map(|span| span.0),
            ..defaults
        };
        let sandbox = Sandbox::start(options)
            .await
            .map_err(|error| Error::configuration("the sandbox does not start").because(error))?;
        let mut output = Output::new(None)?;
        for name in &self.services {
            let url = sandbox.url(name).unwrap_or_default();
            output.line(&format!("{name} {url}"))?;
        }
        output.flush()?;
        interrupted.came().await;
        sandbox.stop().await;
        Ok(())
    }
}

fn records(text: &str) -> Result<(String, u32), String> {
    let parsed =
        text.split_once('=').and_then(|(name, number)| Some((name.to_owned(), number.parse().ok()?)));
    parsed.ok_or_else(|| format!("{text:?} is not written as example.orders=1000"))
}
