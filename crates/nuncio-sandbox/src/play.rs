//! One service: what becomes of each request to it.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::Method;
use nuncio_service::model::{Auth, OAuth2};
use nuncio_service::{Operation, Scope, Service};
use serde_json::{Map, Value, json};

use crate::Options;
use crate::act::{Act, Done, key_of, make, resource_of};
use crate::answer::{Answer, Outcome};
use crate::auth::{Demand, bearer_of};
use crate::counts::{OperationCounts, ServiceCounts};
use crate::fault::{Kind, Plan, Struck, seed_of};
use crate::idempotency::{Fingerprint, Known, Remembered};
use crate::input;
use crate::limits::{Buckets, Keyed, Standing};
use crate::refusal::Refusal;
use crate::route::{Found, Routes};
use crate::store::Store;
use crate::token::Tokens;
use crate::wire::Received;
use crate::words::{Words, random};

/// Asks for a fault; is not part of the request otherwise.
const FAULT_HEADER: &str = "Sandbox-Fault";

/// A service as the sandbox plays it.
pub(crate) struct Play {
    service: Service,
    routes: Routes,
    words: Words,
    enforce_limits: bool,
    seed: u64,
    /// How many objects of a resource are there from the start, where that is not as described.
    counts: BTreeMap<String, u32>,
    state: Mutex<State>,
}

struct State {
    stores: BTreeMap<String, Store>,
    remembered: Remembered,
    buckets: Buckets,
    tokens: Tokens,
    nonces: HashSet<String>,
    counts: ServiceCounts,
    plan: Plan,
    rng: fastrand::Rng,
}

impl State {
    fn count(&mut self, operation: &str) -> &mut OperationCounts {
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
            nonces: HashSet::new(),
            counts: ServiceCounts::default(),
            plan: Plan::new(&options.faults, seed),
            rng: fastrand::Rng::with_seed(seed),
        };
        Self {
            routes: Routes::new(&service),
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
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of a request.
    pub(crate) async fn play(&self, received: Received) -> Outcome {
        if let Some(oauth2) = self.token_endpoint(&received) {
            return Outcome::Answered(self.token(oauth2, &received));
        }
        let Some(found) = self.routes.find(&received.method, &received.path) else {
            self.state().counts.unknown += 1;
            let message = format!("no operation for {} {}", received.method, received.path);
            let refusal = Refusal::NotFound { by: String::new(), message };
            return Outcome::Answered(self.refuse(&refusal, &received, None));
        };
        let operation = &self.service.operations[found.operation];
        let struck = self.strike(&found, &received);
        let struck = match struck {
            Ok(struck) => struck,
            Err(message) => {
                let refusal = Refusal::Input { param: FAULT_HEADER.to_owned(), message };
                return Outcome::Answered(self.refuse(&refusal, &received, Some(operation)));
            }
        };
        if !struck.delay.is_zero() {
            tokio::time::sleep(struck.delay).await;
        }
        self.answer(&received, &found, operation, &struck)
    }

    fn strike(&self, found: &Found<'_>, received: &Received) -> Result<Struck, String> {
        let mut state = self.state();
        let counts = state.count(found.operation);
        counts.requests += 1;
        let nth = counts.requests;
        let struck = state.plan.strike(found.operation, nth, received.header(FAULT_HEADER))?;
        if struck.is_any() {
            state.count(found.operation).faulted += 1;
        }
        Ok(struck)
    }

    fn answer(
        &self,
        received: &Received,
        found: &Found<'_>,
        operation: &Operation,
        struck: &Struck,
    ) -> Outcome {
        let lost = |kind: Kind, saying| match kind {
            Kind::Status(status) => {
                let refusal = Refusal::Fault { status, saying };
                Outcome::Answered(self.refuse(&refusal, received, Some(operation)))
            }
            _ => Outcome::Reset,
        };
        if let Some((kind, fault)) = struck.failure.as_ref().filter(|(_, fault)| !fault.after) {
            return lost(*kind, fault.saying.clone());
        }
        let mut standing = None;
        let answer = self.perform(received, found, operation, struck, &mut standing);
        let mut answer = match answer {
            Ok(answer) => self.with_headers(answer, received),
            Err(refusal) => self.refuse(&refusal, received, Some(operation)),
        };
        if let Some((kind, fault)) = &struck.failure {
            return lost(*kind, fault.saying.clone());
        }
        if let Some(Standing { limit, remaining, reset }) = standing {
            let reset = reset.as_secs() + u64::from(reset.subsec_nanos() > 0);
            answer = answer
                .with_header("X-RateLimit-Limit", &limit.to_string())
                .with_header("X-RateLimit-Remaining", &remaining.to_string())
                .with_header("X-RateLimit-Reset", &reset.to_string());
        }
        if struck.truncate { Outcome::Truncated(answer) } else { Outcome::Answered(answer) }
    }

    /// Does what is asked, if it may be.
    fn perform(
        &self,
        received: &Received,
        found: &Found<'_>,
        operation: &Operation,
        struck: &Struck,
        standing: &mut Option<Standing>,
    ) -> Result<Answer, Refusal> {
        let now = self.words.clock.since_epoch();
        let state = &mut *self.state();
        if struck.expired_token {
            state.tokens.revoke(bearer_of(received).unwrap_or_default());
        }
        let scope = Scope::new(&self.words.env);
        let mut demand = Demand { scope: &scope, now, tokens: &mut state.tokens, nonces: &mut state.nonces };
        let auth = operation.auth.as_ref().unwrap_or(&self.service.auth);
        if struck.expired_token || !demand.is_met(auth, received) {
            state.count(found.operation).refused_by_auth += 1;
            return Err(Refusal::Auth);
        }

        let wrong_body = |message| Refusal::Input { param: String::new(), message };
        let fields = received.fields().map_err(wrong_body)?;
        let input = input::read(operation, &found.path, &received.headers, &fields);
        if self.enforce_limits {
            let input = input.as_ref().ok();
            match self.take(state, found.operation, operation, input, now) {
                Ok(taken) => *standing = taken,
                Err(wait) => {
                    state.count(found.operation).refused_by_limit += 1;
                    return Err(Refusal::Limit { wait });
                }
            }
        }
        let key = self.idempotency_key(received);
        let fingerprint = Fingerprint::of(received);
        if let Some(key) = &key {
            match state.remembered.recall(key, &fingerprint) {
                Known::New => {}
                Known::Other => return Err(Refusal::Idempotency),
                Known::Same(answer) => {
                    state.count(found.operation).replayed += 1;
                    return Ok(answer);
                }
            }
        }

        let act = Act {
            service: &self.service,
            name: found.operation,
            operation,
            received,
            base_url: self.base_url(),
            path: &found.path,
            fields: &fields,
            input: &input?,
            repeats_cursor: struck.repeat_cursor,
        };
        let Done { answer, is_applied, records } = self.act(&act, state)?;
        let counts = state.count(found.operation);
        counts.applied += u64::from(is_applied);
        counts.records += records;
        if let Some(key) = key {
            state.remembered.remember(key, fingerprint, answer.clone());
        }
        Ok(answer)
    }

    fn act(&self, act: &Act<'_>, state: &mut State) -> Result<Done, Refusal> {
        let name = resource_of(act.name, act.operation);
        let resource = self.service.sandbox.resources.get(name).cloned().unwrap_or_default();
        let scope = self.words.scope(&act.received.path, act.input, &mut state.rng);
        let words = self.words.scope(&act.received.path, act.input, &mut state.rng);
        act.run(self.store(&mut state.stores, name)?, &resource, &scope, words)
    }

    /// The objects of a resource; those that are there from the start are made when it is first asked for.
    fn store<'a>(
        &self,
        stores: &'a mut BTreeMap<String, Store>,
        name: &str,
    ) -> Result<&'a mut Store, Refusal> {
        if !stores.contains_key(name) {
            let resource = self.service.sandbox.resources.get(name).cloned().unwrap_or_default();
            let key = key_of(&resource, None);
            let mut rng = fastrand::Rng::with_seed(seed_of(self.seed, name));
            let mut store = Store::default();
            for number in 1..=u64::from(self.counts.get(name).copied().unwrap_or(resource.count)) {
                let scope = self.words.scope("", &Map::new(), &mut rng);
                let (id, object) = make(&resource, &key, number, Map::new(), scope)?;
                store.add(id, BTreeMap::new(), object);
            }
            stores.insert(name.to_owned(), store);
        }
        Ok(stores.get_mut(name).expect("it was put there if it was not"))
    }

    fn take(
        &self,
        state: &mut State,
        name: &str,
        operation: &Operation,
        input: Option<&Map<String, Value>>,
        now: std::time::Duration,
    ) -> Result<Option<Standing>, std::time::Duration> {
        let scope = Scope::new(&self.words.env)
            .with("operation", json!(name))
            .with("input", Value::Object(input.cloned().unwrap_or_default()));
        let limits = operation.limits.as_ref().unwrap_or(&self.service.limits);
        let keyed = limits.iter().map(|limit| {
            let key = limit.key.as_ref().and_then(|key| key.text(&scope).ok());
            Keyed::new(limit, key.as_deref().unwrap_or_default())
        });
        state.buckets.take(&keyed.collect::<Vec<_>>(), operation.cost.map_or(1, u32::from), now)
    }

    fn idempotency_key(&self, received: &Received) -> Option<String> {
        let described = self.service.idempotency.as_ref()?;
        let is_work = [Method::POST, Method::PATCH].contains(&received.method);
        received.header(&described.header).filter(|_| is_work).map(str::to_owned)
    }

    /// The OAuth 2.0 settings of which the request asks for a token.
    fn token_endpoint(&self, received: &Received) -> Option<&OAuth2> {
        let own = self.service.operations.values().filter_map(|operation| operation.auth.as_ref());
        let mut oauth2 = own.chain([&self.service.auth]).filter_map(|auth| match auth {
            Auth::OAuth2(oauth2) => Some(oauth2),
            _ => None,
        });
        oauth2.find(|oauth2| {
            let url = oauth2.token_url.source();
            let base = self.service.base_url.source();
            // A URL elsewhere is played under the service too: its path tells it apart.
            let path = url.strip_prefix(base).or_else(|| {
                Some(&url[url.find("://")? + 3..]).and_then(|rest| Some(&rest[rest.find('/')?..]))
            });
            received.method == Method::POST && path.unwrap_or(url) == received.path
        })
    }

    fn token(&self, oauth2: &OAuth2, received: &Received) -> Answer {
        let state = &mut *self.state();
        let token = format!("{}{}", random(&mut state.rng), random(&mut state.rng));
        let scope = Scope::new(&self.words.env);
        let now = self.words.clock.since_epoch();
        let mut demand = Demand { scope: &scope, now, tokens: &mut state.tokens, nonces: &mut state.nonces };
        let answer = demand.exchange(oauth2, received, &token);
        if answer.status.is_success() {
            state.counts.tokens_issued += 1;
        } else {
            state.counts.tokens_refused += 1;
        }
        answer
    }

    fn refuse(&self, refusal: &Refusal, received: &Received, operation: Option<&Operation>) -> Answer {
        let errors =
            operation.and_then(|operation| operation.errors.as_ref()).unwrap_or(&self.service.errors);
        let scope = self.words.scope(&received.path, &Map::new(), &mut self.state().rng);
        self.with_headers(refusal.answer(&self.service, errors, scope), received)
    }

    /// Adds the headers of every answer.
    fn with_headers(&self, mut answer: Answer, received: &Received) -> Answer {
        let scope = self.words.scope(&received.path, &Map::new(), &mut self.state().rng);
        for (name, value) in &self.service.sandbox.headers {
            if let Ok(value) = value.text(&scope) {
                answer = answer.with_header(name, &value);
            }
        }
        answer
    }
}
