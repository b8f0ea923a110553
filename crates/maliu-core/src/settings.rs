//! `name=value` pairs → typed options: every format names its settings as data and reads them through here.
//!
//! ```
//! use maliu_core::settings::{Help, Settings};
//!
//! const HELP: &[Help] = &[Help::new("rate", "N", "25", "Pictures per second.")];
//! let mut settings = Settings::new(&[("rate", "30")], HELP);
//! assert_eq!(settings.number("rate", 1, 1000)?, Some(30));
//! settings.finish()?;
//! # Ok::<(), maliu_core::error::Error>(())
//! ```

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use crate::{
    error::{Error, Result},
    time::Ticks,
};

/// One setting as help shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Help {
    /// Name before the `=`.
    pub name: &'static str,
    /// Values allowed behind it, e.g. `0|1`, `N/D`, `µs`.
    pub value: &'static str,
    /// The value that holds when it is not set.
    pub default: &'static str,
    /// Effect, in one sentence.
    pub what: &'static str,
}

impl Help {
    /// A setting of this name, its values, the one that holds when it is not set, and its effect.
    pub const fn new(name: &'static str, value: &'static str, default: &'static str, what: &'static str) -> Self {
        Self { name, value, default, what }
    }
}

/// Pairs being read. Each `…` method takes its pair; [`Settings::finish`] refuses what is left.
#[derive(Debug)]
pub struct Settings<'a> {
    pairs: Vec<(&'a str, &'a str)>,
    known: &'static [Help],
}

impl<'a> Settings<'a> {
    /// Pairs for a reader that knows these names. Of equal names the last one counts.
    pub fn new(pairs: &[(&'a str, &'a str)], known: &'static [Help]) -> Self {
        Self { pairs: pairs.to_vec(), known }
    }

    /// The value of `name` as text.
    pub fn text(&mut self, name: &str) -> Option<&'a str> {
        let value = self.pairs.iter().rev().find(|(n, _)| *n == name)?.1;
        self.pairs.retain(|(n, _)| *n != name);
        Some(value)
    }

    /// The value of `name` as a flag: `1|yes|true|on` or `0|no|false|off`.
    ///
    /// # Errors
    /// [`Error::Setting`] for any other text.
    pub fn flag(&mut self, name: &str) -> Result<Option<bool>> {
        match self.text(name) {
            None => Ok(None),
            Some("1" | "yes" | "true" | "on") => Ok(Some(true)),
            Some("0" | "no" | "false" | "off") => Ok(Some(false)),
            Some(other) => Err(refused(name, format!("{other:?} is neither 1 nor 0"))),
        }
    }

    /// The value of `name` as a whole number between `low` and `high`.
    ///
    /// # Errors
    /// [`Error::Setting`] for anything else.
    pub fn number(&mut self, name: &str, low: i64, high: i64) -> Result<Option<i64>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse() {
            Ok(value) if (low..=high).contains(&value) => Ok(Some(value)),
            _ => Err(refused(name, format!("{text:?} is not a whole number from {low} to {high}"))),
        }
    }

    /// The value of `name` as one of these words, or the number behind it.
    ///
    /// # Errors
    /// [`Error::Setting`] for anything else.
    pub fn choice(&mut self, name: &str, words: &[(&str, i64)]) -> Result<Option<i64>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let fits = |(word, number): &&(&str, i64)| *word == text || text.parse() == Ok(*number);
        match words.iter().find(fits) {
            Some((_, number)) => Ok(Some(*number)),
            None => {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                Err(refused(name, format!("{text:?} is none of {}", words.join(", "))))
            }
        }
    }

    /// The value of `name` as a positive fraction: `25`, `30000/1001` or `29.97`.
    ///
    /// # Errors
    /// [`Error::Setting`] for anything else.
    pub fn fraction(&mut self, name: &str) -> Result<Option<(u32, u32)>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let parsed = match text.split_once('/') {
            Some((num, den)) => num.parse().ok().zip(den.parse().ok()),
            None => match text.split_once('.') {
                Some((whole, part)) if (1..=6).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()) => {
                    let den = 10u32.pow(part.len() as u32);
                    let whole = whole.parse::<u32>().ok().and_then(|w| w.checked_mul(den));
                    whole.zip(part.parse().ok()).and_then(|(w, p): (u32, u32)| w.checked_add(p)).map(|num| (num, den))
                }
                _ => text.parse().ok().map(|num| (num, 1)),
            },
        };
        match parsed {
            Some((num, den)) if num > 0 && den > 0 => Ok(Some((num, den))),
            _ => Err(refused(name, format!("{text:?} is not a positive fraction such as 25 or 30000/1001"))),
        }
    }

    /// The value of `name` as a span of time in µs: `90`, `1.5`, `-20ms`, `300us`, `1:30`, `0:01:30.5`.
    ///
    /// # Errors
    /// [`Error::Setting`] for anything else.
    pub fn duration(&mut self, name: &str) -> Result<Option<Ticks>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match micros(text) {
            Some(micros) => Ok(Some(Ticks(micros))),
            None => Err(refused(name, format!("{text:?} is not a time such as 90, 1.5, 20ms, 300us or 0:01:30.5"))),
        }
    }

    /// Refuses names that no setting has.
    ///
    /// # Errors
    /// [`Error::Setting`] with the names that are known.
    pub fn finish(self) -> Result<()> {
        self.pairs.first().map_or(Ok(()), |(name, _)| Err(unknown(name, self.known)))
    }
}

/// Names of the numbers that `strict` takes.
pub const STRICT: &[(&str, i64)] =
    &[("experimental", -2), ("unofficial", -1), ("normal", 0), ("strict", 1), ("very", 2)];

/// The error for a name that is none of these.
pub fn unknown(name: &str, known: &[Help]) -> Error {
    let mut names: Vec<&str> = known.iter().map(|help| help.name).collect();
    names.sort_unstable();
    names.dedup();
    let near = names.iter().map(|known| (distance(name, known), *known)).min();
    let why = match near {
        None => "this format has no settings".to_owned(),
        Some((steps, near)) if steps <= name.len() / 3 + 1 => {
            format!("unknown; did you mean {near}? Known are {}", names.join(", "))
        }
        Some(_) => format!("unknown; known are {}", names.join(", ")),
    };
    refused(name, why)
}

/// Flags as the reference's command line has them, `+a+b-c`, as names with `1` or `0`; those that are not named stay. A
/// list without signs, `a` or `a+b`, is one of flags that are set.
pub fn flags(text: &str) -> impl Iterator<Item = (&str, &'static str)> {
    let mut value = "1";
    text.split_inclusive(['+', '-']).filter_map(move |part| {
        let name = part.trim_end_matches(['+', '-']);
        let flag = (name, value);
        value = if part.ends_with('-') { "0" } else { "1" };
        (!name.is_empty()).then_some(flag)
    })
}

/// How many letters must be put in, taken out or changed to get from one name to the other.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().take(64).enumerate() {
        let mut corner = core::mem::replace(row.first_mut().unwrap_or(&mut 0), i + 1);
        let mut left = i + 1;
        for (place, b) in row.iter_mut().skip(1).zip(to.bytes()) {
            left = (corner + usize::from(a != b)).min(left + 1).min(*place + 1);
            corner = core::mem::replace(place, left);
        }
    }
    row.last().copied().unwrap_or(0)
}

/// A span of time in µs; plain numbers are seconds.
fn micros(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (number, unit) = match text.find(|c: char| c.is_ascii_alphabetic()) {
        Some(at) => text.split_at_checked(at)?,
        None => (text, "s"),
    };
    let unit = match unit {
        "s" => 1_000_000,
        "ms" => 1000,
        "us" => 1,
        _ => return None,
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let mut total = 0i64;
    for (place, field) in whole.split(':').enumerate() {
        let digits = !field.is_empty() && field.bytes().all(|b| b.is_ascii_digit());
        if place > 2 || !digits {
            return None;
        }
        total = total.checked_mul(60)?.checked_add(field.parse().ok()?)?;
    }
    let mut fraction = 0i64;
    let mut place = unit;
    for digit in part.bytes() {
        place /= 10;
        fraction += place * i64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    total.checked_mul(unit)?.checked_add(fraction)?.checked_mul(sign)
}

pub(crate) fn refused(name: &str, why: String) -> Error {
    Error::Setting { name: name.to_owned(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Help] = &[Help { name: "rate", value: "N/D", default: "25", what: "Pictures per second." }];

    #[test]
    fn times_are_seconds_unless_they_name_a_unit() {
        for (text, expected) in [
            ("5", Some(5_000_000)),
            ("-1.25", Some(-1_250_000)),
            ("20ms", Some(20_000)),
            ("1.5ms", Some(1_500)),
            ("-499999us", Some(-499_999)),
            ("1:30", Some(90_000_000)),
            ("1:01:30.5", Some(3_690_500_000)),
            ("", None),
            ("1:", None),
            ("5h", None),
            ("9999999999999999999", None),
            ("1.5x", None),
        ] {
            assert_eq!(micros(text), expected, "{text:?}");
        }
    }

    #[test]
    fn values_are_typed_and_leftovers_refused() {
        let mut settings = Settings::new(&[("rate", "1"), ("rate", "29.97"), ("live", "on"), ("depth", "7")], KNOWN);
        assert_eq!(settings.fraction("rate"), Ok(Some((2997, 100))));
        assert_eq!(settings.flag("live"), Ok(Some(true)));
        assert!(settings.number("depth", 0, 3).is_err());
        assert_eq!(settings.finish(), Ok(()));
        let error = Settings::new(&[("rte", "1")], KNOWN).finish().unwrap_err();
        assert_eq!(alloc::format!("{error}"), "setting rte: unknown; did you mean rate? Known are rate");
        let error = Settings::new(&[("colour", "1")], KNOWN).finish().unwrap_err();
        assert_eq!(alloc::format!("{error}"), "setting colour: unknown; known are rate");
    }

    #[test]
    fn flags_are_set_and_cleared_by_their_signs() {
        for (text, expected) in [
            ("+a+b-c", &[("a", "1"), ("b", "1"), ("c", "0")][..]),
            ("a", &[("a", "1")]),
            ("a+b", &[("a", "1"), ("b", "1")]),
            ("-a", &[("a", "0")]),
            ("", &[]),
        ] {
            assert_eq!(flags(text).collect::<Vec<_>>(), expected, "{text:?}");
        }
    }

    #[test]
    fn names_are_near_by_their_letters() {
        for (a, b, steps) in
            [("rate", "rate", 0), ("rte", "rate", 1), ("flush_packet", "flush_packets", 1), ("", "ab", 2)]
        {
            assert_eq!(distance(a, b), steps, "{a} {b}");
        }
    }
}
