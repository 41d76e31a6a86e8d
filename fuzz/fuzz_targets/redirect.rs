//! Targets of redirects and next links: nothing is ever asked of another origin than the first.
#![no_main]

use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use http::{HeaderValue, StatusCode, Uri, header};
use libfuzzer_sys::fuzz_target;
use nuncio_client::pages::{Pages, Records, Strategy};
use nuncio_client::redirect::RedirectLayer;
use nuncio_client::{Body, Error, Request, Response};
use tower::{Layer as _, ServiceExt as _, service_fn};

const FIRST: &str = "https://api.example.com/v1/items?page=1";

fuzz_target!(|data: &[u8]| {
    if let Ok(location) = HeaderValue::from_bytes(data) {
        redirected(location);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        linked(text);
    }
});

fn redirected(location: HeaderValue) {
    let asked = Arc::new(Mutex::new(Vec::<Uri>::new()));
    let server = {
        let asked = Arc::clone(&asked);
        service_fn(move |request: Request| {
            asked.lock().expect("no panic").push(request.uri().clone());
            let mut response = Response::new(Body::Empty);
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert(header::LOCATION, location.clone());
            async move { Ok::<_, Error>(response) }
        })
    };
    let _ = nuncio_fuzz::block_on(RedirectLayer.layer(server).oneshot(first()));
    all_at_home(&asked.lock().expect("no panic"));
}

fn linked(next: &str) {
    let asked = Arc::new(Mutex::new(Vec::<Uri>::new()));
    let body = serde_json::json!({ "data": [1], "next": next }).to_string();
    let server = {
        let asked = Arc::clone(&asked);
        service_fn(move |request: Request| {
            let mut asked = asked.lock().expect("no panic");
            asked.push(request.uri().clone());
            let body = if asked.len() > 2 { r#"{"data": []}"#.to_owned() } else { body.clone() };
            async move { Ok::<_, Error>(Response::new(Body::from(body))) }
        })
    };
    let path = |text: &str| text.parse().expect("a path");
    let pages = Pages::new(Strategy::NextUrl { next: path("next") }, Records::Array(path("data")));
    nuncio_fuzz::block_on(async {
        let items = pages.read(server, first()).expect("a request that can be sent again");
        items.for_each(|_| std::future::ready(())).await;
    });
    all_at_home(&asked.lock().expect("no panic"));
}

fn first() -> Request {
    http::Request::get(FIRST).body(Body::Empty).expect("a request")
}

fn all_at_home(asked: &[Uri]) {
    for uri in asked {
        assert_eq!((uri.scheme_str(), uri.host()), (Some("https"), Some("api.example.com")), "{uri}");
        assert!(uri.port_u16().is_none_or(|port| port == 443), "{uri}");
    }
}
