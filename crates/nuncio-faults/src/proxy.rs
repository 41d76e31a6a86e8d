//! Connections, and which exchange on them meets which fault.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::answer::Answer;
use crate::fault::{At, End, Fault};
use crate::request::Incoming;
use crate::script::{finish, play, script};

/// Who answers.
#[derive(Debug, Clone)]
pub enum Origin {
    /// The server at this address.
    Server(SocketAddr),
    /// No one: every request is answered 200 with this JSON.
    Json(Bytes),
}

/// Decides what becomes of the n-th exchange, counted from 0. It is asked when the request begins to come in; for a fault that strikes
/// before that, also when the connection is accepted.
type Plan = Box<dyn Fn(usize) -> Option<Fault> + Send + Sync>;

/// A running proxy. Dropping it stops it and breaks off its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// A port of this machine that refuses connections, and that nobody else can take.
#[derive(Debug)]
pub struct ClosedPort(TcpSocket);

struct Shared {
    origin: Origin,
    plan: Plan,
    exchanges: AtomicUsize,
    connections: AtomicUsize,
    open: AtomicUsize,
    forwarded: AtomicUsize,
    struck: Mutex<Vec<Fault>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl ClosedPort {
    /// A free port.
    ///
    /// # Errors
    /// When there is none.
    pub fn bind() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Self(socket))
    }

    /// `http://127.0.0.1:` and the port.
    ///
    /// # Errors
    /// When the system does not know the port.
    pub fn url(&self) -> io::Result<String> {
        Ok(format!("http://{}", self.0.local_addr()?))
    }

    /// Lets connections in from now on.
    ///
    /// # Errors
    /// When the port cannot be listened on.
    pub fn open(
        self,
        origin: Origin,
        plan: impl Fn(usize) -> Option<Fault> + Send + Sync + 'static,
    ) -> io::Result<Proxy> {
        let listener = self.0.listen(128)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            origin,
            plan: Box::new(plan),
            exchanges: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            forwarded: AtomicUsize::new(0),
            struck: Mutex::default(),
        });
        let task = tokio::spawn(run(listener, Arc::clone(&shared)));
        Ok(Proxy { address, shared, task })
    }
}

impl Proxy {
    /// A proxy on a free port, in front of `origin`. `plan` decides what becomes of the n-th exchange, counted from 0. It is asked when
    /// the request begins to come in; for a fault that strikes before that, also when the connection is accepted.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub fn start(
        origin: Origin,
        plan: impl Fn(usize) -> Option<Fault> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        ClosedPort::bind()?.open(origin, plan)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:` and the port.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many exchanges were begun.
    #[must_use]
    pub fn exchanges(&self) -> usize {
        self.shared.exchanges.load(Ordering::SeqCst)
    }

    /// How many connections came in.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// How many requests reached the origin, all of them whole.
    #[must_use]
    pub fn forwarded(&self) -> usize {
        self.shared.forwarded.load(Ordering::SeqCst)
    }

    /// The faults that have struck since this was asked last.
    #[must_use]
    pub fn take_struck(&self) -> Vec<Fault> {
        std::mem::take(&mut *self.shared.struck())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        // An error is one of the connection that did not come about.
        if let Ok((client, _)) = listener.accept().await {
            shared.connections.fetch_add(1, Ordering::SeqCst);
            let shared = Arc::clone(&shared);
            connections.spawn(async move {
                shared.open.fetch_add(1, Ordering::SeqCst);
                // It ends in an error whenever the client is gone.
                let _ = shared.serve(client).await;
                shared.open.fetch_sub(1, Ordering::SeqCst);
            });
        }
        while connections.try_join_next().is_some() {}
    }
}

impl Shared {
    fn struck(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.struck.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number(&self) -> usize {
        self.exchanges.fetch_add(1, Ordering::SeqCst)
    }

    async fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        let mut incoming = Incoming::new();
        let mut number = self.number();
        if let Some(fault @ Fault::Cut { at: At::Connect, end }) = (self.plan)(number) {
            self.struck().push(fault);
            return finish(end, &mut client).await;
        }
        while incoming.begin(&mut client).await? {
            let fault = (self.plan)(number);
            self.struck().extend(fault.clone());
            if !self.exchange(&mut client, &mut incoming, fault.as_ref()).await?
                || !incoming.begin(&mut client).await?
            {
                break;
            }
            number = self.number();
        }
        Ok(())
    }

    /// One request and its answer. Whether the connection can be used on.
    async fn exchange(
        &self,
        client: &mut TcpStream,
        incoming: &mut Incoming,
        fault: Option<&Fault>,
    ) -> io::Result<bool> {
        match fault {
            Some(Fault::Cut { at: At::Request(at), end: End::HalfClose }) => {
                incoming.part(client, *at).await?;
                client.shutdown().await?;
                if let Some(request) = incoming.whole(client).await? {
                    self.forward(request).await?;
                }
                return Ok(false);
            }
            // On a kept connection there is no connect any more: it is cut as the next request comes in.
            Some(Fault::Cut { at: at @ (At::Connect | At::Request(_)), end }) => {
                if let At::Request(at) = at {
                    incoming.part(client, *at).await?;
                }
                finish(*end, client).await?;
                return Ok(false);
            }
            Some(blurt @ Fault::Blurt { .. }) => {
                return play(script(Answer::json(Vec::new()), Some(blurt)), client).await;
            }
            _ => {}
        }
        let Some(request) = incoming.whole(client).await? else { return Ok(false) };
        match self.forward(request).await? {
            Some(answer) => play(script(answer, fault), client).await,
            // The origin broke off, and so does the proxy.
            None => Ok(false),
        }
    }

    async fn forward(&self, request: Vec<u8>) -> io::Result<Option<Answer>> {
        self.forwarded.fetch_add(1, Ordering::SeqCst);
        let address = match &self.origin {
            Origin::Server(address) => address,
            Origin::Json(json) => {
                return Ok(Some(Answer::json(Vec::new()).with_body(json.to_vec())));
            }
        };
        let mut server = TcpStream::connect(address).await?;
        server.write_all(&closing(&request)).await?;
        let mut bytes = Vec::new();
        server.read_to_end(&mut bytes).await?;
        Ok(Answer::parse(&bytes))
    }
}

/// The request with the wish that the connection be closed behind the answer, which tells where it ends.
fn closing(request: &[u8]) -> Vec<u8> {
    let line_end = request.windows(2).position(|two| two == b"\r\n").map_or(0, |at| at + 2);
    [&request[..line_end], b"connection: close\r\n", &request[line_end..]].concat()
}
