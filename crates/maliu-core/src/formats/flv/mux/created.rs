//! The tag `creation_time` in the one form that is written: ISO 8601 in UTC with microseconds (FLV-16).

use alloc::{format, string::String};

/// The normal form of a date with a time; `None` for other text. Without a zone it counts as UTC.
pub(super) fn normal(text: &str) -> Option<String> {
    let mut rest = Scan(text.trim_start());
    let year = rest.number(4)?;
    let dashes = rest.skip('-');
    let month = rest.number(2).filter(|month| (1..=12).contains(month))?;
    if dashes != rest.skip('-') {
        return None;
    }
    let day = rest.number(2).filter(|day| (1..=31).contains(day))?;
    let (mut clock, mut micros) = ([0; 3], 0);
    if rest.skip('T') || rest.skip('t') || rest.skip_spaces() {
        if rest.0.is_empty() {
            return None;
        }
        clock[0] = rest.number(2).filter(|hour| *hour < 24)?;
        let colons = rest.skip(':');
        clock[1] = rest.number(2).filter(|minute| *minute < 60)?;
        if colons != rest.skip(':') {
            return None;
        }
        clock[2] = rest.number(2).filter(|second| *second < 60)?;
        if rest.skip('.') {
            micros = rest.micros();
        }
    }
    let offset = rest.zone()?;
    if !rest.0.is_empty() {
        return None;
    }
    let [hour, minute, second] = clock;
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    Some(super::super::metadata::iso_date(seconds.saturating_mul(1_000_000).saturating_add(micros)))
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin on 1 March: the leap day is the last day of a year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day
        - 1
        - 719_468
}

struct Scan<'a>(&'a str);

impl Scan<'_> {
    fn skip(&mut self, c: char) -> bool {
        let rest = self.0.strip_prefix(c);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn skip_spaces(&mut self) -> bool {
        let rest = self.0.trim_start();
        let skipped = rest.len() < self.0.len();
        self.0 = rest;
        skipped
    }

    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        let value = number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok())??;
        self.0 = rest;
        Some(value)
    }

    /// Digits behind the point as microseconds; more than six are dropped.
    fn micros(&mut self) -> i64 {
        let end = self.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        format!("{digits:0<6}").get(..6).and_then(|six| six.parse().ok()).unwrap_or(0)
    }

    /// `Z`, `±hh`, `±hhmm`, `±hh:mm` or nothing, as seconds ahead of UTC.
    fn zone(&mut self) -> Option<i64> {
        if self.skip('Z') || self.skip('z') || self.0.is_empty() {
            return Some(0);
        }
        let ahead = self.skip('+');
        if !ahead && !self.skip('-') {
            return None;
        }
        let hours = self.number(2)?;
        let minutes = if self.skip(':') || !self.0.is_empty() { self.number(2)? } else { 0 };
        let seconds = hours * 3600 + minutes * 60;
        Some(if ahead { seconds } else { -seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_become_utc_with_microseconds() {
        let same = "2020-02-03T04:05:06.700000Z";
        for text in
            ["2020-02-03T04:05:06.7Z", "2020-02-03 04:05:06.7", "20200203T040506.7", "2020-02-03T06:05:06.7+02:00"]
        {
            assert_eq!(normal(text).as_deref(), Some(same), "{text}");
        }
        assert_eq!(normal("2021-12-31").as_deref(), Some("2021-12-31T00:00:00.000000Z"));
        assert_eq!((normal("not a date"), normal("2020-13-01"), normal("2020-02-03T")), (None, None, None));
    }
}
