//! Who sent a request, and to which URL: what the connection says, or a proxy that is trusted.

use std::net::IpAddr;

use http::{HeaderMap, Uri, header};

use crate::options::Options;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    pub(crate) is_tls: bool,
}

/// Who sent a request, and to which URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) address: IpAddr,
    pub(crate) url: String,
}

impl Client {
    /// `X-Forwarded-For` is read from its end: the last is what our own proxy saw, and anybody can have written the first.
    pub(crate) fn new(options: &Options, peer: Peer, uri: &Uri, headers: &HeaderMap) -> Self {
        let is_trusted = |address| options.trusted_proxies.iter().any(|network| network.contains(address));
        let is_forwarded = is_trusted(peer.address);
        let told = |name| if is_forwarded { last(headers, name) } else { None };
        let address = if is_forwarded { forwarded_for(headers, is_trusted) } else { None };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let url = match &options.public_url {
            Some(public) => format!("{}{path}", public.trim_end_matches('/')),
            None => {
                let scheme = told("x-forwarded-proto").unwrap_or(if peer.is_tls { "https" } else { "http" });
                let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
                let host = told("x-forwarded-host").or(host).unwrap_or("localhost");
                format!("{scheme}://{host}{path}")
            }
        };
        Self { address: address.unwrap_or(peer.address), url }
    }
}

/// The last in the list that is no proxy of ours.
fn forwarded_for(headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let lines: Vec<_> =
        headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
    let mut seen = None;
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        // What cannot be read was not written by a proxy of ours, so what stands before it was not either.
        let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
        seen = Some(address);
        if !is_trusted(address) {
            break;
        }
    }
    seen
}

/// The last value: the one that the nearest proxy added.
fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    line.rsplit(',').next().map(str::trim).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, headers: &[(&str, &str)]) -> Client {
        let options = Options { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..Options::default() };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let peer = Peer { address: peer.parse().unwrap(), is_tls: false };
        Client::new(&options, peer, &"/in/shop?a=1".parse().unwrap(), &map)
    }

    fn address(peer: &str, forwarded: &str) -> String {
        client(peer, &[("x-forwarded-for", forwarded)]).address.to_string()
    }

    #[test]
    fn strangers_cannot_say_who_they_are() {
        assert_eq!(address("203.0.113.7", "198.51.100.1"), "203.0.113.7");
    }

    #[test]
    fn a_trusted_proxy_says_for_whom_it_forwards() {
        assert_eq!(address("10.0.0.1", "198.51.100.1"), "198.51.100.1");
        assert_eq!(address("::ffff:10.0.0.1", "198.51.100.1"), "198.51.100.1");
        assert_eq!(address("10.0.0.1", "198.51.100.1, 10.0.0.2"), "198.51.100.1");
    }

    #[test]
    fn what_was_sent_to_the_proxy_is_not_believed() {
        assert_eq!(address("10.0.0.1", "192.0.2.66, 198.51.100.1"), "198.51.100.1");
        assert_eq!(address("10.0.0.1", "192.0.2.66, rubbish, 10.0.0.2"), "10.0.0.2");
        let lines = [("x-forwarded-for", "192.0.2.66"), ("x-forwarded-for", "198.51.100.1")];
        assert_eq!(client("10.0.0.1", &lines).address.to_string(), "198.51.100.1");
    }

    #[test]
    fn the_url_is_what_the_provider_called() {
        let headers = [
            ("host", "inside:80"),
            ("x-forwarded-host", "hooks.example.test"),
            ("x-forwarded-proto", "https"),
        ];
        assert_eq!(client("10.0.0.1", &headers).url, "https://hooks.example.test/in/shop?a=1");
        assert_eq!(client("203.0.113.7", &headers).url, "http://inside:80/in/shop?a=1");
    }
}
