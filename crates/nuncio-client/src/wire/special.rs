//! Addresses that are not public, and what they are for.
//!
//! The rows are those of IANA's registries of special-purpose addresses (RFC 6890 and 8190, as of 2025) that are not globally reachable, with
//! these departures, each to the safe side:
//!
//! - 192.0.0.0/24 and 2001::/23 are taken whole. What is reachable in them (192.0.0.9, 192.0.0.10, 2001:1::1 and others) is an anycast
//!   address of the nearest router, or identifies no host. Oracle's cloud has metadata at 192.0.0.192.
//! - Tunnels (6to4, Teredo) are not public whatever IPv4 address is in them: whether a packet gets to that address is up to the tunnel.
//! - IPv6 outside of 2000::/3 is not public, listed or not: nothing else is assigned as global unicast (RFC 4291, section 2.4).
//! - Multicast, which the registries leave to others, and the address by which Azure's platform is reached from within.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// What `address` is set aside for; nothing for a public one.
pub(super) fn purpose(address: IpAddr) -> Option<&'static str> {
    let address = destination(address);
    SPECIAL.iter().find(|(network, _)| network.contains(&address)).map(|(_, purpose)| *purpose)
}

/// Where packets to `address` end up: of an IPv6 address that stands for an IPv4 one, that is mapped (RFC 4291, section 2.5.5.2) or
/// translated by NAT64 (RFC 6052, section 2.1), the IPv4 address.
pub(super) fn destination(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(translated) if NAT64.contains(&translated) => {
            let [.., a, b, c, d] = translated.octets();
            Ipv4Addr::new(a, b, c, d).into()
        }
        other => other,
    }
}

const NAT64: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// The first that contains an address counts.
const SPECIAL: [(IpNet, &str); 35] = [
    (v4([0, 0, 0, 0], 8), "this network (RFC 791)"),
    (v4([10, 0, 0, 0], 8), "a private address (RFC 1918)"),
    (v4([100, 64, 0, 0], 10), "an address shared behind carrier-grade NAT (RFC 6598)"),
    (v4([127, 0, 0, 0], 8), "a loopback address (RFC 1122)"),
    (v4([168, 63, 129, 16], 32), "the address of Azure's platform"),
    // Where most clouds have their metadata: 169.254.169.254.
    (v4([169, 254, 0, 0], 16), "a link-local address (RFC 3927)"),
    (v4([172, 16, 0, 0], 12), "a private address (RFC 1918)"),
    (v4([192, 0, 0, 0], 24), "set aside for protocols (RFC 6890)"),
    (v4([192, 0, 2, 0], 24), "an address for documentation (RFC 5737)"),
    (v4([192, 88, 99, 0], 24), "the anycast address of 6to4 relays (RFC 7526)"),
    (v4([192, 168, 0, 0], 16), "a private address (RFC 1918)"),
    (v4([198, 18, 0, 0], 15), "an address for benchmarks (RFC 2544)"),
    (v4([198, 51, 100, 0], 24), "an address for documentation (RFC 5737)"),
    (v4([203, 0, 113, 0], 24), "an address for documentation (RFC 5737)"),
    (v4([224, 0, 0, 0], 4), "a multicast address (RFC 5771)"),
    (v4([255, 255, 255, 255], 32), "the broadcast address (RFC 919)"),
    (v4([240, 0, 0, 0], 4), "a reserved address (RFC 1112)"),
    (IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128)), "the unspecified address (RFC 4291)"),
    (IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)), "the loopback address (RFC 4291)"),
    (v6([0x64, 0xff9b, 1, 0], 48), "an address for translation within a network (RFC 8215)"),
    (v6([0x100, 0, 0, 0], 64), "an address to discard to (RFC 6666)"),
    (v6([0x100, 0, 0, 1], 64), "a dummy address (RFC 9780)"),
    (v6([0x2001, 0, 0, 0], 32), "the address of a Teredo tunnel (RFC 4380)"),
    (v6([0x2001, 0, 0, 0], 23), "set aside for protocols (RFC 2928)"),
    (v6([0x2001, 0xdb8, 0, 0], 32), "an address for documentation (RFC 3849)"),
    (v6([0x2002, 0, 0, 0], 16), "the address of a 6to4 tunnel (RFC 3056)"),
    (v6([0x3fff, 0, 0, 0], 20), "an address for documentation (RFC 9637)"),
    (v6([0x5f00, 0, 0, 0], 16), "a segment identifier (RFC 9602)"),
    // Where clouds have their metadata: fd00:ec2::254, fd20:ce::254.
    (v6([0xfc00, 0, 0, 0], 7), "a unique local address (RFC 4193)"),
    (v6([0xfe80, 0, 0, 0], 10), "a link-local address (RFC 4291)"),
    (v6([0xfec0, 0, 0, 0], 10), "a site-local address (RFC 3879)"),
    (v6([0xff00, 0, 0, 0], 8), "a multicast address (RFC 4291)"),
    // The rest but 2000::/3.
    (v6([0, 0, 0, 0], 3), UNASSIGNED),
    (v6([0x4000, 0, 0, 0], 2), UNASSIGNED),
    (v6([0x8000, 0, 0, 0], 1), UNASSIGNED),
];

const UNASSIGNED: &str = "no global unicast address (RFC 4291)";

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length))
}

const fn v6([a, b, c, d]: [u16; 4], length: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), length))
}
