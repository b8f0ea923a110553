//! Effects of onMetaData and its kin on a file's tags, streams and duration (FLD-14…FLD-17).

use alloc::{format, string::String, vec::Vec};

use crate::{
    format::Declared,
    stream::Metadata,
    syntax::amf::Value,
    time::{Rounding, Ticks, TimeBase},
};

use super::streams::Promise;

/// Largest denominator and numerator of a frame rate from metadata (FLD-15).
const MAX_RATE: u64 = 1000;

/// Keys that describe the file's structure and are left out of its tags (FLD-16).
const STRUCTURAL: &[&str] = &[
    "duration",
    "filesize",
    "width",
    "height",
    "videodatarate",
    "framerate",
    "videocodecid",
    "audiodatarate",
    "audiosamplerate",
    "audiosamplesize",
    "stereo",
    "audiocodecid",
    "datastream",
];

/// Encoders whose PreviousTagSize is known to be wrong (FLD-15).
fn writes_bad_sizes(key: &str, text: &str) -> bool {
    let starts = |prefix: &str| text.get(..prefix.len()).is_some_and(|start| start == prefix);
    match key {
        "encoder" => text.strip_prefix("Open Broadcaster Software v0.").is_some_and(|minor| {
            let digits: String = minor.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<u32>().is_ok_and(|minor| (1..=655).contains(&minor))
        }),
        "metadatacreator" => text == "MEGA" || starts("FlixEngine"),
        _ => false,
    }
}

/// Everything that one metadata tag said.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// The length it promises, in µs.
    pub duration: Option<Ticks>,
    /// Facts that it declares of streams.
    pub promise: Promise,
    /// Text streams it announces.
    pub text_streams: usize,
    /// Whether PreviousTagSize is not to be looked at.
    pub bad_sizes: bool,
    /// Whether tags were set.
    pub tags_changed: bool,
    /// Key frames: (time in ms, offset).
    pub keyframes: Option<Vec<(i64, u64)>>,
}

/// Applies the value behind the name of a metadata tag. With `all` structural keys become tags too.
pub(super) fn apply(name: &str, value: &Value, tags: &mut Metadata, all: bool) -> Effects {
    let mut effects = Effects::default();
    walk(Some(name), value, 0, tags, all, &mut effects);
    effects.promise.size = size(value);
    effects
}

fn walk(key: Option<&str>, value: &Value, depth: usize, tags: &mut Metadata, all: bool, effects: &mut Effects) {
    match value {
        Value::Object(members) => {
            if key == Some("keyframes") && depth == 1 && effects.keyframes.is_none() {
                effects.keyframes = keyframes(value);
            }
            for (key, value) in members {
                walk(Some(key), value, depth + 1, tags, all, effects);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| walk(None, value, depth + 1, tags, all, effects)),
        _ => {}
    }
    let Some(key) = key else { return };
    if depth == 1 {
        structure(key, value, effects);
    }
    if STRUCTURAL.contains(&key) && !all {
        return;
    }
    let text = match value {
        Value::Bool(value) => String::from(if *value { "true" } else { "false" }),
        Value::Number(value) => whole(*value),
        Value::Text(text) => text.clone(),
        Value::Date(ms) => iso_date(TimeBase::MILLIS.rescale(Ticks(*ms as i64), TimeBase::MICROS, Rounding::Near).0),
        _ => return,
    };
    tags.set(key, text);
    effects.tags_changed = true;
}

/// Members of the outermost object that say something of the file itself.
fn structure(key: &str, value: &Value, effects: &mut Effects) {
    let number = match value {
        Value::Number(number) => *number,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Text(text) => {
            effects.bad_sizes |= writes_bad_sizes(key, text);
            return;
        }
        _ => return,
    };
    // The reference keeps bit rates in 32 bits with a sign.
    let rate = (number * 1024.0 >= 0.0 && number * 1024.0 < 2_147_483_648.0).then_some((number * 1024.0) as u64);
    match key {
        // Live files say 0, which is no length.
        "duration" => effects.duration = Some(Ticks((number * 1e6) as i64)).filter(|time| *time > Ticks(0)),
        "videodatarate" => effects.promise.video_rate = rate,
        "audiodatarate" => effects.promise.audio_rate = rate,
        "framerate" => effects.promise.frame_rate = fraction(number),
        "datastream" => effects.text_streams += 1,
        _ => {}
    }
}

/// Takes over what is declared of the whole file, as it is written.
pub(super) fn declare(value: &Value, declared: &mut Declared) {
    let number = |name| value.member(name)?.number();
    declared.duration = number("duration");
    declared.size = number("filesize").filter(|bytes| *bytes >= 1.0).map(|bytes| bytes as u64);
    let list = |name| match value.member("keyframes")?.member(name) {
        Some(Value::Numbers(list)) => Some(list.clone()),
        Some(Value::Array(list)) => Some(list.iter().filter_map(Value::number).collect()),
        _ => Some(Vec::new()),
    };
    let places = list("filepositions").map(|places| places.into_iter().map(|place| place as u64).collect());
    declared.index = places.zip(list("times"));
}

/// Width and height, which the reference ignores; here they serve streams that say nothing themselves.
fn size(value: &Value) -> Option<(u32, u32)> {
    let side = |name| value.member(name)?.number().filter(|n| (1.0..65_536.0).contains(n)).map(|n| n as u32);
    side("width").zip(side("height"))
}

/// The members `times` and `filepositions` as key frames (FLD-17).
fn keyframes(value: &Value) -> Option<Vec<(i64, u64)>> {
    let (mut times, mut positions) = (None, None);
    for (name, list) in value.members() {
        match (name.as_str(), list) {
            ("times", Value::Numbers(list)) if times.is_none() => times = Some(list),
            ("filepositions", Value::Numbers(list)) if positions.is_none() => positions = Some(list),
            _ => break,
        }
    }
    let (times, positions) = (times?, positions?);
    let fits = |n: &f64| n.is_finite() && n.abs() < 9.2e15;
    if times.len() != positions.len() || times.len() <= 1 || !times.iter().chain(positions).all(fits) {
        return None;
    }
    let pairs = times.iter().zip(positions).map(|(time, at)| ((time * 1000.0) as i64, at.max(0.0) as u64));
    Some(pairs.collect())
}

/// A number without decimals, as C prints it.
fn whole(number: f64) -> String {
    if number.is_nan() {
        return String::from(if number.is_sign_negative() { "-nan" } else { "nan" });
    }
    format!("{number:.0}")
}

/// The fraction nearest to `number` whose parts are at most [`MAX_RATE`]: the last convergent of its continued fraction
/// that fits, or the best intermediate one.
fn fraction(number: f64) -> Option<(u32, u32)> {
    if !number.is_finite() || number <= 0.0 || number > MAX_RATE as f64 {
        return None;
    }
    // A double has 53 bits, so this numerator is exact for every rate that is at least a thousandth.
    let scale = 1u64 << 52;
    let (mut num, mut den) = (u128::from((number * scale as f64) as u64), u128::from(scale));
    if number >= 1.0 {
        (num, den) = ((number * (1u64 << 40) as f64) as u128, 1 << 40);
    }
    let (mut before, mut last) = ((0u64, 1u64), (1u64, 0u64));
    while den != 0 {
        let quotient = u64::try_from(num / den).unwrap_or(u64::MAX);
        let next = |a: u64, b: u64, q: u64| b.saturating_mul(q).saturating_add(a);
        let made = (next(before.0, last.0, quotient), next(before.1, last.1, quotient));
        if made.0 > MAX_RATE || made.1 > MAX_RATE {
            return Some(intermediate(number, before, last));
        }
        (before, last) = (last, made);
        (num, den) = (den, num % den);
    }
    Some((last.0 as u32, last.1 as u32))
}

/// Of the last convergent that fits and the largest step towards the next one, the nearer.
fn intermediate(number: f64, before: (u64, u64), last: (u64, u64)) -> (u32, u32) {
    let room = |before: u64, last: u64| (MAX_RATE - before).checked_div(last).unwrap_or(u64::MAX);
    let steps = room(before.0, last.0).min(room(before.1, last.1));
    let step = (before.0 + last.0 * steps, before.1 + last.1 * steps);
    let off = |(num, den): (u64, u64)| if den == 0 { f64::INFINITY } else { (num as f64 / den as f64 - number).abs() };
    let (num, den) = if off(step) < off(last) { step } else { last };
    (num as u32, den as u32)
}

/// Microseconds since 1970 as ISO 8601, in UTC.
pub(super) fn iso_date(us: i64) -> String {
    let (days, rest) = (us.div_euclid(86_400_000_000), us.rem_euclid(86_400_000_000));
    let (seconds, us) = (rest / 1_000_000, rest % 1_000_000);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{us:06}Z")
}

/// The date of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
fn civil(days: i64) -> (i64, i64, i64) {
    // Eras of 400 years that begin on 1 March: the leap day is the last day of a year.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (shift, month_day) = (i64::from(month >= 10), day - (153 * month + 2) / 5 + 1);
    (era * 400 + year + shift, if month < 10 { month + 3 } else { month - 9 }, month_day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_rates_become_the_nearest_small_fraction() {
        for (number, expected) in
            [(25.0, (25, 1)), (29.97, (989, 33)), (15.1666666, (91, 6)), (0.5, (1, 2)), (12.5, (25, 2))]
        {
            assert_eq!(fraction(number), Some(expected), "{number}");
        }
        assert_eq!((fraction(0.0), fraction(f64::NAN), fraction(-25.0)), (None, None, None));
    }

    #[test]
    fn dates_are_utc_with_microseconds() {
        assert_eq!(iso_date(1_181_660_591_528_000), "2007-06-12T15:03:11.528000Z");
        assert_eq!(iso_date(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(iso_date(951_782_400_000_000), "2000-02-29T00:00:00.000000Z");
    }

    #[test]
    fn numbers_lose_their_decimals_to_even() {
        assert_eq!([2.5, 3.5, 0.33, -0.2].map(whole), ["2", "4", "0", "-0"]);
    }

    #[test]
    fn a_duration_of_nothing_is_none() {
        for (said, duration) in [(0.0, None), (-1.0, None), (f64::NAN, None), (0.5, Some(Ticks(500_000)))] {
            let value = Value::Object(alloc::vec![("duration".into(), Value::Number(said))]);
            assert_eq!(apply("onMetaData", &value, &mut Metadata::default(), false).duration, duration, "{said}");
        }
    }

    #[test]
    fn tags_come_from_any_depth_and_structure_from_the_first() {
        let inner =
            Value::Object(alloc::vec![("duration".into(), Value::Number(9.0)), ("x".into(), Value::Bool(true))]);
        let value = Value::Object(alloc::vec![
            ("duration".into(), Value::Number(1.5)),
            ("cue".into(), inner),
            ("encoder".into(), Value::Text("Open Broadcaster Software v0.55b".into())),
        ]);
        let mut tags = Metadata::default();
        let effects = apply("onMetaData", &value, &mut tags, false);
        assert_eq!(effects.duration, Some(Ticks(1_500_000)));
        assert!(effects.bad_sizes);
        assert_eq!(tags.entries().iter().map(|(k, _)| k.as_str()).collect::<Vec<_>>(), ["x", "encoder"]);
    }
}
