//! A receiver on one's own machine: one source at every path, one target, everything that happens told as it happens.
//!
//! It is the relay with settings of its own: what arrives is verified, stored and acknowledged, and delivered in the order in which it came, just as it came. What a
//! developer expects differs from what a service needs in three points. A target that is down is tried again every second, for good. A target that answers has had
//! its say, whatever it answers. And nobody beyond this machine is listened to.

mod happening;
mod owed;
mod replay;
mod target;
mod told;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::{Method, StatusCode};
use nuncio_client::Error;
use nuncio_relay::inbox::{Reply, Source};
use nuncio_relay::{Directory, Dispatcher, Endpoint, Headers, Inbox, Retention, Upkeep, dispatch, settings};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::client::Peer;
use crate::gateway::Parts;
use crate::inbound::{Inbound, answer};
use crate::metrics::Metrics;
use crate::options::{Limits, Options};
use crate::problem::Problem;
use crate::server::Server;

pub use happening::{Arrived, Happening, Tried};
pub use replay::Replay;
use told::Told;

/// The source of what arrives, as the store knows it.
pub const SOURCE: &str = "local";

/// The endpoint that it is owed to, as the store knows it.
const ENDPOINT: &str = "target";

/// How long requests and deliveries that are under way may take to end after a stop: 2 s. Somebody waits for his prompt.
const GRACE: Duration = Duration::from_secs(2);

/// Settings of a [`Listener`].
pub struct ListenerOptions {
    /// Where it listens: on this machine alone. Port 0 is any that is free.
    pub listen: SocketAddr,
    /// How it is known that what arrives is genuine. Its name is [`SOURCE`].
    pub source: Source,
    /// Whether requests by GET and the like can mean something: some providers ask by GET whether anybody is there.
    pub takes_get: bool,
    /// Where events go, `as_received` or otherwise. Default: nowhere, they are kept and shown.
    pub target: Option<settings::Http>,
    /// How long to wait before a target that is down is tried again. At least 100 ms.
    pub retry_every: Duration,
    /// How long the target may take to answer.
    pub timeout: Duration,
}

/// A receiver on one's own machine. It listens from [`open`](Self::open) on, and serves in [`run`](Self::run).
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
    server: Server,
    dispatcher: Dispatcher,
    handle: dispatch::Handle,
    upkeep: Upkeep,
    stop: CancellationToken,
    /// Kept, since the dispatcher ends when nobody can change its settings any more.
    _directory: watch::Sender<Arc<Directory>>,
}

struct Local {
    inbox: Inbox,
    source: Arc<Source>,
    takes_get: bool,
    options: Options,
    happenings: mpsc::Sender<Happening>,
}

impl Listener {
    /// Listens, and makes due what is owed from earlier times. Everything that happens is told to `happenings`, in order; while nobody takes it from there, requests
    /// wait for their answers.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) when the address is not of this machine or cannot be listened on, the target cannot be used, or
    /// the store fails.
    pub async fn open(
        options: ListenerOptions,
        parts: Parts,
        happenings: mpsc::Sender<Happening>,
    ) -> Result<Self, Error> {
        let ListenerOptions { listen, source, takes_get, target, retry_every, timeout } = options;
        if !listen.ip().is_loopback() {
            return Err(Error::configuration(format!("{listen} can be reached by others")).advise(
                "listen on 127.0.0.1 or [::1], and have a tunnel lead there; `nuncio serve` is for others",
            ));
        }
        let endpoint = target::endpoint(target.as_ref(), retry_every, timeout);
        // A listener calls no services.
        let Parts { store, deliver, connect: _, fetch, env, clock, random } = parts;
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            Error::configuration(format!("{listen} cannot be listened on"))
                .because(error)
                .advise("if another listener runs there, end it or name another port with --listen")
        })?;
        let address = listener.local_addr().unwrap_or(listen);
        target::prepare(&*store, &endpoint, &clock)
            .await
            .map_err(|error| Error::configuration("the store cannot be used").because(error))?;

        let source = Arc::new(source);
        let mut directory = Directory::default();
        directory.sources.insert(SOURCE.to_owned(), Arc::clone(&source));
        directory.endpoints.insert(ENDPOINT.to_owned(), Arc::new(Endpoint::new(endpoint, env)?));
        let (sender, directory) = watch::channel(Arc::new(directory));
        let deliver = Told { deliver: target.is_some().then_some(deliver), happenings: happenings.clone() };
        let settings = dispatch::Settings {
            lease_margin: Duration::from_secs(1),
            poll: Duration::from_secs(1),
            grace: GRACE,
            ..dispatch::Settings::default()
        };
        let dispatcher = Dispatcher::new(
            Arc::clone(&store),
            Arc::new(deliver),
            directory.clone(),
            clock.clone(),
            random.clone(),
            settings,
        );
        let handle = dispatcher.handle();
        let inbox = Inbox::new(Arc::clone(&store), directory, handle.clone(), clock.clone(), random, fetch);
        // Whoever connects is of this machine: a tunnel, most often, that says for whom.
        let this_machine = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().expect("a network"));
        let options = Options { trusted_proxies: this_machine.to_vec(), ..Options::default() };
        let local = Arc::new(Local { inbox, source, takes_get, options, happenings });
        let server = Server {
            router: Router::new().fallback(receive).with_state(local),
            certificate: None,
            limits: Limits::default(),
            metrics: Arc::new(Metrics::new()),
        };
        let upkeep = Upkeep::new(store, clock, Retention::default());
        let stop = CancellationToken::new();
        Ok(Self { listener, address, server, dispatcher, handle, upkeep, stop, _directory: sender })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What ends it: nothing is accepted any more, and [`run`](Self::run) returns when what is under way has ended, or 2 s have passed.
    #[must_use]
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Receives and delivers until it is stopped. Dropping the future ends both at once: nothing that was acknowledged is lost.
    pub async fn run(self) {
        let Self { listener, server, dispatcher, handle, upkeep, stop, _directory, .. } = self;
        let serve = async {
            tokio::select! {
                () = server.run(listener, stop, GRACE) => {}
                () = upkeep.run() => {}
            }
            handle.stop();
        };
        tokio::join!(serve, dispatcher.run());
    }
}

async fn receive(
    State(local): State<Arc<Local>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let begun = Instant::now();
    // As a task: whoever is stored is told of, also when the provider has gone away meanwhile.
    let answering = tokio::spawn(async move {
        match local.take(peer, request, begun).await {
            Ok((arrived, reply)) => {
                local.tell(Happening::Arrived(Box::new(arrived))).await;
                answer(reply)
            }
            Err(problem) => {
                let (status, detail) = (problem.status(), problem.detail().to_owned());
                local.tell(Happening::Turned { status, detail }).await;
                problem.into_response()
            }
        }
    });
    answering.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

impl Local {
    async fn take(&self, peer: Peer, request: Request, begun: Instant) -> Result<(Arrived, Reply), Problem> {
        let is_asking = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        if is_asking && !self.takes_get {
            return Err(Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                format!("webhooks are taken here, by POST and not by {}", request.method()),
            ));
        }
        let inbound = Inbound::read(request, peer, &self.options, self.source.max_body_bytes()).await?;
        let reply = self.inbox.receive(SOURCE, inbound.arrival()).await;
        let Inbound { method, headers, body, client } = inbound;
        let arrived = Arrived {
            headers: Headers::from(&headers),
            method,
            url: client.url,
            body,
            received: reply.received.clone(),
            status: reply.status,
            took: begun.elapsed(),
        };
        Ok((arrived, reply))
    }

    /// When nobody listens any more, nobody is told.
    async fn tell(&self, happening: Happening) {
        let _ = self.happenings.send(happening).await;
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("address", &self.address).finish_non_exhaustive()
    }
}
