//! One service: what becomes of each request to it.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Method;
use nuncio_service::model::Auth;
use nuncio_service::{Operation, Scope, Service};
use serde_json::{Map, Value, json};

use crate::Options;
use crate::answer::{Answer, Outcome};
use crate::auth::Demand;
use crate::counts::{OperationCounts, ServiceCounts};
use crate::fault::{Fault, Kind, Plan, Saying, Struck, seed_of};
use crate::graphql;
use crate::idempotency::Remembered;
use crate::limits::{self, Buckets};
use crate::oauth2::{Logins, Tokens};
use crate::perform::Performed;
use crate::refusal::Refusal;
use crate::route::{Found, Routes};
use crate::store::Store;
use crate::waits::Waits;
use crate::wire::Received;
use crate::words::{Words, random};

/// Asks for a fault; is not part of the request otherwise.
const FAULT_HEADER: &str = "Sandbox-Fault";

/// A service as the sandbox plays it.
pub(crate) struct Play {
    pub(crate) service: Service,
    routes: Routes,
    graphql: graphql::Endpoint,
    pub(crate) words: Words,
    pub(crate) enforce_limits: bool,
    pub(crate) seed: u64,
    /// How many objects of a resource are there from the start, where that is not as described.
    pub(crate) counts: BTreeMap<String, u32>,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) stores: BTreeMap<String, Store>,
    pub(crate) remembered: Remembered,
    pub(crate) buckets: Buckets,
    pub(crate) tokens: Tokens,
    pub(crate) logins: Logins,
    pub(crate) nonces: HashSet<String>,
    pub(crate) counts: ServiceCounts,
    pub(crate) waits: Waits,
    pub(crate) plan: Plan,
    pub(crate) rng: fastrand::Rng,
}

/// A request for an operation.
pub(crate) struct Asked<'a> {
    pub(crate) received: &'a Received,
    pub(crate) name: &'a str,
    pub(crate) operation: &'a Operation,
    /// The inputs that stand in the path.
    pub(crate) path: BTreeMap<String, String>,
    /// The fields of query and body as they came, or the variables; or why they cannot be read.
    pub(crate) fields: Result<Map<String, Value>, String>,
    /// What GraphQL asks for.
    pub(crate) query: Option<graphql::Query<'a>>,
}

impl State {
    pub(crate) fn count(&mut self, operation: &str) -> &mut OperationCounts {
        self.counts.operations.entry(operation.to_owned()).or_default()
    }
}

impl Play {
    pub(crate) fn new(service: Service, options: &Options, base_url: String) -> Self {
        let seed = seed_of(options.seed, &service.service);
        let prefix = format!("{}.", service.service);
        let counts = options
            .records
            .iter()
            .filter_map(|(name, count)| Some((name.strip_prefix(&prefix)?.to_owned(), *count)));
        let state = State {
            stores: BTreeMap::new(),
            remembered: Remembered::default(),
            buckets: Buckets::default(),
            tokens: Tokens::new(options.token_lifetime, options.token_uses),
            logins: Logins::new(options.refresh_grace),
            nonces: HashSet::new(),
            counts: ServiceCounts::default(),
            waits: Waits::default(),
            plan: Plan::new(&options.faults, seed),
            rng: fastrand::Rng::with_seed(seed),
        };
        Self {
            routes: Routes::new(&service),
            graphql: graphql::Endpoint::new(&service),
            counts: counts.collect(),
            service,
            words: Words { env: options.env.clone(), clock: options.clock.clone(), base_url },
            enforce_limits: options.enforce_limits,
            seed,
            state: Mutex::new(state),
        }
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.words.base_url
    }

    pub(crate) fn counts(&self) -> ServiceCounts {
        self.state().counts.clone()
    }

    pub(crate) fn objects(&self, resource: &str) -> Vec<Value> {
        let mut state = self.state();
        let store = self.store(&mut state.stores, resource);
        let entries = store.map(|store| store.list(&BTreeMap::new(), &Map::new(), false));
        entries.unwrap_or_default().into_iter().map(|entry| entry.object.clone()).collect()
    }

    /// No request leaves half a change behind, so what a panicking one left is whole.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of a request.
    pub(crate) async fn play(&self, received: Received) -> Outcome {
        if let Some((endpoint, oauth2)) = self.endpoint(&received) {
            return self.authorization_server(endpoint, oauth2, &received).await;
        }
        let asked = match self.asked(&received) {
            Ok(asked) => asked,
            Err(answer) => {
                self.state().counts.unknown += 1;
                return Outcome::Answered(self.with_headers(*answer, &received));
            }
        };
        let struck = match self.strike(&asked) {
            Ok(struck) => struck,
            // The sandbox's own complaint, which no service's words may hide.
            Err(message) => {
                let message = format!("{FAULT_HEADER}: {message}");
                return Outcome::Answered(Answer::json(400, json!({ "message": message })));
            }
        };
        if !struck.delay.is_zero() {
            tokio::time::sleep(struck.delay).await;
        }
        let outcome = self.answer(&asked, &struck);
        if let Outcome::Answered(answer) = &outcome {
            self.state().waits.note(asked.name, answer, self.words.clock.since_epoch());
        }
        outcome
    }

    /// The operation that a request is for, or the answer that there is none.
    fn asked<'a>(&'a self, received: &'a Received) -> Result<Asked<'a>, Box<Answer>> {
        if received.method == Method::POST && received.path == self.service.graphql.path {
            let query =
                self.graphql.read(received).map_err(|messages| Box::new(graphql::errors(&messages)))?;
            let (name, operation) = self.operation(query.operation);
            let fields = Ok(query.variables.clone());
            return Ok(Asked {
                received,
                name,
                operation,
                path: BTreeMap::new(),
                fields,
                query: Some(query),
            });
        }
        let Some(Found { operation, path }) = self.routes.find(&received.method, &received.path) else {
            let message = format!("no operation for {} {}", received.method, received.path);
            let refusal = Refusal::NotFound { by: String::new(), message };
            let answer = refusal.answer(&self.service, &self.service.errors, self.scope(received));
            return Err(Box::new(answer));
        };
        let (name, operation) = self.operation(operation);
        Ok(Asked { received, name, operation, path, fields: received.fields(), query: None })
    }

    fn operation<'a>(&'a self, name: &'a str) -> (&'a str, &'a Operation) {
        (name, &self.service.operations[name])
    }

    fn strike(&self, asked: &Asked<'_>) -> Result<Struck, String> {
        let mut state = self.state();
        let is_early = state.waits.is_early(asked.name, self.words.clock.since_epoch());
        let counts = state.count(asked.name);
        counts.requests += 1;
        counts.early += u64::from(is_early);
        let nth = counts.requests;
        let wanted = asked.received.header(FAULT_HEADER).map(|text| self.fault(text)).transpose()?;
        let struck = state.plan.strike(asked.name, nth, wanted);
        if struck.is_any() {
            state.count(asked.name).faulted += 1;
        }
        Ok(struck)
    }

    /// The fault that a header asks for.
    fn fault<'a>(&self, text: &'a str) -> Result<(&'a str, Fault), String> {
        let fault: Fault = text.parse()?;
        fault.check(self.service.operations.keys()).map_err(|error| error.to_string())?;
        Ok((text, fault))
    }

    fn answer(&self, asked: &Asked<'_>, struck: &Struck) -> Outcome {
        let lost = |kind: Kind, saying: &Saying| match kind {
            Kind::Status(status) => Outcome::Answered(self.fail(status, saying, asked)),
            _ => Outcome::Reset,
        };
        if let Some((kind, fault)) = struck.failure.as_ref().filter(|(_, fault)| !fault.after) {
            return lost(*kind, &fault.saying);
        }
        let Performed { result, standing } = self.perform(asked, struck);
        if let Some((kind, fault)) = &struck.failure {
            return lost(*kind, &fault.saying);
        }
        let mut answer = match result {
            Ok(answer) => self.with_headers(answer, asked.received),
            Err(refusal) => self.refuse(&refusal, asked),
        };
        if let Some(standing) = standing {
            answer = standing.tell(answer);
        }
        if struck.truncate { Outcome::Truncated(answer) } else { Outcome::Answered(answer) }
    }

    /// The faults that strike a request to a part of the authorization server.
    pub(crate) fn strike_endpoint(&self, name: &str) -> Struck {
        let mut state = self.state();
        let counts = state.count(name);
        counts.requests += 1;
        let nth = counts.requests;
        let struck = state.plan.strike(name, nth, None);
        state.count(name).faulted += u64::from(struck.is_any());
        struck
    }

    fn fail(&self, status: u16, saying: &Saying, asked: &Asked<'_>) -> Answer {
        let answer = self.refuse(&Refusal::Fault { status, saying: saying.clone() }, asked);
        match saying.reset {
            Some(secs) => limits::tell(answer, 0, self.words.clock.since_epoch() + Duration::from_secs(secs)),
            None => answer,
        }
    }

    fn refuse(&self, refusal: &Refusal, asked: &Asked<'_>) -> Answer {
        let mut answer = match refusal.graphql_message().filter(|_| asked.query.is_some()) {
            Some(message) => graphql::errors(&[message.to_owned()]),
            None => {
                let errors = asked.operation.errors.as_ref().unwrap_or(&self.service.errors);
                refusal.answer(&self.service, errors, self.scope(asked.received))
            }
        };
        let auth = asked.operation.auth.as_ref().unwrap_or(&self.service.auth);
        if matches!((refusal, auth), (Refusal::Auth, Auth::Digest(_))) {
            answer = answer.with_header("WWW-Authenticate", &self.challenge());
        }
        self.with_headers(answer, asked.received)
    }

    /// A Digest challenge that was never made before.
    fn challenge(&self) -> String {
        let state = &mut *self.state();
        let nonce = random(&mut state.rng);
        let scope = Scope::new(&self.words.env);
        let now = self.words.clock.since_epoch();
        let mut demand = Demand { scope: &scope, now, tokens: &mut state.tokens, nonces: &mut state.nonces };
        demand.challenge(&nonce)
    }

    /// Adds the headers of every answer.
    fn with_headers(&self, mut answer: Answer, received: &Received) -> Answer {
        let scope = self.scope(received);
        for (name, value) in &self.service.sandbox.headers {
            if let Ok(value) = value.text(&scope) {
                answer = answer.with_header(name, &value);
            }
        }
        answer
    }

    /// What a template sees of a request whose inputs do not matter.
    fn scope(&self, received: &Received) -> Scope {
        self.words.scope(&received.path, &Map::new(), &mut self.state().rng)
    }
}
