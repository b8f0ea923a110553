//! Attribute lists of tags, and the numbers in them (RFC 8216bis §4.2).

use alloc::{string::String, vec::Vec};
use core::{fmt, time::Duration};

/// The attributes of a tag, as they stand there; quotes are taken off.
pub(super) struct Attributes<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Attributes<'a> {
    /// Reads a list, up to the first entry that is not `NAME=value`.
    pub(super) fn parse(mut text: &'a str) -> Self {
        let mut list = Vec::new();
        while let Some((name, rest)) = text.split_once('=') {
            let (value, rest) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
            };
            list.push((name.trim(), value.trim()));
            text = rest.trim_start_matches(',');
        }
        Self(list)
    }

    /// The value of an attribute.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
    }

    /// A value that is kept.
    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(String::from)
    }

    /// A whole number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// Seconds.
    pub(super) fn seconds(&self, name: &str) -> Option<Duration> {
        seconds(self.text(name)?)
    }

    /// Whether it is `YES`.
    pub(super) fn yes(&self, name: &str) -> bool {
        self.text(name) == Some("YES")
    }
}

/// A decimal number of seconds, to the nanosecond.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if !part.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let digits = part.bytes().chain(core::iter::repeat(b'0')).take(9);
    let nanos = digits.fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let whole = if whole.is_empty() && !part.is_empty() { 0 } else { whole.parse().ok()? };
    Some(Duration::new(whole, nanos))
}

/// Seconds as text, to the microsecond.
pub(super) struct Seconds(pub Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = (self.0.as_nanos() + 500) / 1000;
        write!(f, "{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}

/// A text in quotes; characters that cannot stand there are left out.
pub(super) struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        f.write_char('"')?;
        self.0.chars().filter(|c| !matches!(c, '"' | '\n' | '\r')).try_for_each(|c| f.write_char(c))?;
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn quoted_values_may_hold_commas_and_equal_signs() {
        let list = Attributes::parse("A=1,B=\"x,y=z\", C=YES,D=1.25,E");
        assert_eq!((list.number("A"), list.text("B"), list.yes("C")), (Some(1), Some("x,y=z"), true));
        assert_eq!((list.seconds("D"), list.text("E")), (Some(Duration::from_millis(1250)), None));
    }

    #[test]
    fn seconds_are_exact_and_nothing_else_is_taken() {
        for (text, nanos) in [("9", Some(9_000_000_000)), ("0.000001", Some(1000)), ("1.", Some(1_000_000_000))] {
            assert_eq!(seconds(text).map(|time| time.as_nanos()), nanos, "{text}");
        }
        assert!(["", ".", "-1", "1e3", "1.x", "NaN"].iter().all(|text| seconds(text).is_none()));
        assert_eq!(Seconds(Duration::from_nanos(1_999_999_600)).to_string(), "2.000000");
    }
}
