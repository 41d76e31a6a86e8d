//! Sandboxes of small services, and requests to them.

use nuncio_sandbox::{Options, Sandbox};
use nuncio_service::{Env, Service};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

pub(crate) const TOKEN: &str = "made-up-token";

/// The service `text` describes beyond its name and base URL.
pub(crate) fn service(text: &str) -> Service {
    let text = format!("service: example\nbase_url: https://api.example.com\n{text}");
    Service::from_yaml(&text, "example.yaml").unwrap_or_else(|error| panic!("{}", error.report()))
}

/// The service of this name in the catalog.
pub(crate) fn catalog(name: &str) -> Service {
    let path = format!("{}/../../services/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("a file");
    Service::from_yaml(&text, &path).unwrap_or_else(|error| panic!("{}", error.report()))
}

pub(crate) fn options(service: Service) -> Options {
    let env = Env::new(|_| Some(TOKEN.to_owned()));
    Options { services: vec![service], env, ..Options::default() }
}

/// The example of the catalog, with hundreds of objects instead of thousands.
pub(crate) fn example() -> Options {
    let records = [("example.orders".to_owned(), 200), ("example.users".to_owned(), 10)].into();
    Options { records, ..options(catalog("example")) }
}

/// A running sandbox of one service.
pub(crate) struct Played {
    pub(crate) sandbox: Sandbox,
    pub(crate) url: String,
    name: String,
    client: Client,
}

impl Played {
    pub(crate) async fn start(options: Options) -> Self {
        let name = options.services[0].service.clone();
        let sandbox = Sandbox::start(options).await.expect("it starts");
        let url = sandbox.url(&name).expect("it is played");
        let client = Client::builder().no_proxy().build().expect("a client");
        Self { sandbox, url, name, client }
    }

    pub(crate) async fn of(text: &str) -> Self {
        Self::start(options(service(text))).await
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url)).bearer_auth(TOKEN)
    }

    /// Without credentials.
    pub(crate) fn bare(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    /// Without credentials.
    pub(crate) fn anonymous_post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url)).bearer_auth(TOKEN)
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = method.parse().expect("a method");
        self.client.request(method, format!("{}{path}", self.url)).bearer_auth(TOKEN)
    }

    pub(crate) fn counts(&self, operation: &str) -> nuncio_sandbox::OperationCounts {
        self.sandbox.counts().operation(&self.name, operation)
    }
}

/// Status and JSON body of the answer; null when it has none.
pub(crate) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response: Response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let bytes = response.bytes().await.expect("a body");
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

pub(crate) async fn body(request: RequestBuilder) -> Value {
    let (status, body) = answer(request).await;
    assert!(status < 300, "{status} {body}");
    body
}
