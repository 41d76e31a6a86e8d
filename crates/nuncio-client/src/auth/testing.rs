//! A scripted server for the tests of the schemes.

use std::sync::{Arc, Mutex};

use tower::{ServiceExt as _, service_fn};

use super::{Auth, AuthLayer, Exchange};
use crate::{Body, Clock, Context, Error, Event, Observer, Random, Request, Response};

/// An exchange whose answers `serve` gives.
pub(super) fn exchange<F>(serve: impl Fn(Request) -> F + Clone + Send + Sync + 'static) -> Exchange
where
    F: Future<Output = Result<Response, Error>> + Send + 'static,
{
    let clock = Clock::starting_at(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_760_000_000));
    Exchange::new(service_fn(serve), clock, Random::seeded(7))
}

/// An exchange that must not be used.
pub(super) fn no_exchange() -> Exchange {
    exchange(|_| async { panic!("nothing needs to be fetched") })
}

/// What `auth` makes of `request`, or its error.
pub(super) async fn signed(auth: Auth, request: Request) -> Result<Request, Error> {
    let seen = Arc::new(Mutex::new(None));
    let copy = Arc::clone(&seen);
    let wire = service_fn(move |request: Request| {
        *copy.lock().unwrap() = Some(request);
        async { Ok(Response::new(Body::Empty)) }
    });
    let layer = AuthLayer::new(auth, no_exchange());
    tower::ServiceBuilder::new().layer(layer).service(wire).oneshot(request).await?;
    let seen = seen.lock().unwrap().take();
    Ok(seen.unwrap())
}

pub(super) fn get(url: &str) -> Request {
    http::Request::get(url).body(Body::Empty).unwrap()
}

pub(super) fn answer(status: u16, body: &str) -> Result<Response, Error> {
    Ok(http::Response::builder().status(status).body(Body::from(body.to_owned())).unwrap())
}

/// A context that notes the reasons of token events.
pub(super) fn listening() -> (Context, Arc<Mutex<Vec<String>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let copy = Arc::clone(&heard);
    let observer = Observer::new(move |event| {
        if let Event::Token { reason } = event {
            copy.lock().unwrap().push((*reason).to_owned());
        }
    });
    (Context { observer, ..Context::default() }, heard)
}
