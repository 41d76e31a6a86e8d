//! A listener, a target, and a provider that sends.

use std::fs::File;
use std::net::SocketAddr;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};

use tokio::net::TcpListener;

use crate::support::{Home, Ran};

pub(super) const SECRET: &str = "made-up-secret-of-a-listener";
pub(super) const STRIPE: [&str; 4] = ["--provider", "stripe", "--secret-env", "WEBHOOK_SECRET"];

/// A home whose environment has the secret.
pub(super) fn home() -> Home {
    Home::new()
        .with_env("WEBHOOK_SECRET", SECRET)
        .with_env("OTHER_SECRET", "made-up-other-secret-of-a-listener")
}

/// Waits until `ready` gives something, a minute at most.
pub(super) async fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    for _ in 0..3_000 {
        if let Some(value) = ready() {
            return value;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what} did not come");
}

/// A listener that runs.
pub(super) struct Listening<'h> {
    home: &'h Home,
    child: Child,
    pub(super) url: String,
}

impl<'h> Listening<'h> {
    /// What it writes goes to the files `out` and `err`.
    pub(super) async fn start(home: &'h Home, args: &[&str]) -> Self {
        let args =
            [&["webhook", "listen", "--listen", "0", "--store", "kept.db", "--retry-every", "100ms"], args]
                .concat();
        let mut command = home.command(&args);
        command
            .stdout(File::create(home.path("out")).unwrap())
            .stderr(File::create(home.path("err")).unwrap());
        let child = command.spawn().unwrap();
        let url = until("the listener", || {
            let (_, rest) =
                home.read("err").split_once("listening at ").map(|(a, b)| (a.to_owned(), b.to_owned()))?;
            let (line, _) = rest.split_once('\n')?;
            Some(line.split([' ', ',']).next()?.to_owned())
        })
        .await;
        Self { home, child, url }
    }

    pub(super) fn out(&self) -> String {
        self.home.read("out")
    }

    pub(super) fn err(&self) -> String {
        self.home.read("err")
    }

    /// An event of Stripe; `args` may say more.
    pub(super) fn send(&self, event: &str, args: &[&str]) -> Ran {
        let secret =
            if args.contains(&"--secret-env") { &[][..] } else { &["--secret-env", "WEBHOOK_SECRET"] };
        self.home.run(&[&["webhook", "trigger", "stripe", event, "--to", &self.url], secret, args].concat())
    }

    pub(super) fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// How it ended.
    pub(super) fn end(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

/// One request that the target got.
#[derive(Debug, Clone)]
pub(super) struct Got {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Got {
    pub(super) fn event_id(&self) -> String {
        serde_json::from_slice::<serde_json::Value>(&self.body).unwrap()["id"].as_str().unwrap().to_owned()
    }
}

/// Somebody's app, which may be down.
pub(super) struct Target {
    address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
    status: Arc<Mutex<u16>>,
}

impl Target {
    /// One that is down: nothing listens at its address.
    pub(super) fn down() -> Self {
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Self { address, got: Arc::default(), status: Arc::new(Mutex::new(200)) }
    }

    /// One that answers with this status.
    pub(super) async fn answering(status: u16) -> Self {
        // Never without its port: somebody else could take it meanwhile.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let target = Self { address, got: Arc::default(), status: Arc::new(Mutex::new(status)) };
        target.serve(listener);
        target
    }

    pub(super) async fn rise(&self) {
        self.serve(TcpListener::bind(self.address).await.unwrap());
    }

    fn serve(&self, listener: TcpListener) {
        let (got, status) = (Arc::clone(&self.got), Arc::clone(&self.status));
        let app = axum::Router::new().fallback(move |headers: HeaderMap, body: Bytes| {
            got.lock().unwrap().push(Got { headers, body });
            let status = StatusCode::from_u16(*status.lock().unwrap()).unwrap();
            async move { (status, "made-up answer\nsecond line") }
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
    }

    pub(super) fn answer(&self, status: u16) {
        *self.status.lock().unwrap() = status;
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    pub(super) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// The ids of the events that it got, when there are so many.
    pub(super) async fn ids(&self, count: usize) -> Vec<String> {
        until("an event at the target", || (self.got().len() >= count).then_some(())).await;
        self.got().iter().map(Got::event_id).collect()
    }
}
