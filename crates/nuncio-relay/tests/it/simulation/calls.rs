//! Services that notice what is done twice, and that fail in every way: before the call was made, after it, and without saying which.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use nuncio_client::{Body, Client, Clock, Context, Error, Evidence, Kind, Random, Request, Response, wire};
use nuncio_relay::deliver::{Settings, Targets};
use nuncio_relay::settings::Target;
use nuncio_service::{Connection, Service};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// Asked first, then paid under a key, then told of twice.
const STEPS: [&str; 4] = ["ask", "pay", "say", "note"];

const PLAIN: &str = "
service: plain
base_url: https://plain.example.com
operations:
  ask: { get: /ask, input: { event: string! } }
  say: { post: /say, input: { event: string!, answer: string! } }
  note: { post: /note, input: { event: string!, answer: string! } }
";

const KEYED: &str = "
service: keyed
base_url: https://keyed.example.com
idempotency: { header: idempotency-key }
operations:
  pay: { post: /pay, input: { event: string!, answer: string! } }
";

/// How long the service knows a key.
const KEY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// What was done for one event.
#[derive(Debug, Clone, Default)]
pub(super) struct Done {
    /// How often, by step.
    pub(super) times: BTreeMap<&'static str, u32>,
    /// Keys that are known, since when.
    keys: BTreeMap<String, Instant>,
    /// Whether a call was made or cut off that was not answered as such.
    pub(super) in_doubt: bool,
}

/// The services of one endpoint: what was done for which event.
#[derive(Clone, Default)]
pub(super) struct Services(pub(super) Arc<Mutex<Log>>);

#[derive(Default)]
pub(super) struct Log {
    pub(super) done: BTreeMap<String, Done>,
    pub(super) broken: Vec<String>,
}

/// The calls of an endpoint.
pub(super) fn target() -> Target {
    let call = |step: &str, before: Option<&str>| {
        let mut inputs = json!({ "event": "{{ event.id }}" });
        if let Some(before) = before {
            inputs["answer"] = json!(format!("{{{{ answers.{before}.answer }}}}"));
        }
        let service = if step == "pay" { "keyed" } else { "plain" };
        json!({ "service": service, "operation": step, "inputs": inputs })
    };
    let steps =
        [call("ask", None), call("pay", Some("ask")), call("say", Some("pay")), call("note", Some("ask"))];
    serde_json::from_value(json!({ "operations": steps })).unwrap()
}

impl Services {
    /// What one worker reaches them by.
    pub(super) fn targets(&self, clock: &Clock, random: &Random) -> Targets {
        let (services, random) = (self.clone(), random.clone());
        let connect = move |service: &str, _: Option<&str>| {
            let (services, random) = (services.clone(), random.clone());
            let text = if service == "keyed" { KEYED } else { PLAIN };
            Box::pin(async move {
                let transport = tower::service_fn(move |request: Request| {
                    let (services, random) = (services.clone(), random.clone());
                    async move { services.answer(request, &random).await }
                });
                let client = Client::builder().transport(transport);
                let settings = nuncio_service::Settings { client, ..Default::default() };
                Connection::new(Service::from_yaml(text, "made-up.yaml")?, settings)
            }) as futures_util::future::BoxFuture<'static, _>
        };
        Targets::new(Settings {
            wire: wire::Settings::default(),
            connect: Arc::new(connect),
            clock: clock.clone(),
        })
    }

    async fn answer(&self, request: Request, random: &Random) -> Result<Response, Error> {
        Context::of(&request).history.sending();
        let chance = random.bits() % 100;
        let failed = |kind, evidence| Err(Error::new(kind, "made up").evidence_is(evidence));
        // Before anything is done.
        sleep(random.below(Duration::from_millis(200))).await;
        match chance {
            0..=3 => return failed(Kind::Connect, Evidence::NeverSent),
            4..=7 => return Ok(answered(StatusCode::TOO_MANY_REQUESTS, "{}")),
            8..=9 => {
                self.doubt(&request);
                return std::future::pending().await;
            }
            10..=11 => {
                self.doubt(&request);
                return Ok(answered(StatusCode::INTERNAL_SERVER_ERROR, "{}"));
            }
            _ => {}
        }
        let answer = self.done(&request);
        sleep(random.below(Duration::from_millis(200))).await;
        match chance {
            12..=14 => {
                self.doubt(&request);
                Ok(answered(StatusCode::BAD_GATEWAY, "{}"))
            }
            15..=17 => {
                self.doubt(&request);
                failed(Kind::Connect, Evidence::Unknown)
            }
            18..=19 => {
                self.doubt(&request);
                std::future::pending().await
            }
            _ => Ok(answered(StatusCode::OK, &answer)),
        }
    }

    fn doubt(&self, request: &Request) {
        self.0.lock().unwrap().done.entry(told(request).0).or_default().in_doubt = true;
    }

    /// Does what is asked, once for a key, and answers with what the next calls have to know.
    fn done(&self, request: &Request) -> String {
        let (event, told) = told(request);
        let step = STEPS.into_iter().find(|step| request.uri().path() == format!("/{step}")).unwrap();
        let Log { done, broken } = &mut *self.0.lock().unwrap();
        let done = done.entry(event.clone()).or_default();
        let before = STEPS.iter().take_while(|other| **other != step);
        if before.clone().any(|step| !done.times.contains_key(step)) {
            broken.push(format!("{step} came before its turn for {event}"));
        }
        let wanted = match step {
            "ask" => None,
            "say" => Some(format!("pay of {event}")),
            _ => Some(format!("ask of {event}")),
        };
        if told != wanted {
            broken.push(format!("{step} for {event} was told {told:?} of the answers before it"));
        }
        let key = request.headers().get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
        let since = key.as_ref().and_then(|key| done.keys.get(key));
        if since.is_none_or(|since| since.elapsed() >= KEY_LIFETIME) {
            *done.times.entry(step).or_default() += 1;
            done.keys.extend(key.map(|key| (key, Instant::now())));
        }
        json!({ "answer": format!("{step} of {event}") }).to_string()
    }
}

/// The event that the request is about, and the answer that it hands on.
fn told(request: &Request) -> (String, Option<String>) {
    if let Some(query) = request.uri().query() {
        return (query.trim_start_matches("event=").to_owned(), None);
    }
    let body: Value = serde_json::from_slice(request.body().as_bytes().unwrap()).unwrap();
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    (text("event").unwrap(), text("answer"))
}

fn answered(status: StatusCode, body: &str) -> Response {
    let body = Body::from(body.to_owned());
    http::Response::builder().status(status).header("content-type", "application/json").body(body).unwrap()
}
