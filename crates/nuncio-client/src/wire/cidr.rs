//! Networks, as people write them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::Error;

/// A network of IP addresses in CIDR notation (RFC 4632, section 3.1; RFC 4291, section 2.3): `10.0.0.0/8`, `fd00::/8`.
///
/// An address alone is the network of that address: `10.0.0.1` is `10.0.0.1/32`. It is read from and written as text.
///
/// ```
/// use nuncio_client::wire::Cidr;
///
/// let office: Cidr = "10.1.0.0/16".parse()?;
/// assert!(office.contains("10.1.2.3".parse().unwrap()));
/// assert!("10.1.2.3/16".parse::<Cidr>().unwrap_err().advice().unwrap().contains("10.1.0.0/16"));
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr(IpNet);

impl Cidr {
    /// Whether `address` is in the network. An IPv4 address in IPv6 clothes (`::ffff:10.0.0.1`) is that IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Cidr {
    type Err = Error;

    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for what is no network, for one with bits beyond its prefix, since one of the two
    /// is a mistake, and for one of IPv4-mapped addresses, which are IPv4 addresses to us.
    fn from_str(text: &str) -> Result<Self, Error> {
        let network = read(text).ok_or_else(|| {
            Error::configuration(format!("{text:?} is not a network"))
                .advise("write an address and the length of its prefix, such as 10.0.0.0/8 or fd00::/8")
        })?;
        if network.network() != network.addr() {
            return Err(Error::configuration(format!("{text:?} has bits beyond its prefix"))
                .advise(format!("write {} for the network, or the address alone", network.trunc())));
        }
        if network.addr() != network.addr().to_canonical() {
            return Err(Error::configuration(format!("{text:?} is a network of IPv4-mapped addresses"))
                .advise("write the IPv4 network, which stands for them too"));
        }
        Ok(Self(network))
    }
}

/// Addresses are read by the standard library, which takes no leading zeros: to some, 010.0.0.0 is 8.0.0.0.
fn read(text: &str) -> Option<IpNet> {
    let Some((address, length)) = text.split_once('/') else {
        return Some(text.parse::<IpAddr>().ok()?.into());
    };
    let is_number =
        length.bytes().all(|byte| byte.is_ascii_digit()) && !length.starts_with('0') || length == "0";
    let length = is_number.then(|| length.parse().ok())??;
    IpNet::new(address.parse().ok()?, length).ok()
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Cidr {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(network: Cidr) -> Self {
        network.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn network(text: &str) -> Cidr {
        text.parse().expect(text)
    }

    #[test]
    fn a_network_is_written_as_it_is_read() {
        for text in ["0.0.0.0/0", "10.0.0.0/8", "192.0.2.7/32", "::/0", "fd00::/8", "2001:db8::1/128"] {
            assert_eq!(network(text).to_string(), text);
            let json = format!("{text:?}");
            assert_eq!(serde_json::from_str::<Cidr>(&json).expect(text), network(text));
            assert_eq!(serde_json::to_string(&network(text)).expect(text), json);
        }
        assert_eq!(network("192.0.2.7").to_string(), "192.0.2.7/32");
        assert_eq!(network("2001:DB8:0::1").to_string(), "2001:db8::1/128");
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "/",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "10/8",
            "10.0.0/8",
            "010.0.0.0/8",
            "0xa.0.0.0/8",
            "10.0.0.0 /8",
            " 10.0.0.0/8",
            "::/129",
            "::/256",
            "[::1]",
            "fe80::1%eth0",
            "example.com",
            "10.0.0.0/255.0.0.0",
        ] {
            let error = text.parse::<Cidr>().expect_err(text);
            assert_eq!(
                (error.kind(), error.to_string()),
                (Kind::Configuration, format!("{text:?} is not a network"))
            );
            assert!(error.advice().is_some_and(|advice| advice.contains("10.0.0.0/8")));
        }
    }

    #[test]
    fn bits_beyond_the_prefix_are_a_mistake_that_is_shown() {
        for (text, meant) in
            [("10.0.0.1/8", "10.0.0.0/8"), ("fd00::1/8", "fd00::/8"), ("10.1.2.3/0", "0.0.0.0/0")]
        {
            let error = text.parse::<Cidr>().expect_err(text);
            assert_eq!(error.to_string(), format!("{text:?} has bits beyond its prefix"));
            assert!(error.advice().expect("advice").contains(meant), "{text}");
        }
    }

    #[test]
    fn an_ipv4_address_is_in_a_network_however_it_is_written() {
        let network = network("10.0.0.0/8");
        for (address, expected) in [
            ("10.0.0.0", true),
            ("10.255.255.255", true),
            ("::ffff:10.1.2.3", true),
            ("9.255.255.255", false),
            ("11.0.0.0", false),
            ("::ffff:11.0.0.0", false),
            ("a00::", false),
        ] {
            assert_eq!(network.contains(address.parse().expect(address)), expected, "{address}");
        }
        assert!("::ffff:10.0.0.0/104".parse::<Cidr>().is_err(), "it would contain nothing");
        assert!(!self::network("::/0").contains("10.0.0.1".parse().expect("an address")));
    }
}
