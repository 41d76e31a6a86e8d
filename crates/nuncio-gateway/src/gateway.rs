//! The gateway: options go in, a service comes out, and a handle to it.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use nuncio_client::{Clock, Error, Random};
use nuncio_relay::deliver::Connect;
use nuncio_relay::inbox::Fetch;
use nuncio_relay::replay::Replays;
use nuncio_relay::store::DocumentKind;
use nuncio_relay::{Deliver, Dispatcher, Inbox, Outbox, Scheduler, Store, Upkeep, dispatch, schedule};
use nuncio_service::Env;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::client::Peer;
use crate::config::Watch;
use crate::dashboard::Dashboard;
use crate::metrics::{Counted, Metrics};
use crate::options::Options;
use crate::registry::Registry;
use crate::router;
use crate::server::{Certificate, Server};

/// What a gateway works with.
pub struct Parts {
    /// Where all is kept.
    pub store: Arc<dyn Store>,
    /// How events get to endpoints.
    pub deliver: Arc<dyn Deliver>,
    /// How schedules get to services.
    pub connect: Connect,
    /// How keys that providers publish are got.
    pub fetch: Arc<dyn Fetch>,
    /// What a config file can name.
    pub env: Env,
    /// The time of day.
    pub clock: Clock,
    /// Chance.
    pub random: Random,
}

/// A relay that is reached by HTTP. It listens from [`open`](Self::open) on, and serves in [`run`](Self::run).
pub struct Gateway {
    listener: TcpListener,
    address: SocketAddr,
    server: Server,
    dispatcher: Dispatcher,
    scheduler: Scheduler,
    app: Arc<App>,
    watch: Option<Watch>,
    handle: Handle,
}

/// Tells a [`Gateway`] what to do. Copies reach the same one.
#[derive(Debug, Clone)]
pub struct Handle {
    stop: CancellationToken,
    changed: Arc<Notify>,
}

impl Handle {
    /// No connection is accepted any more. [`Gateway::run`] returns when the requests and deliveries that are under way have ended, or their grace
    /// has.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// The config file is read again now. What comes of it is logged: a file with a mistake changes nothing.
    pub fn reload(&self) {
        self.changed.notify_one();
    }
}

impl Gateway {
    /// Listens, with what `parts.store` holds.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when what is set up cannot be used, when it would listen beyond this machine
    /// and nobody needed a token, or when it cannot listen there.
    pub async fn open(options: Options, parts: Parts) -> Result<Self, Error> {
        let Parts { store, deliver, connect, fetch, env, clock, random } = parts;
        let certificate = options.tls.clone().map(Certificate::read).transpose()?.map(Arc::new);
        let bootstrap = options.bootstrap_token.clone();
        let file = options.config.as_ref().map(|config| config.documents(&env)).transpose()?;
        let registry = Registry::open(Arc::clone(&store), env.clone(), bootstrap, file).await?;
        if !options.listen.ip().is_loopback() && registry.current().tokens.is_empty() {
            let listen = options.listen;
            return Err(Error::configuration(format!(
                "{listen} can be reached by others, and there is no token"
            ))
            .advise("set NUNCIO_TOKEN, or set up `tokens` in the config file; or listen on 127.0.0.1"));
        }
        let listener = TcpListener::bind(options.listen).await.map_err(|error| {
            Error::configuration(format!("{} cannot be listened on", options.listen)).because(error)
        })?;
        let address = listener.local_addr().unwrap_or(options.listen);
        let options = Options { listen: address, ..options };
        let directory = registry.subscribe();
        let metrics = Arc::new(Metrics::new());
        let deliver = Counted { deliver, metrics: Arc::clone(&metrics) };
        let settings = dispatch::Settings { grace: options.grace, ..dispatch::Settings::default() };
        let dispatcher = Dispatcher::new(
            Arc::clone(&store),
            Arc::new(deliver),
            directory.clone(),
            clock.clone(),
            random.clone(),
            settings,
        );
        let handle = dispatcher.handle();
        let replays = Replays::new(Arc::clone(&store), handle.clone(), clock.clone(), random.clone());
        let settings = schedule::Settings { grace: options.grace, ..schedule::Settings::default() };
        let scheduler = Scheduler::new(
            Arc::clone(&store),
            directory.clone(),
            handle.clone(),
            connect,
            (clock.clone(), random.clone()),
            settings,
        );
        let inbox = Inbox::new(
            Arc::clone(&store),
            directory.clone(),
            handle.clone(),
            clock.clone(),
            random.clone(),
            fetch,
        );
        let outbox =
            Outbox::new(Arc::clone(&store), directory.clone(), handle.clone(), clock.clone(), random);
        let stop = CancellationToken::new();
        let app = Arc::new(App {
            options,
            store,
            registry,
            inbox,
            outbox,
            dispatcher: handle,
            replays,
            scheduler: scheduler.handle(),
            directory,
            clock,
            metrics,
            dashboard: Dashboard::new()?,
            stop: stop.clone(),
        });
        let changed = Arc::new(Notify::new());
        let watch = app.options.config.clone().map(|config| Watch {
            config,
            env,
            registry: Arc::clone(&app.registry),
            certificate: certificate.clone(),
            told: Arc::clone(&changed),
        });
        let server = Server {
            router: router::router(&app),
            certificate,
            limits: app.options.limits.clone(),
            metrics: Arc::clone(&app.metrics),
        };
        let handle = Handle { stop, changed };
        Ok(Self { listener, address, server, dispatcher, scheduler, app, watch, handle })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it is asked at from this machine, or at its public URL.
    #[must_use]
    pub fn url(&self) -> String {
        let options = &self.app.options;
        let scheme = if options.tls.is_some() { "https" } else { "http" };
        let own = || format!("{scheme}://{}", self.address);
        options.public_url.as_ref().map_or_else(own, |url| url.trim_end_matches('/').to_owned())
    }

    /// What it serves, to be asked within this process as a program of this machine would: without a connection, and without the bounds on one.
    pub fn router(&self) -> axum::Router {
        let peer = Peer { address: Ipv4Addr::LOCALHOST.into(), is_tls: false };
        self.server.router.clone().layer(axum::Extension(peer))
    }

    /// The names of its sources.
    #[must_use]
    pub fn sources(&self) -> Vec<String> {
        let current = self.app.registry.current();
        current.of(DocumentKind::Source).map(|source| source.name.clone()).collect()
    }

    /// What it is told things by.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Serves and delivers until [`Handle::stop`]. Dropping the future ends both at once: nothing that was acknowledged is lost, and what was under
    /// way is delivered again.
    pub async fn run(self) {
        let Self { listener, server, dispatcher, scheduler, app, watch, handle, .. } = self;
        if let Err(error) = app.replays.resume().await {
            tracing::error!(%error, "replays that were under way do not go on");
        }
        let upkeep = Upkeep::new(Arc::clone(&app.store), app.clock.clone(), app.options.retention.clone());
        let watch = async {
            match watch {
                Some(watch) => watch.run().await,
                None => std::future::pending().await,
            }
        };
        let serve = async {
            tokio::select! {
                () = server.run(listener, handle.stop, app.options.grace) => {}
                never = watch => match never {},
                () = upkeep.run() => {}
            }
            app.scheduler.stop();
        };
        let call = async {
            tokio::join!(serve, scheduler.run());
            // Requests and runs that ended last may have left something to deliver: the dispatcher stops after them.
            app.dispatcher.stop();
        };
        tokio::join!(call, dispatcher.run());
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("address", &self.address).finish_non_exhaustive()
    }
}
