//! The guard against IANA's registries of special-purpose addresses, read by other code than ours, and against two libraries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use nuncio_client::wire::{Cidr, Guard};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    blocks: Vec<Row>,
    verdicts: Vec<(IpAddr, bool, bool)>,
}

#[derive(Deserialize)]
struct Row {
    block: String,
    /// Nothing where the registry says N/A.
    reachable: Option<bool>,
}

static VECTORS: LazyLock<Vectors> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../vectors/special-purpose-addresses.json")).expect("valid")
});

/// The numbers of a block's first and last address, and the bits of an address.
struct Block {
    first: u128,
    last: u128,
    bits: u32,
    is_reachable: bool,
}

static BLOCKS: LazyLock<Vec<Block>> = LazyLock::new(|| VECTORS.blocks.iter().map(Block::of).collect());

fn ours(address: IpAddr) -> bool {
    Guard::default().allows(address)
}

/// An address, or the address of a network, as a number, and how many bits that has.
fn number(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(four) => (u32::from(four).into(), 32),
        IpAddr::V6(six) => (six.into(), 128),
    }
}

impl Block {
    fn of(row: &Row) -> Self {
        let (first, length) = row.block.split_once('/').expect("a network");
        let (first, bits) = number(first.parse().expect("an address"));
        let free = bits - length.parse::<u32>().expect("a length");
        let last = first + ((1_u128 << free) - 1);
        Self { first, last, bits, is_reachable: row.reachable == Some(true) }
    }

    /// The address of that number.
    fn address(&self, number: u128) -> IpAddr {
        if self.bits == 32 { Ipv4Addr::from(number as u32).into() } else { Ipv6Addr::from(number).into() }
    }
}

/// By the registries and what the guard departs from them in.
fn expected(address: IpAddr) -> bool {
    let (number, bits) = number(address);
    match bits {
        32 if number >> 28 == 0xe || number == 0xa83f_8110 || number >> 8 == 0xc0_0000 => return false,
        32 => {}
        // Stands for an IPv4 address.
        _ if number >> 32 == 0xffff || number >> 32 == 0x64_ff9b << 64 => {
            return expected(Ipv4Addr::from(number as u32).into());
        }
        _ if number >> 125 != 1 || number >> 105 == 0x2001_0000 >> 9 => return false,
        _ => {}
    }
    let holding =
        BLOCKS.iter().filter(|block| block.bits == bits && (block.first..=block.last).contains(&number));
    let most_specific = holding.min_by_key(|block| block.last - block.first);
    most_specific.is_none_or(|block| block.is_reachable)
}

#[test]
fn what_the_registries_do_not_call_reachable_is_not_public_to_its_ends() {
    let mapped = number("::ffff:0:0".parse().expect("an address")).0;
    let unreachable = BLOCKS.iter().filter(|block| !block.is_reachable && block.first != mapped);
    assert_eq!(unreachable.clone().count(), 36, "the blocks are read");
    for block in unreachable {
        for number in [block.first, block.first + (block.last - block.first) / 3, block.last] {
            assert!(!ours(block.address(number)), "{}", block.address(number));
        }
    }
}

#[test]
fn each_address_of_the_list_is_judged_as_the_registries_say() {
    for (address, ..) in &VECTORS.verdicts {
        assert_eq!(ours(*address), expected(*address), "{address}");
    }
    let public = VECTORS.verdicts.iter().filter(|(address, ..)| ours(*address)).count();
    assert!(public > 300 && VECTORS.verdicts.len() - public > 300, "{public} of {}", VECTORS.verdicts.len());
}

/// Where a judge differs, and why.
struct Difference {
    judge: &'static str,
    ours: bool,
    networks: &'static [&'static str],
    why: &'static str,
}

const DIFFERENCES: [Difference; 12] = [
    Difference { judge: "netaddr", ours: false, networks: &["224.0.0.0/4"], why: "multicast is no host" },
    Difference {
        judge: "netaddr",
        ours: false,
        networks: &["192.0.0.0/24", "2001::/23"],
        why: "anycast of the nearest router, or no host",
    },
    Difference { judge: "netaddr", ours: false, networks: &["192.88.99.0/24"], why: "a deprecated relay" },
    Difference { judge: "netaddr", ours: false, networks: &["168.63.129.16"], why: "Azure's platform" },
    Difference { judge: "netaddr", ours: false, networks: &["3fff::/20"], why: "younger than the library" },
    Difference {
        judge: "netaddr",
        ours: false,
        networks: &["64:ff9b::/96"],
        why: "the IPv4 address behind the translation is not public",
    },
    Difference {
        judge: "netaddr",
        ours: false,
        networks: &["::/3", "4000::/2", "8000::/1"],
        why: "no global unicast is assigned there",
    },
    Difference { judge: "netaddr", ours: true, networks: &["mapped"], why: "the IPv4 address counts" },
    Difference { judge: "ipaddr.js", ours: false, networks: &["168.63.129.16"], why: "Azure's platform" },
    Difference {
        judge: "ipaddr.js",
        ours: false,
        networks: &["::/3", "4000::/2", "8000::/1", "2001::/23"],
        why: "nothing is assigned there",
    },
    Difference {
        judge: "ipaddr.js",
        ours: true,
        networks: &["192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24", "2620:4f:8000::/48"],
        why: "globally reachable by the registries",
    },
    Difference {
        judge: "ipaddr.js",
        ours: true,
        networks: &["mapped", "64:ff9b::/96"],
        why: "the IPv4 address counts",
    },
];

impl Difference {
    fn explains(&self, judge: &str, ours: bool, address: IpAddr) -> bool {
        let is_mapped = address != address.to_canonical();
        let within = |network: &&str| match *network {
            "mapped" => is_mapped,
            network => !is_mapped && network.parse::<Cidr>().expect(network).contains(address),
        };
        self.judge == judge && self.ours == ours && self.networks.iter().any(within)
    }
}

#[test]
fn two_libraries_agree_but_for_what_has_a_reason() {
    let mut met = [false; DIFFERENCES.len()];
    for (address, netaddr, ipaddr_js) in &VECTORS.verdicts {
        let ours = ours(*address);
        for (judge, theirs) in [("netaddr", *netaddr), ("ipaddr.js", *ipaddr_js)] {
            if theirs == ours {
                continue;
            }
            let reason = DIFFERENCES.iter().position(|difference| difference.explains(judge, ours, *address));
            let reason = reason.unwrap_or_else(|| panic!("{judge} says {theirs} of {address}"));
            met[reason] = true;
        }
    }
    for (difference, met) in DIFFERENCES.iter().zip(met) {
        assert!(met, "{} does not differ: {}", difference.judge, difference.why);
    }
}

/// Addresses all over, half of them in a block of the registries or next to it.
fn addresses() -> impl Strategy<Value = IpAddr> {
    let near = (any::<prop::sample::Index>(), any::<u128>(), -2_i8..3).prop_map(|(block, inner, step)| {
        let block = block.get(&BLOCKS);
        let inside = block.first + inner % (block.last - block.first + 1);
        let edge = [inside, block.first, block.last][(inner % 3) as usize];
        block.address(edge.wrapping_add_signed(step.into()))
    });
    prop_oneof![
        2 => near,
        1 => any::<u32>().prop_map(|number| IpAddr::from(Ipv4Addr::from(number))),
        1 => any::<u128>().prop_map(|number| IpAddr::from(Ipv6Addr::from(number >> 3 | 1 << 125))),
        1 => any::<u32>().prop_map(|number| Ipv4Addr::from(number).to_ipv6_mapped().into()),
        1 => any::<u32>().prop_map(|number| Ipv6Addr::from(0x64_ff9b << 96 | u128::from(number)).into()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn any_address_is_judged_as_the_registries_say(address in addresses()) {
        prop_assert_eq!(ours(address), expected(address));
    }
}
