//! Starting, asking and stopping it.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use nuncio_client::Clock;
use nuncio_service::{Env, Service};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::counts::Counts;
use crate::fault::Fault;
use crate::play::Play;
use crate::server::Server;

/// What to play, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The services. Default: none.
    pub services: Vec<Service>,
    /// Where to listen. Default: a free port of 127.0.0.1.
    pub address: SocketAddr,
    /// Decides ids and the chance of faults. Default: 0.
    pub seed: u64,
    /// Misbehaviour beside that of the header `Sandbox-Fault`. Default: none.
    pub faults: Vec<Fault>,
    /// Whether more requests than a service's `limits` are refused. Default: true.
    pub enforce_limits: bool,
    /// Where the credentials come from that are demanded. Where a variable is not set, any credential of the right shape will do.
    /// Default: nothing is set.
    pub env: Env,
    /// How many objects are there from the start, by service and resource, such as `example.orders`. Default: as the file says.
    pub records: BTreeMap<String, u32>,
    /// How long an OAuth 2.0 token is accepted. Default: an hour.
    pub token_lifetime: Duration,
    /// How often an OAuth 2.0 token is accepted. Default: without bound.
    pub token_uses: Option<u64>,
    /// Makes OAuth 2.0 refresh tokens rotate: each is used up by the answer that brings the next, and taken again for this long after. One that
    /// is shown later ends its login. Default: they do not rotate.
    pub refresh_grace: Option<Duration>,
    /// What tells the time. Default: the clock of this machine.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            services: Vec::new(),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 0,
            faults: Vec::new(),
            enforce_limits: true,
            env: Env::default(),
            records: BTreeMap::new(),
            token_lifetime: Duration::from_secs(3600),
            token_uses: None,
            refresh_grace: None,
            clock: Clock::system(),
        }
    }
}

/// Why it did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address cannot be listened on.
    #[error("the sandbox cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Two services have the same name, and so the same URL.
    #[error("the service {0} is there twice: give one of the files another name under the key service")]
    Twice(String),
    /// `records` names a resource that no service has.
    #[error(
        "there is no resource {0} to make records of: write a service and a resource of its file, such as example.orders"
    )]
    NoResource(String),
    /// A fault is to strike an operation that no service has.
    #[error("there is no operation {operation} for a fault to strike; there are: {}", known.join(", "))]
    NoOperation {
        /// What the fault names.
        operation: String,
        /// The operations of all services.
        known: Vec<String>,
    },
}

/// A running sandbox. Dropping it stops it.
pub struct Sandbox {
    server: Arc<Server>,
    task: JoinHandle<()>,
}

impl Sandbox {
    /// Listens, and serves in the background from then on.
    ///
    /// # Errors
    /// [`Error`], when it cannot listen, has two services of one name, or is to make records of a resource or faults of an operation
    /// that there is not.
    pub async fn start(options: Options) -> Result<Self, Error> {
        if let Some(name) = options.records.keys().find(|name| !is_resource(&options.services, name)) {
            return Err(Error::NoResource(name.clone()));
        }
        let operations = options.services.iter().flat_map(|service| service.operations.keys());
        let mut faults = options.faults.iter();
        faults.try_for_each(|fault| fault.check(operations.clone()))?;
        let listen = |source| Error::Listen { address: options.address, source };
        let listener = TcpListener::bind(options.address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let mut plays = BTreeMap::new();
        for service in &options.services {
            let name = service.service.clone();
            let play = Play::new(service.clone(), &options, format!("http://{address}/{name}"));
            if plays.insert(name.clone(), play).is_some() {
                return Err(Error::Twice(name));
            }
        }
        let server = Arc::new(Server(plays));
        let running = Arc::clone(&server).run(listener);
        let task = tokio::spawn(async { match running.await {} });
        Ok(Self { server, task })
    }

    /// What stands in for the `base_url` of `service`, such as `http://127.0.0.1:41231/stripe`; nothing when it is not played.
    #[must_use]
    pub fn url(&self, service: &str) -> Option<String> {
        self.server.0.get(service).map(|play| play.base_url().to_owned())
    }

    /// What it did so far. `GET /_sandbox/counts` answers the same as JSON.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.server.counts()
    }

    /// The objects of `resource` in the order they were made; none when there is no such service or resource.
    #[must_use]
    pub fn objects(&self, service: &str, resource: &str) -> Vec<Value> {
        self.server.0.get(service).map(|play| play.objects(resource)).unwrap_or_default()
    }

    /// Stops it and breaks off the connections it has.
    pub async fn stop(mut self) {
        self.task.abort();
        // Aborted tasks end in an error.
        let _ = (&mut self.task).await;
    }
}

fn is_resource(services: &[Service], name: &str) -> bool {
    services.iter().any(|service| {
        let resource = name.strip_prefix(&service.service).and_then(|rest| rest.strip_prefix('.'));
        resource.is_some_and(|resource| service.sandbox.resources.contains_key(resource))
    })
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.task.abort();
    }
}
