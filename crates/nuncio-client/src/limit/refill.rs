//! How fast tokens come back.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use crate::Error;

/// So many tokens per so much time, spread evenly: `25/s` is one token each 40 ms.
///
/// Written `TOKENS/PERIOD`, where the period is `s`, `m`, `h` or `d` with an optional number before it: `25/s`, `5000/h`, `100/15m`.
///
/// ```
/// use nuncio_client::limit::Refill;
///
/// let refill: Refill = "100/15m".parse()?;
/// assert_eq!(refill.to_string(), "100/15m");
/// assert_eq!(
///     "25 per second".parse::<Refill>().unwrap_err().to_string(),
///     r#"the refill "25 per second" is not TOKENS/PERIOD"#,
/// );
/// # Ok::<(), nuncio_client::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refill {
    tokens: NonZeroU32,
    period_secs: NonZeroU32,
}

const NANOS_PER_SEC: u128 = 1_000_000_000;

/// Longest first, so that a period is shown in its largest whole unit.
const UNITS: [(char, u32); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Refill {
    /// `tokens` in each period of `period_secs` seconds.
    #[must_use]
    pub const fn new(tokens: NonZeroU32, period_secs: NonZeroU32) -> Self {
        Self { tokens, period_secs }
    }

    /// `tokens` a second.
    #[must_use]
    pub const fn per_second(tokens: NonZeroU32) -> Self {
        Self::new(tokens, NonZeroU32::MIN)
    }

    /// The tokens of one period.
    #[must_use]
    pub const fn tokens(self) -> NonZeroU32 {
        self.tokens
    }

    /// `tokens` in the unit in which accrual is exact: each nanosecond brings a whole number of shares, and a token is as many of
    /// them as the period has nanoseconds.
    pub(super) fn shares(self, tokens: u64) -> u128 {
        u128::from(tokens) * u128::from(self.period_secs.get()) * NANOS_PER_SEC
    }

    /// Shares that come back in `elapsed`.
    pub(super) fn accrued(self, elapsed: Duration) -> u128 {
        elapsed.as_nanos().saturating_mul(u128::from(self.tokens.get()))
    }

    /// The least time in which `shares` come back.
    pub(super) fn time_for(self, shares: u128) -> Duration {
        let nanos = shares.div_ceil(u128::from(self.tokens.get()));
        let secs = u64::try_from(nanos / NANOS_PER_SEC).unwrap_or(u64::MAX);
        Duration::new(secs, (nanos % NANOS_PER_SEC) as u32)
    }
}

impl FromStr for Refill {
    type Err = Error;

    /// # Errors
    /// [`Kind::Configuration`](crate::Kind::Configuration) for another form, no tokens, or a period of zero or more than 136 years.
    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| {
            Error::configuration(format!("the refill {text:?} is not TOKENS/PERIOD"))
                .advise("write it such as 25/s, 600/m, 5000/h, 100/15m")
        })
    }
}

fn parse(text: &str) -> Option<Refill> {
    let (tokens, period) = text.split_once('/')?;
    let unit = period.chars().last()?;
    let (_, unit_secs) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let count = match &period[..period.len() - 1] {
        "" => 1,
        digits => number(digits)?,
    };
    let period_secs = count.checked_mul(*unit_secs)?;
    Some(Refill::new(NonZeroU32::new(number(tokens)?)?, NonZeroU32::new(period_secs)?))
}

/// Digits alone: `parse` would take a sign too.
fn number(digits: &str) -> Option<u32> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

impl fmt::Display for Refill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, unit_secs) = UNITS
            .into_iter()
            .find(|(_, secs)| self.period_secs.get().is_multiple_of(*secs))
            .expect("every period is a number of seconds");
        match self.period_secs.get() / unit_secs {
            1 => write!(f, "{}/{unit}", self.tokens),
            count => write!(f, "{}/{count}{unit}", self.tokens),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refill_survives_being_written_and_read() {
        for text in ["25/s", "600/m", "5000/h", "1/d", "100/15m", "7/90s", "4294967295/136d"] {
            assert_eq!(text.parse::<Refill>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn nothing_per_time_and_something_per_no_time_are_refused() {
        for text in [
            "", "25", "25/", "/s", "0/s", "1/0s", "-1/s", "+1/s", "1/+1s", "1/ms", "1/é", "1/50000d", "1.5/s",
        ] {
            assert!(text.parse::<Refill>().is_err(), "{text}");
        }
    }
}
