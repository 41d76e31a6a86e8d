//! Host names: unknown ones, and resolvers that are slow.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use nuncio_client::wire::{Proxy, Resolver, Settings};
use nuncio_client::{Builder, Evidence, Kind};

use super::{ANSWER, SHORT, client, post, struck};

/// A client of `api.localhost`, a name that goes to the resolver.
fn named(port: u16, resolver: Resolver) -> Builder {
    let mut settings = Settings::default();
    settings.proxy = Proxy::Direct;
    settings.resolver = Some(resolver);
    settings.connect_timeout = SHORT;
    client(&format!("http://api.localhost:{port}")).wire(settings)
}

#[tokio::test]
async fn a_name_is_looked_up_by_the_resolver_that_is_handed_in() {
    let proxy = struck(&nuncio_faults::Fault::Drip, 0);
    let resolver = Resolver::new(|name| async move {
        assert_eq!(name, "api.localhost");
        Ok(vec![IpAddr::from(Ipv4Addr::LOCALHOST)])
    });
    let answer = post(named(proxy.address().port(), resolver)).await.expect("found");
    assert_eq!(&answer.body[..], ANSWER.as_bytes());
}

#[tokio::test]
async fn a_name_that_is_unknown_was_never_sent_to() {
    let resolver = Resolver::new(|_| async { Err("no such host".into()) });
    let error = post(named(1, resolver)).await.expect_err("unknown");
    let told = (error.kind(), error.evidence(), error.history().len());
    assert_eq!(told, (Kind::Connect, Evidence::NeverSent, 2));
    assert!(error.report().contains("check the host name"), "{}", error.report());
}

#[tokio::test]
async fn a_name_without_addresses_was_never_sent_to() {
    let error = post(named(1, Resolver::new(|_| async { Ok(Vec::new()) }))).await.expect_err("nowhere");
    assert_eq!((error.kind(), error.evidence()), (Kind::Connect, Evidence::NeverSent));
}

#[tokio::test]
async fn a_resolver_that_is_slow_uses_up_the_time_to_connect() {
    let resolver = Resolver::new(|_| async {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        Ok(Vec::new())
    });
    let error = post(named(1, resolver)).await.expect_err("too slow");
    let told = (error.kind(), error.evidence(), error.history().len());
    assert_eq!(told, (Kind::Timeout, Evidence::NeverSent, 2), "{}", error.report());
}
