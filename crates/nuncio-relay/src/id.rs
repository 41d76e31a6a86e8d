//! Names of events and deliveries.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use nuncio_client::Random;
use serde::{Deserialize, Serialize};

/// The digits of Crockford's base 32: without I, L, O and U, so that none is taken for another.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 128 bits, 5 a digit.
const LENGTH: usize = 26;

const PREFIX: &str = "evt_";

/// The id of an event: what a receiver tells one event from another by, the same on every attempt to deliver it.
///
/// It begins with the time, in milliseconds, and ends in 80 random bits, so that ids sort by age and no two machines have to agree on them.
///
/// ```
/// use jiff::Timestamp;
/// use nuncio_client::Random;
/// use nuncio_relay::EventId;
///
/// let id = EventId::new(Timestamp::from_millisecond(1_760_000_000_000)?, &Random::seeded(1));
/// assert_eq!(id.to_string().parse(), Ok(id));
/// assert!(id.to_string().starts_with("evt_01K7"));
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventId(u128);

/// A text that is no id of an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no id of an event: one looks like evt_01K74Z2E000000000000000000")]
pub struct NotAnEventId(String);

impl EventId {
    /// A new id, of an event of this time.
    #[must_use]
    pub fn new(at: Timestamp, random: &Random) -> Self {
        let millis = u128::try_from(at.as_millisecond()).unwrap_or_default();
        Self(millis << 80 | random.bits() >> 48)
    }

    /// Its bytes, which sort as the id does.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The id of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; LENGTH];
        for (place, digit) in text.iter_mut().rev().enumerate() {
            *digit = DIGITS[(self.0 >> (5 * place) & 31) as usize];
        }
        f.write_str(PREFIX)?;
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for EventId {
    type Err = NotAnEventId;

    fn from_str(text: &str) -> Result<Self, NotAnEventId> {
        let read = |digits: &str| {
            // The first of 26 digits has three bits to give.
            if digits.len() != LENGTH || digits.as_bytes()[0] > b'7' {
                return None;
            }
            digits.bytes().try_fold(0_u128, |read, digit| {
                let value = DIGITS.iter().position(|known| *known == digit)?;
                Some(read << 5 | value as u128)
            })
        };
        text.strip_prefix(PREFIX).and_then(read).map(Self).ok_or_else(|| NotAnEventId(text.to_owned()))
    }
}

impl TryFrom<String> for EventId {
    type Error = NotAnEventId;

    fn try_from(text: String) -> Result<Self, NotAnEventId> {
        text.parse()
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> Self {
        id.to_string()
    }
}

/// The number of a delivery. Later ones have higher numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(pub u64);

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DeliveryId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_id_is_read_as_it_was_written(bits: u128) {
            let id = EventId(bits);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(EventId::from_bytes(id.to_bytes()), id);
        }

        #[test]
        fn ids_sort_as_their_texts_and_bytes_do(one: u128, other: u128) {
            let (one, other) = (EventId(one), EventId(other));
            prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
            prop_assert_eq!(one.cmp(&other), one.to_bytes().cmp(&other.to_bytes()));
        }

        #[test]
        fn no_text_is_too_odd_to_be_refused(text: String) {
            if let Ok(id) = text.parse::<EventId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn a_digit_too_many_is_no_id() {
        assert!("evt_80000000000000000000000000".parse::<EventId>().is_err());
        assert!("evt_7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<EventId>().is_ok());
    }
}
