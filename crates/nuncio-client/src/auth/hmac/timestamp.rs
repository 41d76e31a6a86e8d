//! How the time of a signature is written.

use std::time::Duration;

/// How a timestamp is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimestampFormat {
    /// Whole seconds since 1970: `1760000000`. The default.
    #[default]
    Seconds,
    /// Whole milliseconds since 1970: `1760000000000`.
    Milliseconds,
    /// Date and time in UTC with whole seconds (RFC 3339): `2025-10-09T08:53:20Z`.
    Rfc3339,
}

impl TimestampFormat {
    /// The time that is `since_epoch` after 1970-01-01T00:00:00Z, written so.
    #[must_use]
    pub fn write(self, since_epoch: Duration) -> String {
        match self {
            Self::Seconds => since_epoch.as_secs().to_string(),
            Self::Milliseconds => since_epoch.as_millis().to_string(),
            Self::Rfc3339 => rfc3339(since_epoch.as_secs()),
        }
    }
}

fn rfc3339(secs: u64) -> String {
    let (year, month, day) = date(secs / 86_400);
    let (hour, minute, second) = (secs / 3600 % 24, secs / 60 % 60, secs % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day, counted in years that begin in March, so that the leap day is the last
/// (Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`).
fn date(days_since_epoch: u64) -> (u64, u64, u64) {
    let days = days_since_epoch + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_each_format() {
        let time = Duration::from_millis(1_760_000_000_999);
        assert_eq!(TimestampFormat::Seconds.write(time), "1760000000");
        assert_eq!(TimestampFormat::Milliseconds.write(time), "1760000000999");
        assert_eq!(TimestampFormat::Rfc3339.write(time), "2025-10-09T08:53:20Z");
    }

    #[test]
    fn every_date_is_the_one_that_http_writes() {
        let at = |day: u64| std::time::UNIX_EPOCH + Duration::from_secs(day * 86_400);
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        for days in 0..=60_000 {
            let (year, month, day) = date(days);
            let written = format!("{day:02} {} {year}", months[usize::try_from(month).unwrap() - 1]);
            assert_eq!(&httpdate::fmt_http_date(at(days))[5..16], written);
        }
    }
}
