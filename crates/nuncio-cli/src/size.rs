//! Sizes as people write them.

use std::str::FromStr;

const UNITS: [(&str, usize); 7] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// A number of bytes, written with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) usize);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused =
            || format!("{text:?} is no size: write a number and its unit, such as 500kB, 64MiB, 2GiB");
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).ok_or_else(refused)?);
        let (_, bytes) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(refused)?;
        let number: usize = number.parse().map_err(|_| refused())?;
        number.checked_mul(*bytes).map(Self).ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_needs_its_unit() {
        assert_eq!("500kB".parse(), Ok(Size(500_000)));
        assert_eq!("64MiB".parse(), Ok(Size(64 << 20)));
        for refused in ["64", "MiB", "64mib", "-1B", "1.5MiB", "99999999999999999999B", "99999999999GiB"] {
            assert!(refused.parse::<Size>().is_err(), "{refused}");
        }
    }
}
