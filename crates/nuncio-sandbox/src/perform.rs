//! Doing what is asked, if it may be: credentials, limits, idempotency, inputs, and then the work.

use std::collections::BTreeMap;

use http::Method;
use nuncio_service::Scope;
use nuncio_service::model::{Auth, Session};
use serde_json::{Map, Value, json};

use crate::act::{Act, Done, key_of, make, resource_of};
use crate::answer::Answer;
use crate::auth::{Demand, bearer_of};
use crate::fault::{Struck, seed_of};
use crate::idempotency::{Fingerprint, Known};
use crate::input;
use crate::limits::{Keyed, Standing};
use crate::play::{Asked, Play, State};
use crate::refusal::Refusal;
use crate::store::Store;
use crate::wire::Received;
use crate::words::random;

/// What came of a request.
pub(crate) struct Performed {
    pub(crate) result: Result<Answer, Refusal>,
    /// How the limits stand, if they were asked.
    pub(crate) standing: Option<Standing>,
}

impl Play {
    /// Does it in one step: no other request to the service comes in between.
    pub(crate) fn perform(&self, asked: &Asked<'_>, struck: &Struck) -> Performed {
        let state = &mut *self.state();
        let mut standing = None;
        let result = self.checked(state, asked, struck, &mut standing);
        Performed { result, standing }
    }

    fn checked(
        &self,
        state: &mut State,
        asked: &Asked<'_>,
        struck: &Struck,
        standing: &mut Option<Standing>,
    ) -> Result<Answer, Refusal> {
        self.authorize(state, asked, struck)?;
        let fields = asked.fields.as_ref();
        let fields =
            fields.map_err(|message| Refusal::Input { param: String::new(), message: message.clone() })?;
        let input = input::read(asked.operation, &asked.path, &asked.received.headers, fields);
        if self.enforce_limits {
            // A wrong request counts as well, as it does for most services.
            *standing = self.take(state, asked, input.as_ref().ok())?;
        }
        let Some(key) = self.idempotency_key(asked.received) else {
            return self.work(state, asked, fields, &input?, struck);
        };
        let fingerprint = Fingerprint::of(asked.received);
        match state.remembered.recall(&key, &fingerprint) {
            Known::New => {
                let answer = self.work(state, asked, fields, &input?, struck)?;
                state.remembered.remember(key, fingerprint, answer.clone());
                Ok(answer)
            }
            Known::Same(answer) => {
                state.count(asked.name).replayed += 1;
                Ok(answer)
            }
            Known::Other => Err(Refusal::Idempotency),
        }
    }

    fn authorize(&self, state: &mut State, asked: &Asked<'_>, struck: &Struck) -> Result<(), Refusal> {
        if struck.expired_token {
            state.tokens.revoke(bearer_of(asked.received).unwrap_or_default());
        }
        let scope = Scope::new(&self.words.env);
        let now = self.words.clock.since_epoch();
        let mut demand = Demand { scope: &scope, now, tokens: &mut state.tokens, nonces: &mut state.nonces };
        let auth = asked.operation.auth.as_ref().unwrap_or(&self.service.auth);
        if struck.expired_token || !demand.is_met(auth, asked.received) {
            state.count(asked.name).refused_by_auth += 1;
            return Err(Refusal::Auth);
        }
        Ok(())
    }

    fn log_in(
        &self,
        state: &mut State,
        session: &Session,
        input: &Map<String, Value>,
    ) -> Result<Answer, Refusal> {
        let credential = random(&mut state.rng);
        let scope = Scope::new(&self.words.env);
        let now = self.words.clock.since_epoch();
        let mut demand = Demand { scope: &scope, now, tokens: &mut state.tokens, nonces: &mut state.nonces };
        demand.log_in(session, input, &credential).ok_or(Refusal::Auth)
    }

    fn work(
        &self,
        state: &mut State,
        asked: &Asked<'_>,
        fields: &Map<String, Value>,
        input: &Map<String, Value>,
        struck: &Struck,
    ) -> Result<Answer, Refusal> {
        if let Auth::Session(session) = &self.service.auth
            && session.login == asked.name
        {
            return self.log_in(state, session, input);
        }
        let act = Act {
            service: &self.service,
            name: asked.name,
            operation: asked.operation,
            received: asked.received,
            base_url: self.base_url(),
            path: &asked.path,
            fields,
            input,
            repeats_cursor: struck.repeat_cursor,
        };
        let name = resource_of(asked.name, asked.operation);
        let resource = self.service.sandbox.resources.get(name).cloned().unwrap_or_default();
        let scope = self.words.scope(&asked.received.path, input, &mut state.rng);
        let words = self.words.scope(&asked.received.path, input, &mut state.rng);
        let store = self.store(&mut state.stores, name)?;
        let Done { answer, is_applied, records } = act.run(store, &resource, &scope, words)?;
        let counts = state.count(asked.name);
        counts.applied += u64::from(is_applied);
        counts.records += records;
        Ok(match &asked.query {
            Some(query) => query.select(answer),
            None => answer,
        })
    }

    /// The objects of a resource; those that are there from the start are made when it is first asked for.
    pub(crate) fn store<'a>(
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
        Asked { name, operation, .. }: &Asked<'_>,
        input: Option<&Map<String, Value>>,
    ) -> Result<Option<Standing>, Refusal> {
        let scope = Scope::new(&self.words.env)
            .with("operation", json!(name))
            .with("input", Value::Object(input.cloned().unwrap_or_default()));
        let limits = operation.limits.as_ref().unwrap_or(&self.service.limits);
        let keyed = limits.iter().map(|limit| {
            let key = limit.key.as_ref().and_then(|key| key.text(&scope).ok());
            Keyed::new(limit, key.as_deref().unwrap_or_default())
        });
        let (keyed, now) = (keyed.collect::<Vec<_>>(), self.words.clock.since_epoch());
        state.buckets.take(&keyed, operation.cost.map_or(1, u32::from), now).map_err(|wait| {
            state.count(name).refused_by_limit += 1;
            Refusal::Limit { wait }
        })
    }

    fn idempotency_key(&self, received: &Received) -> Option<String> {
        let described = self.service.idempotency.as_ref()?;
        let is_work = [Method::POST, Method::PATCH].contains(&received.method);
        received.header(&described.header).filter(|_| is_work).map(str::to_owned)
    }
}
