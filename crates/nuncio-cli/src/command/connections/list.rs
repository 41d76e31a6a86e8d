//! `nuncio connections list`.

use std::path::Path;

use serde_json::{Value, json};

use super::state::State;
use crate::credentials;
use crate::exit::Stop;
use crate::output::Output;
use crate::session::Session;

pub(super) fn run(session: &Session, file: Option<&Path>) -> Result<(), Stop> {
    let Some(store) = credentials::existing_store(session)? else { return empty(session) };
    let (catalog, key) = (session.catalog(file)?, store.key()?);
    let mut objects = Vec::new();
    let mut lines = Vec::new();
    for connection in store.list()? {
        let service = catalog.get(connection.account.service()).ok();
        let state = State::of(&connection, service.as_ref(), &session.env, session.clock.now());
        let scheme = service.as_ref().map(|service| service.auth.name());
        let account = &connection.account;
        objects.push(json!({
            "service": account.service(), "name": account.name(), "scheme": scheme, "state": state.object(),
            "key": { "id": key.id, "source": key.source.to_string() },
        }));
        lines.push([
            account.service().to_owned(),
            account.name().to_owned(),
            scheme.unwrap_or("?").to_owned(),
            state.to_string(),
        ]);
    }
    let mut output = Output::new(None)?;
    if session.global.json {
        output.line(&Value::from(objects).to_string())?;
    } else {
        let width =
            |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
        let (first, second, third) = (width(0), width(1), width(2));
        for [service, name, scheme, state] in &lines {
            output.line(&format!("{service:<first$}  {name:<second$}  {scheme:<third$}  {state}"))?;
        }
    }
    output.flush()
}

fn empty(session: &Session) -> Result<(), Stop> {
    let mut output = Output::new(None)?;
    if session.global.json {
        output.line("[]")?;
    }
    output.flush()
}
