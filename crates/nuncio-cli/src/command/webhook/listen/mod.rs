//! `nuncio webhook listen`: webhooks on one's own machine, seen as they come, kept, and forwarded just as they came.

mod announced;
mod counts;
mod judged;
mod layout;
mod people;
mod place;
mod print;
mod show;

use std::sync::Arc;

use clap::Args as ClapArgs;
use nuncio_client::{Error, Random, wire};
use nuncio_gateway::{Happening, Listener, ListenerOptions, Parts, Replay, SOURCE};
use nuncio_relay::deliver::{self, Targets};
use nuncio_relay::inbox::{ClientFetch, Source as Inlet};
use nuncio_relay::settings::{self, Http};
use nuncio_relay::store::SqliteStore;
use nuncio_service::model::Span;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use super::options::SecretOptions;
use crate::exit::Stop;
use crate::interrupt::{self, Interrupt};
use crate::session::Session;
use crate::{stderr, values};
use judged::Judge;
use place::Place;
use show::Screen;

/// How many happenings may wait to be shown. When there are more, requests wait for their answers.
const UNSHOWN: usize = 1024;

/// The longest body that is taken: 32 MiB. GitHub sends up to 25.
const MAX_BODY_BYTES: u64 = 32 * 1024 * 1024;

const EXAMPLES: &str = "\
Examples:
  nuncio webhook listen --forward-to http://localhost:3000/webhooks
  nuncio webhook listen --provider stripe --secret-env STRIPE_WEBHOOK_SECRET --forward-to http://localhost:3000/stripe
  nuncio webhook listen --provider github --secret-file secret.txt --print | jq .type
  nuncio webhook listen --forward-to http://localhost:3000/webhooks --replay last

The provider is answered as soon as the event is on disk, whatever the target does: what comes while the target is down is delivered when it is up
again, in order, also by a later run. A target that answers has had its say: only 502, 503 and 504 are tried again, as no answer is. Every path is
taken, and a tunnel has to lead here from outside. Ctrl-C ends it.";

/// Receive webhooks on this machine, show each as it comes, and forward it with the bytes and headers that came
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ListenCommand {
    /// Where events go. Default: nowhere, they are shown and kept
    #[arg(long, value_name = "URL")]
    forward_to: Option<String>,
    /// Who sends: a provider (`nuncio webhook providers`), or the path of a scheme file or of a service file with webhooks. Default: anybody, and
    /// nothing is verified
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,
    #[command(flatten)]
    secrets: SecretOptions,
    /// URL as the provider has it; only some schemes sign it [default: what the request or the tunnel says]
    #[arg(long, value_name = "URL", requires = "provider")]
    url: Option<String>,
    /// Keep and forward also what is not genuine, and say why it is not. Default: it is refused
    #[arg(long, requires = "provider")]
    forward_unverified: bool,
    /// Port, or address and port, of this machine
    #[arg(long, visible_alias = "port", value_name = "[ADDRESS:]PORT", default_value = place::DEFAULT)]
    listen: Place,
    /// File in which events are kept [default: listen-PORT.db in the user's folder for state]
    #[arg(long, value_name = "FILE")]
    store: Option<std::path::PathBuf>,
    /// Deliver an event again that is kept: `last`, or an id or its end. If a listener runs with this store, it does that, and this command ends
    #[arg(long, value_name = "last|ID")]
    replay: Option<Replay>,
    /// Write each event that comes as one JSON object on a line of its own; what people read goes to a terminal on standard error
    #[arg(long)]
    print: bool,
    /// Time after which a target that is down is tried again, at least 100ms
    #[arg(long, value_name = "TIME", default_value = "1s")]
    retry_every: Span,
    /// Time that the target may take to answer
    #[arg(long, value_name = "TIME", default_value = "30s")]
    timeout: Span,
}

impl ListenCommand {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Stop> {
        let interrupted = interrupt::listen(None);
        let unstarted = |error| Error::configuration("the runtime cannot be started").because(error);
        // On threads of its own: a terminal that is stopped must not keep anybody from being answered.
        let runtime =
            Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(unstarted)?;
        let ended = self.listen(session, &runtime, &interrupted).await;
        runtime.shutdown_background();
        ended
    }

    async fn listen(self, session: &Session, runtime: &Runtime, interrupted: &Interrupt) -> Result<(), Stop> {
        let path = self.store.clone().map_or_else(|| self.listen.store(), Ok)?;
        let lock = place::lock(&path)?;
        if lock.is_none() && self.replay.is_none() {
            return Err(Error::configuration(format!(
                "another listener keeps its events in {}",
                path.display()
            ))
            .advise("end it, or name another port with --listen or another file with --store")
            .into());
        }
        if lock.is_some() && self.replay.is_some() && self.forward_to.is_none() {
            return Err(Error::configuration("no listener runs with this store that could deliver an event again")
                .advise("say with --forward-to where it goes; or, if one runs, name its port with --listen or its file with --store")
                .into());
        }
        let unusable = |error| Error::configuration("the store cannot be used").because(error);
        let store = Arc::new(SqliteStore::open(&path).map_err(unusable)?);
        let replayed = match &self.replay {
            Some(replay) => {
                let id = replay.make_due(&*store, &session.clock).await.map_err(unusable)?;
                Some(id.ok_or_else(|| no_such_event(&path))?)
            }
            None => None,
        };
        let Some(_lock) = lock else {
            if let Some(id) = replayed {
                stderr::line(&format!("nuncio: the listener that runs delivers {id} again"));
            }
            return Ok(());
        };

        let judge = Judge::new(self.provider.as_deref(), &self.secrets, self.forward_unverified, session)?;
        let (happenings, mut happened) = mpsc::channel(UNSHOWN);
        let listener = self.open(session, runtime, &judge, Arc::clone(&store), happenings).await?;
        let forward_to = self.forward_to.as_deref();
        let mut screen =
            Screen::new(judge, forward_to, self.retry_every, self.print || session.global.json, session)?;
        screen.begin(listener.address(), &path, replayed, &*store).await;
        let stop = listener.stop();
        let mut running = runtime.spawn(listener.run());
        let shown = loop {
            tokio::select! {
                happening = happened.recv() => match happening {
                    Some(happening) => if let Err(stop) = screen.show(happening) { break Err(stop) },
                    None => break Ok(()),
                },
                () = interrupted.came() => break Ok(()),
            }
        };
        stop.cancel();
        // What is under way may have something to tell, and waits until it is heard.
        let drained = async {
            while let Some(happening) = happened.recv().await {
                let _ = screen.show(happening);
            }
        };
        let (ran, ()) = tokio::join!(&mut running, drained);
        if let Err(failed) = ran {
            std::panic::resume_unwind(failed.into_panic());
        }
        screen.end(&*store).await;
        shown
    }

    async fn open(
        &self,
        session: &Session,
        runtime: &Runtime,
        judge: &Judge,
        store: Arc<SqliteStore>,
        happenings: mpsc::Sender<Happening>,
    ) -> Result<Listener, Error> {
        let mut wire = wire::Settings::default();
        if let Some(file) = &session.config.cacert {
            wire.root_certificates.push(values::read_bytes(file)?);
        }
        let connect: deliver::Connect =
            Arc::new(|_, _| Box::pin(async { Err(Error::configuration("no service is called")) }));
        let deliver = deliver::Settings {
            wire: wire.clone(),
            connect: Arc::clone(&connect),
            clock: session.clock.clone(),
        };
        let parts = Parts {
            store,
            deliver: Arc::new(Targets::new(deliver)),
            connect,
            fetch: Arc::new(ClientFetch::new(wire)?),
            env: session.env.clone(),
            clock: session.clock.clone(),
            random: Random::new(),
        };
        let settings = settings::Source {
            url: self.url.clone(),
            accept_unverified: judge.accepts_unverified(),
            max_body_bytes: MAX_BODY_BYTES,
            ..settings::Source::new(judge.scheme())
        };
        let options = ListenerOptions {
            listen: self.listen.address()?,
            source: Inlet::with_secrets(SOURCE.to_owned(), settings, judge.secrets())?,
            takes_get: judge.takes_get(),
            target: self.forward_to.as_deref().map(target).transpose()?,
            retry_every: self.retry_every.0,
            timeout: self.timeout.0,
        };
        match runtime.spawn(Listener::open(options, parts, happenings)).await {
            Ok(opened) => opened,
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }
}

/// Where a listener is unless somebody said otherwise.
pub(super) fn default_url() -> String {
    format!("http://127.0.0.1:{}", place::DEFAULT)
}

/// Wherever the developer says: it is his own network.
fn target(url: &str) -> Result<Http, Error> {
    let anywhere = ["0.0.0.0/0", "::/0"].map(|network| network.parse().expect("a network"));
    let has_scheme = url.contains("://");
    let url = if has_scheme { url.to_owned() } else { format!("http://{url}") };
    Ok(Http { url, as_received: true, allow_addresses: anywhere.to_vec(), ..Http::default() })
}

fn no_such_event(path: &std::path::Path) -> Error {
    Error::configuration("there is no such event to deliver again").advise(format!(
        "events are kept in {}; an id is shown with each, and its end is enough",
        path.display()
    ))
}
