//! When a delivery that failed is tried again.

use std::time::Duration;

use nuncio_client::Random;
use nuncio_service::model::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const SECOND: u64 = 1;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// The waits between the attempts to deliver one event: after as many failures as there are waits, and one more, it is given up. Or one wait that
/// goes on as long as the event may be tried, written `{ every: 1h }`; it is 100 ms at least.
///
/// By default those that Standard Webhooks recommends (specification, "Deliverability and reliability"): 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h,
/// 20 h, 24 h; ten attempts in a little over three days. Each wait is lengthened by up to a tenth, so that what failed together does not come
/// back together.
///
/// ```
/// use std::time::Duration;
/// use nuncio_client::Random;
/// use nuncio_relay::Waits;
///
/// let waits = Waits::default();
/// let first = waits.wait(1, &Random::seeded(1)).unwrap();
/// assert!(first >= Duration::from_secs(5) && first < Duration::from_millis(5_500));
/// assert_eq!(waits.wait(10, &Random::seeded(1)), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Waits(Form);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a schedule is a list of waits, such as [5s, 5m], or { every: 1h }")]
enum Form {
    Listed(Vec<Span>),
    Same(Every),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Every {
    /// The wait, which goes on as long as the event may be tried.
    every: Span,
}

/// A shorter wait between two attempts would keep a processor busy.
const MIN_EVERY: Duration = Duration::from_millis(100);

impl Waits {
    /// These waits.
    #[must_use]
    pub fn new(waits: impl IntoIterator<Item = Duration>) -> Self {
        Self(Form::Listed(waits.into_iter().map(Span).collect()))
    }

    /// This wait, again and again.
    #[must_use]
    pub fn every(wait: Duration) -> Self {
        Self(Form::Same(Every { every: Span(wait) }))
    }

    /// How long to wait after attempt `number`, counted from 1, has failed. `None`: it was the last.
    #[must_use]
    pub fn wait(&self, number: u32, random: &Random) -> Option<Duration> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let wait = match &self.0 {
            Form::Listed(waits) => waits.get(index)?.0,
            Form::Same(Every { every }) => every.0.max(MIN_EVERY),
        };
        Some(wait + random.below(wait / 10))
    }
}

impl Default for Waits {
    fn default() -> Self {
        let waits = [
            5 * SECOND,
            5 * MINUTE,
            30 * MINUTE,
            2 * HOUR,
            5 * HOUR,
            10 * HOUR,
            14 * HOUR,
            20 * HOUR,
            24 * HOUR,
        ];
        Self::new(waits.map(Duration::from_secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wait_goes_on_for_ever() {
        let waits: Waits = serde_json::from_str(r#"{"every": "2s"}"#).unwrap();
        assert_eq!(waits, Waits::every(Duration::from_secs(2)));
        let wait = waits.wait(1_000_000, &Random::seeded(1)).unwrap();
        assert!(wait >= Duration::from_secs(2) && wait < Duration::from_millis(2_200), "{wait:?}");
        assert!(Waits::every(Duration::ZERO).wait(1, &Random::seeded(1)).unwrap() >= MIN_EVERY);
    }

    #[test]
    fn a_list_ends() {
        let waits: Waits = serde_json::from_str(r#"["1s"]"#).unwrap();
        assert!(waits.wait(1, &Random::seeded(1)).is_some());
        assert_eq!(waits.wait(2, &Random::seeded(1)), None);
    }

    #[test]
    fn what_is_no_schedule_is_told() {
        let error = serde_json::from_str::<Waits>(r#"{"each": "2s"}"#).unwrap_err().to_string();
        assert!(error.contains("{ every: 1h }"), "{error}");
    }
}
