//! `nuncio serve`: webhooks in and out, on this machine.

mod services;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args as ClapArgs;
use nuncio_client::{Error, Random, wire};
use nuncio_gateway::{Config, Gateway, Handle, Options, Parts};
use nuncio_relay::deliver::{self, Targets};
use nuncio_relay::inbox::ClientFetch;
use nuncio_relay::store::SqliteStore;
use tokio::runtime::{Builder, Runtime};

use crate::exit::Stop;
use crate::interrupt;
use crate::output::Output;
use crate::session::Session;
use crate::stderr;

/// The variable with a token that may do everything.
const TOKEN_VARIABLE: &str = "NUNCIO_TOKEN";

const EXAMPLES: &str = "\
Examples:
  nuncio serve
  nuncio serve relay.yaml
  NUNCIO_TOKEN=... nuncio serve relay.yaml --listen 0.0.0.0:8480

SIGHUP reads the file again; it is also read when it changes. SIGTERM or Ctrl-C ends in good order, a second one at once.";

/// Receive webhooks, tell of events, and deliver both until they arrive
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeCommand {
    /// What is set up. Default: what the API sets up, and what an earlier file did
    #[arg(value_name = "RELAY.yaml")]
    file: Option<PathBuf>,
    /// Address and port to listen on [default: 127.0.0.1:8480]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// File in which all is kept [default: relay.db in the user's folder for data]
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

impl ServeCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        let interrupted = interrupt::listen(Some("finishing what is under way"));
        let unstarted = |error| Error::configuration("the runtime cannot be started").because(error);
        // On all processors, unlike other commands: many are served at once.
        let runtime = Builder::new_multi_thread().enable_all().build().map_err(unstarted)?;
        let served = self.serve(session, &runtime, &interrupted).await;
        runtime.shutdown_background();
        served
    }

    async fn serve(
        self,
        session: &Session,
        runtime: &Runtime,
        interrupted: &interrupt::Interrupt,
    ) -> Result<(), Stop> {
        let config = self.file.as_deref().map(|file| Config::read(file, &session.env)).transpose()?;
        let mut options = config.as_ref().map(Config::options).unwrap_or_default();
        options.listen = self.listen.unwrap_or(options.listen);
        options.bootstrap_token = session.env.get(TOKEN_VARIABLE);
        let store = self.store.or_else(|| config?.store).map_or_else(default_store, Ok)?;
        let gateway = open(session, runtime, options, store.clone()).await?;
        tell(&gateway, &store)?;
        let handle = gateway.handle();
        reload_on_hangup(&handle);
        let mut running = runtime.spawn(gateway.run());
        tokio::select! {
            () = interrupted.came() => {
                handle.stop();
                ended(running.await);
            }
            ran = &mut running => ended(ran),
        }
        Ok(())
    }
}

/// What a task that panicked has to tell is told here.
fn ended(ran: Result<(), tokio::task::JoinError>) {
    if let Err(failed) = ran {
        std::panic::resume_unwind(failed.into_panic());
    }
}

async fn open(
    session: &Session,
    runtime: &Runtime,
    options: Options,
    path: PathBuf,
) -> Result<Gateway, Error> {
    let mut wire = wire::Settings::default();
    if let Some(file) = &session.config.cacert {
        wire.root_certificates.push(crate::values::read_bytes(file)?);
    }
    let connect = services::connect(session);
    let deliver =
        deliver::Settings { wire: wire.clone(), connect: Arc::clone(&connect), clock: session.clock.clone() };
    let unopened = |error| Error::configuration("the store cannot be used").because(error);
    let parts = Parts {
        store: Arc::new(SqliteStore::open(&path).map_err(unopened)?),
        deliver: Arc::new(Targets::new(deliver)),
        connect,
        fetch: Arc::new(ClientFetch::new(wire)?),
        env: session.env.clone(),
        clock: session.clock.clone(),
        random: Random::new(),
    };
    match runtime.spawn(Gateway::open(options, parts)).await {
        Ok(opened) => opened,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

/// Where all is kept unless something else is said, in a folder that is made.
fn default_store() -> Result<PathBuf, Error> {
    let path = super::store::default_path()?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            Error::configuration(format!("{} cannot be made", folder.display())).because(error)
        })?;
    }
    Ok(path)
}

/// Says where it is reached: to programs on standard output, and to people what to do next.
fn tell(gateway: &Gateway, store: &std::path::Path) -> Result<(), Stop> {
    let url = gateway.url();
    let mut output = Output::new(None)?;
    output.line(&url)?;
    output.flush()?;
    stderr::line(&format!("nuncio: all is kept in {}", store.display()));
    let sources = gateway.sources();
    for source in &sources {
        stderr::line(&format!("nuncio: webhooks of {source} are taken at {url}/in/{source}"));
    }
    if sources.is_empty() {
        stderr::line(&format!(
            "nuncio: no source is set up yet. For one named shop that takes webhooks of Stripe at {url}/in/shop:\n  \
             nuncio sources set shop --scheme stripe --secret-env STRIPE_WEBHOOK_SECRET --gateway {url}"
        ));
    }
    Ok(())
}

#[cfg(unix)]
fn reload_on_hangup(handle: &Handle) {
    use tokio::signal::unix::{SignalKind, signal};
    let handle = handle.clone();
    if let Ok(mut hangup) = signal(SignalKind::hangup()) {
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                handle.reload();
            }
        });
    }
}

#[cfg(not(unix))]
fn reload_on_hangup(_: &Handle) {}
