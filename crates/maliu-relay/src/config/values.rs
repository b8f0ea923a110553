//! Values with units: spans of time, sizes, bit rates, tokens.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};

/// Fewest characters of a token.
const MIN_TOKEN: usize = 8;

/// Longest span of time.
const MAX_SPAN: Duration = Duration::from_secs(86_400);

/// A span of time, such as `"10s"`.
#[derive(Clone, Copy)]
pub(super) struct Span(pub(super) Duration);

/// A number of bytes, such as `"256 MiB"`, or a plain number.
#[derive(Clone, Copy)]
pub(super) struct Size(pub(super) usize);

/// Bits a second, such as `"20 Mbit/s"`.
#[derive(Clone, Copy)]
pub(super) struct BitRate(pub(super) u64);

/// A token that is not too short to be guessed at once.
pub(super) struct Token(pub(super) String);

/// A secret that signs.
pub(super) struct Secret(pub(super) String);

/// Fewest characters of a secret.
const MIN_SECRET: usize = 16;

const SPANS: [(&str, u64); 4] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
const SIZES: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
const RATES: [(&str, u64); 3] = [("bit/s", 1), ("kbit/s", 1000), ("Mbit/s", 1_000_000)];

/// The number in front of a unit, in units of 1.
fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let span = with_unit(&text, &SPANS).map(Duration::from_millis).filter(|span| *span <= MAX_SPAN);
        let wrong =
            || D::Error::custom(format!("{text:?} is not a span of time, expected one such as \"50ms\" or \"10s\""));
        span.map(Self).ok_or_else(wrong)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let size = with_unit(&text, &SIZES).and_then(|size| usize::try_from(size).ok());
        let wrong = || D::Error::custom(format!("{text:?} is not a size, expected one such as \"256 MiB\""));
        size.map(Self).ok_or_else(wrong)
    }
}

impl<'de> Deserialize<'de> for BitRate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let wrong = || D::Error::custom(format!("{text:?} is not a bit rate, expected one such as \"20 Mbit/s\""));
        with_unit(&text, &RATES).filter(|rate| *rate > 0).map(Self).ok_or_else(wrong)
    }
}

/// A text that is not shorter than this.
fn long<'de, D: Deserializer<'de>>(from: D, what: &str, least: usize) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let count = text.chars().count();
    match count < least {
        true => Err(D::Error::custom(format!("a {what} of {count} characters, expected at least {least}"))),
        false => Ok(text),
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        long(from, "token", MIN_TOKEN).map(Self)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        long(from, "secret", MIN_SECRET).map(Self)
    }
}
