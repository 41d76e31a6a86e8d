//! Which addresses may be called, for URLs that come from people who need not be trusted.

use std::net::IpAddr;
use std::sync::Arc;

use crate::Error;

use super::{Cidr, literal, special};

/// Keeps calls to public addresses: a guard against server-side request forgery, in which somebody gives a URL that leads to a server that only
/// we can reach ([OWASP](https://owasp.org/www-community/attacks/Server_Side_Request_Forgery), CWE-918).
///
/// It is a setting of the [wire](super::Settings::guard), and none by default: calls go where the caller says. With it
///
/// - a **name** is looked up once for each connection, all addresses of the answer are vetted, and the connection goes to one of exactly these. A
///   resolver that answers differently the second time (DNS rebinding) has nothing to answer. If one address may not be called the name may
///   not: no honest name is half private, and which half a call meets would be chance;
/// - an **address** in the URL is vetted however it is spelled. `http://2130706433/`, `http://0x7f.1/` and `http://[::ffff:127.0.0.1]/` are
///   127.0.0.1 to the URL parser, and what only the resolver of the system takes for an address is vetted as its answer;
/// - each **hop** of a redirect and each next page is a call like any other. A connection that is kept was vetted when it was opened, and stays
///   with its address;
/// - a **proxy** is not used: it would connect in our place, to where it likes. A call for which one is set is refused.
///
/// Public is what IANA's registries of special-purpose addresses ([IPv4](https://www.iana.org/assignments/iana-ipv4-special-registry),
/// [IPv6](https://www.iana.org/assignments/iana-ipv6-special-registry); RFC 6890) call globally reachable, less multicast, tunnels (6to4, Teredo)
/// and the blocks for protocols (192.0.0.0/24, 2001::/23), of IPv6 only 2000::/3. Of addresses that are IPv4 in IPv6 (mapped, NAT64 with the
/// well-known prefix) the IPv4 address counts. So the metadata services of clouds are covered, whatever name leads there
/// (`metadata.google.internal`): they are at link-local, unique local, shared or protocol addresses, and Azure's second one, 168.63.129.16,
/// which looks public, is refused by itself.
///
/// It cannot know a network's own NAT64 prefix (RFC 6052, section 2.2), nor which public addresses are one's own: keep those by the firewall.
///
/// ```
/// use nuncio_client::wire::{Guard, Settings};
///
/// let guard = Guard::default().allow(["10.1.0.0/16".parse()?]);
/// assert!(guard.allows("93.184.215.14".parse().unwrap()));
/// assert!(guard.allows("10.1.2.3".parse().unwrap()));
/// assert!(!guard.allows("169.254.169.254".parse().unwrap()));
///
/// let mut settings = Settings::default();
/// settings.guard = Some(guard);
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Guard {
    allowed: Arc<[Cidr]>,
}

impl Guard {
    /// Allows these networks too, though they are not public.
    #[must_use]
    pub fn allow(self, networks: impl IntoIterator<Item = Cidr>) -> Self {
        Self { allowed: self.allowed.iter().copied().chain(networks).collect() }
    }

    /// Whether `address` may be called.
    #[must_use]
    pub fn allows(&self, address: IpAddr) -> bool {
        self.refusal(address).is_none()
    }

    /// Vets the host of a URL, which is all that can be done before a call: an address is judged, a name passes until it is looked up.
    ///
    /// # Errors
    /// As [`vet`](Self::vet).
    pub fn vet_host(&self, host: &str) -> Result<(), Error> {
        match literal(host) {
            Some(address) => self.vet(host, &[address]),
            None => Ok(()),
        }
    }

    /// Vets the addresses of `host`, all of them.
    ///
    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration), never sent and lasting, for the first that may not be called. The error names it and
    /// what it is for, and says nothing of the others.
    pub fn vet(&self, host: &str, addresses: &[IpAddr]) -> Result<(), Error> {
        let refused = addresses.iter().find_map(|address| Some((address, self.refusal(*address)?)));
        let Some((address, purpose)) = refused else { return Ok(()) };
        let what = match literal(host) {
            Some(_) => format!("{address} is {purpose}"),
            None => format!("{host} is at {address}, {purpose}"),
        };
        Err(Error::configuration(format!("{what}; only public addresses may be called"))
            .advise(format!("if it is meant, put {address} or its network on the guard's allow list"))
            .lasting())
    }

    /// What keeps `address` from being called.
    fn refusal(&self, address: IpAddr) -> Option<&'static str> {
        let destination = special::destination(address);
        let is_allowed =
            self.allowed.iter().any(|network| network.contains(address) || network.contains(destination));
        if is_allowed { None } else { special::purpose(destination) }
    }
}

/// Why a call cannot be made when both a guard and a proxy are set.
pub(super) fn no_proxy() -> Error {
    Error::configuration("a guard cannot vet what a proxy connects to")
        .advise("call without a proxy (Proxy::Direct, or NO_PROXY for the host), or without a guard where the proxy keeps guard")
        .lasting()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Evidence, Kind};

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().expect(text)).collect()
    }

    fn vet(host: &str, of: &[&str]) -> Result<(), String> {
        Guard::default().vet(host, &addresses(of)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_refusal_names_host_and_address_and_what_to_do() {
        let error = Guard::default()
            .vet("hooks.example.com", &addresses(&["10.0.0.1", "10.0.0.2"]))
            .expect_err("private");
        let told = (error.kind(), error.evidence(), error.is_lasting());
        assert_eq!(told, (Kind::Configuration, Evidence::NeverSent, true));
        let message = "hooks.example.com is at 10.0.0.1, a private address (RFC 1918); only public addresses may be called";
        assert_eq!(error.to_string(), message);
        assert!(error.advice().expect("advice").contains("put 10.0.0.1 or its network"));
        assert!(!error.report().contains("10.0.0.2"), "{}", error.report());
    }

    #[test]
    fn an_address_in_a_url_is_named_once() {
        for (host, message) in [
            ("127.0.0.1", "127.0.0.1 is a loopback address (RFC 1122); only public addresses may be called"),
            ("[fe80::1]", "fe80::1 is a link-local address (RFC 4291); only public addresses may be called"),
        ] {
            assert_eq!(
                Guard::default().vet_host(host).map_err(|error| error.to_string()),
                Err(message.to_owned())
            );
        }
        assert!(Guard::default().vet_host("localhost").is_ok(), "a name is vetted when it is looked up");
    }

    #[test]
    fn a_name_with_one_address_that_may_not_be_called_may_not_be_called() {
        assert_eq!(vet("example.com", &["93.184.215.14", "2606:4700::1111"]), Ok(()));
        assert_eq!(vet("example.com", &[]), Ok(()), "there is nothing to connect to");
        for mixed in [["93.184.215.14", "10.0.0.1"], ["10.0.0.1", "93.184.215.14"], ["93.184.215.14", "::1"]]
        {
            assert!(vet("example.com", &mixed).is_err(), "{mixed:?}");
        }
    }

    #[test]
    fn what_is_on_the_list_may_be_called_in_every_spelling_and_nothing_else() {
        let network = |text: &str| text.parse::<Cidr>().expect(text);
        let guard = Guard::default().allow([network("10.1.0.0/16")]).allow([network("fd00:1::/32")]);
        for (address, expected) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("64:ff9b::10.1.2.3", true),
            ("fd00:1::1", true),
            ("93.184.215.14", true),
            ("10.2.0.1", false),
            ("::ffff:10.2.0.1", false),
            ("64:ff9b::10.2.0.1", false),
            ("2002:a01:203::1", false),
            ("fd00:2::1", false),
            ("127.0.0.1", false),
        ] {
            assert_eq!(guard.allows(address.parse().expect(address)), expected, "{address}");
        }
        assert!(
            Guard::default()
                .allow([network("2002::/16")])
                .allows("2002:a01:203::1".parse().expect("an address"))
        );
    }
}
