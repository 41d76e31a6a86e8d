//! When a schedule is due.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use cronexpr::{Crontab, MakeTimestamp, parse_crontab};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use nuncio_client::Error;

use crate::settings;

/// The words for common times.
const WORDS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// How many changes of the clock are looked behind for the next time: there are no two without a match between them, but for rare ones.
const MAX_CHANGES: usize = 100;

/// When a schedule is due.
#[derive(Debug)]
pub struct Timing {
    rule: Rule,
    jitter: Duration,
    /// Another text, other times.
    text: String,
}

#[derive(Debug)]
enum Rule {
    Every(i64),
    Cron {
        /// What it says of wall clocks. Its own time zone is UTC, as which wall clocks are given to it.
        crontab: Box<Crontab>,
        zone: TimeZone,
        /// Whether it names times of the day, rather than a rhythm.
        is_fixed: bool,
    },
}

impl Timing {
    /// When a schedule of these settings is due.
    ///
    /// # Errors
    /// [`Kind::Configuration`](nuncio_client::Kind::Configuration) for what is no time or no time zone, and for times that never come.
    pub fn new(settings: &settings::Schedule) -> Result<Self, Error> {
        let zone = settings.time_zone.as_deref();
        let (rule, text) = match (&settings.cron, settings.every) {
            (Some(cron), None) => {
                (parse(cron, zone.unwrap_or("UTC"))?, format!("{cron} {}", zone.unwrap_or("UTC")))
            }
            (None, Some(_)) if zone.is_some() => {
                return Err(Error::configuration("`every` counts from 1970 and knows no `time_zone`"));
            }
            (None, Some(every)) => {
                let millis = i64::try_from(every.0.as_millis()).unwrap_or(i64::MAX);
                if millis < 1000 {
                    return Err(Error::configuration("`every` is at least 1s"));
                }
                (Rule::Every(millis), every.to_string())
            }
            _ => return Err(Error::configuration("one of `cron` and `every` says when it is due")),
        };
        let timing = Self { rule, jitter: settings.jitter.0, text };
        if timing.next_after(Timestamp::UNIX_EPOCH).is_none() {
            return Err(Error::configuration("it is never due: no day is like that"));
        }
        Ok(timing)
    }

    /// What it is, for comparisons.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The first time after this one that it is due. `None`: there is none within some years.
    #[must_use]
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.rule {
            Rule::Every(millis) => {
                let next = after.as_millisecond().div_euclid(*millis).checked_add(1)?.checked_mul(*millis)?;
                Timestamp::from_millisecond(next).ok()
            }
            Rule::Cron { crontab, zone, is_fixed: true } => next_fixed(crontab, zone, after),
            Rule::Cron { crontab, zone, is_fixed: false } => next_in_rhythm(crontab, zone, after),
        }
    }

    /// When the run begins that is due at this time: later by a part of the jitter, the same one each time.
    pub(super) fn begins(&self, name: &str, due: Timestamp) -> Timestamp {
        let digest = digest(&SHA256, format!("{name}\n{}", due.as_millisecond()).as_bytes());
        let draw = digest.as_ref()[..4].iter().fold(0_u32, |draw, byte| draw << 8 | u32::from(*byte));
        let later = self.jitter.mul_f64(f64::from(draw) / (f64::from(u32::MAX) + 1.0));
        SignedDuration::try_from(later).ok().and_then(|later| due.checked_add(later).ok()).unwrap_or(due)
    }
}

fn parse(cron: &str, zone: &str) -> Result<Rule, Error> {
    let zone = TimeZone::get(zone).map_err(|error| {
        Error::configuration(format!("there is no time zone {zone:?}"))
            .because(error)
            .advise("write it as the IANA does: Europe/Berlin")
    })?;
    let word = WORDS.iter().find(|(word, _)| cron.trim().eq_ignore_ascii_case(word));
    let text = word.map_or(cron, |(_, meant)| meant);
    let fields: Vec<_> = text.split_whitespace().collect();
    if fields.len() != 5 {
        return Err(Error::configuration(format!(
            "{cron:?} is no time: it has five fields (minute, hour, day of the month, month, day of the week) or is one of {}",
            WORDS.map(|(word, _)| word).join(", ")
        )));
    }
    let crontab = parse_crontab(&format!("{} UTC", fields.join(" "))).map_err(|error| {
        let told = error.to_string();
        Error::configuration(format!(
            "{cron:?} is no time: {}",
            told.lines().map(str::trim).collect::<Vec<_>>().join(" ")
        ))
    })?;
    let is_fixed = !fields[..2].iter().any(|field| field.starts_with('*'));
    Ok(Rule::Cron { crontab: Box::new(crontab), zone, is_fixed })
}

/// The first wall clock after this one that matches.
fn next_wall(crontab: &Crontab, after: DateTime) -> Option<DateTime> {
    let as_utc = TimeZone::UTC.to_timestamp(after).ok()?;
    Some(crontab.find_next(MakeTimestamp(as_utc)).ok()?.datetime())
}

/// Of a rule that names times of the day. One that the clock jumps over comes as soon as it has; one that it shows twice comes the first time.
fn next_fixed(crontab: &Crontab, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let mut wall = zone.to_datetime(after);
    loop {
        wall = next_wall(crontab, wall)?;
        let at = match zone.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
                offset.to_timestamp(wall).ok()?
            }
            AmbiguousOffset::Gap { before, .. } => {
                let within = before.to_timestamp(wall).ok()?.checked_add(SECOND).ok()?;
                zone.preceding(within).next()?.timestamp()
            }
        };
        if at > after {
            return Some(at);
        }
    }
}

/// Of a rule with `*` for minutes or hours: it goes on with real time, and what the clock shows twice matches twice.
fn next_in_rhythm(crontab: &Crontab, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let offset = zone.to_offset(after);
    let (mut since, mut offset, mut wall) = (after, offset, offset.to_datetime(after));
    for _ in 0..MAX_CHANGES {
        let at = offset.to_timestamp(next_wall(crontab, wall)?).ok()?;
        let change = zone.following(since).next().filter(|change| change.timestamp() <= at);
        let Some(change) = change else { return Some(at) };
        // From there on the wall clock is another one. Its first second counts.
        since = change.timestamp();
        offset = change.offset();
        wall = offset.to_datetime(since).checked_sub(SECOND).ok()?;
    }
    None
}
