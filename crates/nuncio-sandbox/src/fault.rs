//! Misbehaviour on demand.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use nuncio_service::model::Span;

use crate::sandbox::Error;

/// Header texts that are remembered for `times`; older ones are forgotten all at once.
const MAX_HEADER_TEXTS: usize = 100_000;

/// What the token endpoint of a service is called by faults and counts.
pub(crate) const TOKEN_ENDPOINT: &str = "oauth2.token";

/// A way to misbehave, and when.
///
/// Written as what happens, then settings: `429:every=10,retry-after=1`. Semicolons separate as well, as the header `Sandbox-Fault`
/// has them: `429; retry-after=1; times=1`.
///
/// What happens is one of
/// - a status from 400 to 599: the answer is that failure, in the service's shape
/// - `reset`: the connection is closed without an answer
/// - `truncate`: the connection is closed in the middle of the answer
/// - `delay=200ms`: the request waits before anything is done
/// - `expired-token`: the credentials are refused, and an OAuth 2.0 token is worth nothing from now on
/// - `repeat-cursor`: a page is said to be followed by itself
///
/// Settings are
/// - `every=N`: each N-th request of an operation
/// - `rate=P`: a share of requests from 0 to 1, the same ones for the same seed
/// - `times=N`: the first N of them; of a header, the first N requests with the same text
/// - `on=OPERATION`: only requests of this operation, or token requests, which no other fault strikes: `on=oauth2.token`
/// - `after`: the work is done and only the answer is lost (status, `reset`)
/// - `retry-after=SECONDS`, `code=…`, `type=…`, `message=…`: what the failure says
/// - `reset=SECONDS`: the failure says that a limit is used up for so long (`X-RateLimit-Remaining`, `X-RateLimit-Reset`)
/// - `id=…`: nothing, but makes the text of a header another one
///
/// ```
/// use nuncio_sandbox::Fault;
///
/// assert!("429:every=10,retry-after=1".parse::<Fault>().is_ok());
/// let error = "503:often".parse::<Fault>().unwrap_err();
/// assert!(error.starts_with("\"often\" is no setting of a fault"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    kind: Kind,
    on: Option<String>,
    every: Option<u64>,
    rate: Option<f64>,
    times: Option<u64>,
    pub(crate) after: bool,
    pub(crate) saying: Saying,
}

/// What a failure says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Saying {
    pub(crate) retry_after: Option<u64>,
    pub(crate) reset: Option<u64>,
    pub(crate) code: Option<String>,
    pub(crate) class: Option<String>,
    pub(crate) message: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Status(u16),
    Reset,
    Truncate,
    Delay(Duration),
    ExpiredToken,
    RepeatCursor,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split([':', ';', ',']).map(str::trim).filter(|word| !word.is_empty());
        let kind = words.next().unwrap_or_default().parse()?;
        let mut fault = Self {
            kind,
            on: None,
            every: None,
            rate: None,
            times: None,
            after: false,
            saying: Saying::default(),
        };
        for word in words {
            fault.set(word)?;
        }
        Ok(fault)
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "reset" => return Ok(Self::Reset),
            "truncate" => return Ok(Self::Truncate),
            "expired-token" => return Ok(Self::ExpiredToken),
            "repeat-cursor" => return Ok(Self::RepeatCursor),
            _ => {}
        }
        if let Some(span) = word.strip_prefix("delay=") {
            return span.parse::<Span>().map(|span| Self::Delay(span.0));
        }
        let status = word.parse().ok().filter(|status| (400..600).contains(status));
        status.map(Self::Status).ok_or_else(|| {
            format!(
                "{word:?} is no fault: write a status from 400 to 599, reset, truncate, delay=200ms, expired-token or repeat-cursor"
            )
        })
    }
}

impl Fault {
    /// Whether the operation that it is to strike, if it does not strike all, is one of those.
    pub(crate) fn check<'a>(&self, known: impl Iterator<Item = &'a String> + Clone) -> Result<(), Error> {
        match &self.on {
            Some(on) if on != TOKEN_ENDPOINT && !known.clone().any(|known| known == on) => {
                Err(Error::NoOperation { operation: on.clone(), known: known.cloned().collect() })
            }
            _ => Ok(()),
        }
    }

    fn set(&mut self, word: &str) -> Result<(), String> {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let number = || match value.parse() {
            Ok(number) if number > 0 => Ok(Some(number)),
            _ => Err(format!("{word:?} needs a whole number from 1, such as {name}=2")),
        };
        let secs = || match value.parse::<u32>() {
            Ok(secs) => Ok(Some(secs.into())),
            Err(_) => Err(format!("{word:?} needs whole seconds, such as {name}=1")),
        };
        match name {
            "every" => self.every = number()?,
            "times" => self.times = number()?,
            "rate" => {
                let rate = value.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
                self.rate = Some(
                    rate.ok_or_else(|| format!("{word:?} needs a share from 0 to 1, such as rate=0.05"))?,
                );
            }
            "retry-after" => self.saying.retry_after = secs()?,
            "reset" => self.saying.reset = secs()?,
            "on" => self.on = Some(value.to_owned()),
            "code" => self.saying.code = Some(value.to_owned()),
            "type" => self.saying.class = Some(value.to_owned()),
            "message" => self.saying.message = Some(value.to_owned()),
            "after" if value.is_empty() => self.after = true,
            "id" => {}
            _ => {
                return Err(format!(
                    "{word:?} is no setting of a fault: write every=, rate=, times=, on=, after, retry-after=, reset=, code=, type=, message= or id="
                ));
            }
        }
        Ok(())
    }
}

/// All faults of a service, and how often each has struck.
pub(crate) struct Plan {
    faults: Vec<(Fault, u64)>,
    seed: u64,
    by_header: HashMap<String, u64>,
}

impl Plan {
    pub(crate) fn new(faults: &[Fault], seed: u64) -> Self {
        let faults = faults.iter().map(|fault| (fault.clone(), 0)).collect();
        Self { faults, seed, by_header: HashMap::new() }
    }

    /// The faults that strike the `nth` request (from 1) of `operation`, which came with a header that asks for one.
    pub(crate) fn strike(&mut self, operation: &str, nth: u64, asked: Option<(&str, Fault)>) -> Struck {
        let mut struck = Struck::default();
        if let Some((text, fault)) = asked {
            if self.by_header.len() >= MAX_HEADER_TEXTS {
                self.by_header.clear();
            }
            let times = self.by_header.entry(text.to_owned()).or_default();
            if fault.is_due(operation, nth, *times, || self.seed) {
                *times += 1;
                struck.add(&fault);
            }
        }
        for (index, (fault, times)) in self.faults.iter_mut().enumerate() {
            // Chance by the request's number, not by the order of arrival: concurrent requests of other operations change nothing.
            let seed = || seed_of(self.seed, &format!("{index} {operation} {nth}"));
            if fault.is_due(operation, nth, *times, seed) {
                *times += 1;
                struck.add(fault);
            }
        }
        struck
    }
}

impl Fault {
    fn is_due(&self, operation: &str, nth: u64, times: u64, seed: impl Fn() -> u64) -> bool {
        self.on.as_deref().map_or(operation != TOKEN_ENDPOINT, |on| on == operation)
            && self.times.is_none_or(|most| times < most)
            && self.every.is_none_or(|every| nth.is_multiple_of(every))
            && self.rate.is_none_or(|rate| fastrand::Rng::with_seed(seed()).f64() < rate)
    }
}

/// A seed for one purpose of many (FNV-1a).
pub(crate) fn seed_of(seed: u64, purpose: &str) -> u64 {
    let start = seed ^ 0xcbf2_9ce4_8422_2325;
    purpose.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The faults that strike one request.
#[derive(Debug, Default)]
pub(crate) struct Struck {
    pub(crate) delay: Duration,
    pub(crate) expired_token: bool,
    pub(crate) repeat_cursor: bool,
    pub(crate) truncate: bool,
    /// A status or reset.
    pub(crate) failure: Option<(Kind, Fault)>,
}

impl Struck {
    fn add(&mut self, fault: &Fault) {
        match fault.kind {
            Kind::Delay(delay) => self.delay += delay,
            Kind::ExpiredToken => self.expired_token = true,
            Kind::RepeatCursor => self.repeat_cursor = true,
            Kind::Truncate => self.truncate = true,
            Kind::Status(_) | Kind::Reset => {
                self.failure.get_or_insert_with(|| (fault.kind, fault.clone()));
            }
        }
    }

    pub(crate) fn is_any(&self) -> bool {
        !self.delay.is_zero()
            || self.expired_token
            || self.repeat_cursor
            || self.truncate
            || self.failure.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(faults: &[&str]) -> Plan {
        let faults: Vec<Fault> = faults.iter().map(|text| text.parse().expect(text)).collect();
        Plan::new(&faults, 7)
    }

    fn struck_of(plan: &mut Plan, operation: &str, requests: u64) -> Vec<u64> {
        (1..=requests).filter(|nth| plan.strike(operation, *nth, None).is_any()).collect()
    }

    #[test]
    fn every_counts_the_requests_of_an_operation() {
        assert_eq!(struck_of(&mut plan(&["429:every=3"]), "orders.list", 10), [3, 6, 9]);
        assert_eq!(struck_of(&mut plan(&["429:every=3,times=2"]), "orders.list", 10), [3, 6]);
        assert_eq!(struck_of(&mut plan(&["429:on=orders.get"]), "orders.list", 10), [0; 0]);
    }

    #[test]
    fn the_same_seed_strikes_the_same_requests() {
        let struck = struck_of(&mut plan(&["503:rate=0.2"]), "orders.list", 1000);
        assert_eq!(struck, struck_of(&mut plan(&["503:rate=0.2"]), "orders.list", 1000));
        assert_ne!(struck, struck_of(&mut plan(&["503:rate=0.2"]), "orders.get", 1000));
        assert!((150..250).contains(&struck.len()), "{}", struck.len());
    }

    #[test]
    fn times_of_a_header_counts_its_text() {
        let mut plan = plan(&[]);
        let mut strikes =
            |text: &str| plan.strike("x", 1, Some((text, text.parse().unwrap()))).failure.is_some();
        assert!(strikes("503; times=1; id=a"));
        assert!(!strikes("503; times=1; id=a"));
        assert!(strikes("503; times=1; id=b"));
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for text in [
            "",
            "200",
            "slow",
            "delay=5",
            "503:every=0",
            "503:rate=2",
            "429:retry-after=soon",
            "403:reset=-1",
            "503:sometimes",
        ] {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
    }
}
