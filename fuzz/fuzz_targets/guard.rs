//! The guard: an address in a URL is judged as the URL parser reads it, however it is spelled, and networks are read as they are written.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;
use libfuzzer_sys::fuzz_target;
use nuncio_client::wire::{Cidr, Guard};
use url::{Host, Url};

fuzz_target!(|data: &[u8]| {
    if let Some(number) = data.first_chunk() {
        ipv4_in_ipv6_is_ipv4(Ipv4Addr::from(*number));
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    url(text);
    url(&format!("http://{text}/"));
    network(text);
});

fn ipv4_in_ipv6_is_ipv4(four: Ipv4Addr) {
    let guard = Guard::default();
    let translated = Ipv6Addr::from(0x64_ff9b << 96 | u128::from(u32::from(four)));
    for six in [four.to_ipv6_mapped(), translated] {
        assert_eq!(guard.allows(six.into()), guard.allows(four.into()), "{six}");
    }
    assert!(guard.allow([one(four.into())]).allows(translated.into()));
}

fn url(text: &str) {
    let Ok(url) = text.parse::<Url>() else { return };
    let address: IpAddr = match url.host() {
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        Some(Host::Domain(_)) | None => return,
    };
    // Requests carry URIs.
    let Ok(uri) = url.as_str().parse::<Uri>() else { return };
    let guard = Guard::default();
    assert_eq!(guard.vet_host(uri.host().expect("as in the URL")).is_ok(), guard.allows(address), "{url}");
    assert!(guard.allow([one(address)]).vet_host(uri.host().expect("as in the URL")).is_ok(), "{url}");
}

/// The network of that address alone.
fn one(address: IpAddr) -> Cidr {
    address.to_canonical().to_string().parse().expect("an address")
}

fn network(text: &str) {
    let Ok(network) = text.parse::<Cidr>() else { return };
    let written = network.to_string();
    assert_eq!(written.parse::<Cidr>().expect("as it was written"), network);
    let (first, length) = written.split_once('/').expect("with its prefix");
    let length: u32 = length.parse().expect("a number");
    let (first, bits): (u128, u32) = match first.parse().expect("an address") {
        IpAddr::V4(four) => (u32::from(four).into(), 32),
        IpAddr::V6(six) => (six.into(), 128),
    };
    let last = first | u128::MAX.checked_shr(128 - bits + length).unwrap_or(0);
    let contains = |number: u128| match u32::try_from(number) {
        Ok(four) if bits == 32 => network.contains(Ipv4Addr::from(four).into()),
        _ if bits == 32 => false,
        _ => network.contains(Ipv6Addr::from(number).into()) || number >> 32 == 0xffff,
    };
    assert!(contains(first) && contains(last), "{written}");
    let outside = |number: u128| number >> 32 == 0xffff || !contains(number);
    assert!(first.checked_sub(1).is_none_or(outside) && last.checked_add(1).is_none_or(outside), "{written}");
}
