//! Dates of EXT-X-PROGRAM-DATE-TIME: ISO 8601 text ⇄ milliseconds since 1970 (RFC 8216bis §4.4.4.6).

use core::fmt;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub i64);

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// The farthest dates that have a text of four digits for the year.
const YEARS: core::ops::RangeInclusive<i64> = 0..=9999;

impl Date {
    /// Reads `2026-11-30T21:05:00.123Z`, or with an offset such as `+01:00`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once(['T', ' '])?;
        let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        if !YEARS.contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
        let (clock, zone) = time.split_at(zone);
        let mut parts = clock.splitn(3, ':');
        let hour: i64 = parts.next()?.parse().ok().filter(|hour| (0..24).contains(hour))?;
        let minute: i64 = parts.next()?.parse().ok().filter(|minute| (0..60).contains(minute))?;
        let second = super::attributes::seconds(parts.next().unwrap_or("0"))?.as_millis();
        let second = i64::try_from(second).ok().filter(|ms| *ms < 61_000)?;
        let offset = match zone.split_at_checked(1) {
            None | Some(("Z", _)) => 0,
            Some((sign, rest)) => {
                let (hours, minutes) = match rest.split_once(':') {
                    Some(pair) => pair,
                    None => rest.split_at_checked(2)?,
                };
                let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().unwrap_or(0);
                if sign == "-" { -minutes } else { minutes }
            }
        };
        Some(Self(days(year, month, day) * DAY + ((hour * 60 + minute) - offset) * 60_000 + second))
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; years begin in March, so that the leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, ms) = (self.0.div_euclid(DAY) + 719_468, self.0.rem_euclid(DAY));
        let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let (day, month) = (of_year - (153 * month + 2) / 5 + 1, (month + 2) % 12 + 1);
        let year = year + era * 400 + i64::from(month <= 2);
        let (hour, minute) = (ms / 3_600_000, ms / 60_000 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}.{:03}Z", ms / 1000 % 60, ms % 1000)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn dates_go_both_ways() {
        for (text, ms) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2000-02-29T12:34:56.789Z", 951_827_696_789),
            ("2026-11-30T21:05:00.123Z", 1_796_072_700_123),
            ("1969-12-31T23:59:59.999Z", -1),
        ] {
            assert_eq!(Date(ms).to_string(), text);
            assert_eq!(Date::parse(text), Some(Date(ms)));
        }
        assert_eq!(Date::parse("2026-11-30T22:05:00+01:00"), Date::parse("2026-11-30T21:05:00Z"));
        assert_eq!(Date::parse("2026-11-30T22:05:00.5-0130"), Date::parse("2026-11-30T23:35:00.500Z"));
        assert!(
            ["", "T", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "1-1T1"].iter().all(|t| Date::parse(t).is_none())
        );
    }
}
