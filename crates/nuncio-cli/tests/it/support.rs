//! A home for one test, the binary in it, and servers for it to call.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use nuncio_sandbox::{Options, Sandbox};
use nuncio_service::{Catalog, Env};
use serde_json::Value;
use tempfile::TempDir;

/// A working directory and home of its own, and variables of the environment.
pub(crate) struct Home {
    pub(crate) dir: TempDir,
    env: Vec<(String, String)>,
}

/// What a run of the binary came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), env: Vec::new() }
    }

    pub(crate) fn with_env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &(impl AsRef<[u8]> + ?Sized)) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// A library to preload into the binary, from the C file of this name; nothing where there is no compiler.
    #[cfg(target_os = "linux")]
    pub(crate) fn compile(&self, name: &str) -> Option<PathBuf> {
        let (source, to) = (format!("{}/tests/it/{name}.c", env!("CARGO_MANIFEST_DIR")), self.path(name));
        let args = ["-shared", "-fPIC", "-O1", &source, "-ldl", "-lpthread", "-o"];
        let compiled = Command::new("cc").args(args).arg(&to).output().ok()?;
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        Some(to)
    }

    /// The binary with `args`, ready to run.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nuncio"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.dir.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .envs(self.env.iter().cloned())
            .current_dir(self.dir.path());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }

    /// The binary with `args` and `input` on its standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: &(impl AsRef<[u8]> + ?Sized)) -> Ran {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may have ended before it read anything.
        let _ = child.stdin.take().unwrap().write_all(input.as_ref());
        Ran::from(child.wait_with_output().unwrap())
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// The run, when it ended with `code`.
    #[track_caller]
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// The one JSON object under `key` on standard error.
    #[track_caller]
    pub(crate) fn json(&self, key: &str) -> Value {
        let lines = self.err.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let found: Vec<Value> = lines.filter_map(|line| line.get(key).cloned()).collect();
        assert_eq!(found.len(), 1, "{self:#?}");
        found.into_iter().next().unwrap()
    }
}

/// Serves `answer` on a free port; its URL.
pub(crate) async fn serve(answer: impl Fn(&Request) -> Response + Clone + Send + Sync + 'static) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(move |request: Request| {
        let answer = answer(&request);
        async move { answer }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

/// An answer of JSON.
pub(crate) fn json(status: u16, body: &str) -> Response {
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Body::from(body.to_owned())).unwrap()
}

/// A sandbox of the built-in services `names`, which accepts any credentials.
pub(crate) async fn sandbox(names: &[&str]) -> Sandbox {
    let catalog = Catalog::built_in();
    let services = names.iter().map(|name| catalog.get(name).unwrap()).collect();
    let options = Options { services, env: Env::default(), enforce_limits: false, ..Options::default() };
    Sandbox::start(options).await.unwrap()
}
