//! A session, begun by an operation of the service.

use http::header;
use nuncio_client::auth::Session;
use nuncio_client::{Answer, Error, Kind, Secret, json};

use super::Of;
use crate::connection::{Connection, Settings};
use crate::inputs::Inputs;
use crate::model;
use crate::request::header_name;
use crate::template::Scope;

/// Where the credential stands in the answer to a login.
enum Place {
    Body(json::Path),
    Cookie(String),
}

pub(super) fn session(described: &model::Session, of: &Of<'_>) -> Result<Session, Error> {
    let scope = Scope::new(of.env);
    let inputs = described.input.iter().map(|(name, value)| Ok((name.clone(), value.secret(&scope)?)));
    let inputs: Vec<(String, Secret)> = inputs.collect::<Result<_, Error>>()?;
    // It makes the request and never sends it: that is for whoever waits for the session.
    let service = of.service.ok_or_else(|| {
        Error::configuration("a session begins with an operation of a service, and there is none here")
    })?;
    let service = model::Service { auth: model::Auth::None, ..service.clone() };
    let base_url = Some(of.base_url.to_owned());
    let logged_out =
        Connection::new(service, Settings { env: of.env.clone(), base_url, ..Settings::default() })?;
    let operation = described.login.clone();
    let log_in = move || {
        let given = inputs.iter().map(|(name, value)| (name.as_str(), value.expose()));
        logged_out.call(&operation, Inputs::from_iter(given))?.preview()
    };

    let place = match (&described.token, &described.cookie) {
        (Some(path), None) => Place::Body(path.clone()),
        (None, Some(cookie)) => Place::Cookie(cookie.clone()),
        _ => return Err(Error::configuration("a session has exactly one of: token, cookie")),
    };
    let session = Session::new(log_in, move |answer| place.credential(answer));
    let (name, prefix) = described.place();
    let session = session.header(header_name(name)?, prefix);
    Ok(match described.lifetime {
        Some(lifetime) => session.lifetime(lifetime.0),
        None => session,
    })
}

impl Place {
    fn credential(&self, answer: &Answer) -> Result<Secret, Error> {
        let (found, place) = match self {
            Self::Body(path) => (path.text(&answer.json()?), format!("nothing at `{path}`")),
            Self::Cookie(name) => (cookie(answer, name), format!("no cookie {name}")),
        };
        found.filter(|credential| !credential.is_empty()).map(Secret::new).ok_or_else(|| {
            Error::new(Kind::Auth, format!("the answer to the login has {place}"))
                .advise("compare auth.session in the service file with what the service answers")
        })
    }
}

fn cookie(answer: &Answer, name: &str) -> Option<String> {
    let set = answer.headers.get_all(header::SET_COOKIE).iter();
    set.filter_map(|line| line.to_str().ok()?.split(';').next()?.trim().split_once('='))
        .find_map(|(set, value)| (set == name).then(|| value.to_owned()))
}
