//! Timestamps of RFC 3339 in UTC, as answers have them in their JSON: `2025-07-31T21:38:16Z`.

use std::time::Duration;

use super::http_date::{number, since_epoch_of};

/// Time from 1970 to the timestamp, a fraction of a second rounded up, for whoever waits for it must not be early. Nothing for another
/// zone than UTC.
pub(crate) fn since_epoch(text: &str) -> Option<Duration> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let time = time.strip_suffix(['Z', 'z']).or_else(|| time.strip_suffix("+00:00"))?;
    let (time, fraction) =
        time.split_once('.').map_or((time, Duration::ZERO), |(time, _)| (time, Duration::from_secs(1)));
    let mut parts = date.splitn(3, '-');
    let (year, month, day) =
        (number(parts.next()?, 4..=4)?, number(parts.next()?, 2..=2)?, number(parts.next()?, 2..=2)?);
    let month = usize::try_from(month - 1).ok().filter(|month| *month < 12)?;
    Some(since_epoch_of(year, month, day, time)? + fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_is_read_in_its_usual_spellings() {
        for text in [
            "2025-07-31T21:38:16Z",
            "2025-07-31t21:38:16z",
            "2025-07-31 21:38:16+00:00",
            "2025-07-31T21:38:15.2Z",
        ] {
            assert_eq!(since_epoch(text), Some(Duration::from_secs(1_753_997_896)), "{text}");
        }
    }

    #[test]
    fn what_has_no_sure_meaning_is_nothing() {
        for text in [
            "",
            "1753997896",
            "2025-07-31",
            "2025-07-31T21:38:16",
            "2025-07-31T21:38:16+02:00",
            "2025-00-31T21:38:16Z",
            "2025-13-01T21:38:16Z",
            "2025-02-30T21:38:16Z",
            "2025-07-31T24:00:00Z",
        ] {
            assert_eq!(since_epoch(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_in_the_shape_of_a_timestamp_panics(text in "[0-9]{0,5}-[0-9]{0,3}-[0-9]{0,3}[Tt ][0-9:.é]{0,12}(Z|\\+00:00)?") {
            let _ = since_epoch(&text);
        }
    }
}
