//! Names and figures that are derived from what a stream says of itself.

use maliu::{
    stream::{Codec, StreamInfo},
    time::{Rounding, Ticks, TimeBase},
};

use maliu_decode::Profile;

use super::survey::{Seen, Survey};
use crate::input::Opened;

/// A time in seconds with six decimals, as ffprobe prints it.
pub(super) fn seconds(time: Ticks, base: TimeBase) -> String {
    format!("{:.6}", base.seconds(time))
}

/// A time in whole microseconds.
pub(super) fn micros(time: Ticks, base: TimeBase) -> Ticks {
    base.rescale(time, TimeBase::MICROS, Rounding::Near)
}

/// The name of the stream's profile, as ffprobe prints it, when it is known; `heard` is what its sound has told.
pub(super) fn profile(info: &StreamInfo, heard: Option<Profile>) -> Option<&'static str> {
    if let Some(heard) = heard {
        return Some(heard.name);
    }
    let rows: &[(u8, &str)] = match info.codec {
        Codec::Aac => AAC_OBJECT_TYPES,
        Codec::H264 => H264_PROFILES,
        Codec::H265 => H265_PROFILES,
        _ => return None,
    };
    let number = match info.codec {
        Codec::Aac => aac_object_type(&info.config).or(info.profile)?,
        _ => info.profile?,
    };
    rows.iter().find(|(profile, _)| *profile == number).map(|(_, name)| *name)
}

/// Samples per second of the core, when a bandwidth extension gives the sound another rate.
pub(super) fn core_rate(info: &StreamInfo, heard: Option<Profile>) -> Option<u32> {
    heard.map(|heard| heard.core_rate).filter(|rate| info.as_audio().is_some_and(|audio| audio.rate() != *rate))
}

/// `level 3.1`, when it is known.
pub(super) fn level(codec: Codec, level: Option<u8>) -> Option<String> {
    let tenths = match codec {
        Codec::H264 => level?,
        Codec::H265 => level? / 3,
        _ => return None,
    };
    Some(format!("level {}.{}", tenths / 10, tenths % 10))
}

/// The audio object type at the start of an AudioSpecificConfig (ISO 14496-3 §1.6.2.1).
fn aac_object_type(config: &[u8]) -> Option<u8> {
    let &[first, second, ..] = config else { return None };
    Some(match first >> 3 {
        31 => 32 + ((first & 7) << 3 | second >> 5),
        object_type => object_type,
    })
}

const AAC_OBJECT_TYPES: &[(u8, &str)] = &[
    (1, "Main"),
    (2, "LC"),
    (3, "SSR"),
    (4, "LTP"),
    (5, "HE-AAC"),
    (23, "LD"),
    (29, "HE-AACv2"),
    (39, "ELD"),
    (42, "xHE-AAC"),
];

const H264_PROFILES: &[(u8, &str)] = &[
    (66, "Baseline"),
    (77, "Main"),
    (88, "Extended"),
    (100, "High"),
    (110, "High 10"),
    (122, "High 4:2:2"),
    (244, "High 4:4:4 Predictive"),
];

const H265_PROFILES: &[(u8, &str)] = &[(1, "Main"), (2, "Main 10"), (3, "Main Still Picture"), (4, "Rext")];

/// The codec number of a container as text: a letter for each printable byte, else its number.
pub(super) fn tag_string(tag: u32) -> String {
    let letter = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'.' | b' ' | b'-' | b'_' => char::from(byte).to_string(),
        byte => format!("[{byte}]"),
    };
    tag.to_le_bytes().into_iter().map(letter).collect()
}

/// `r_frame_rate`, declared, and `avg_frame_rate`, of all packets, each in the place of the other where that is unknown;
/// else `0/0`.
pub(super) fn rates(info: &StreamInfo, seen: &Seen, whole: bool) -> [(&'static str, String); 2] {
    let video = info.as_video();
    let declared = video.and_then(|video| video.frame_rate);
    let counted = || {
        let span = seen.duration().filter(|span| whole && video.is_some() && span.0 > 0 && seen.packets > 1)?;
        let (num, den) = (info.time_base.num, info.time_base.den);
        let ratio = (
            u128::from(seen.packets) * u128::from(den.get()),
            u128::from(span.0.unsigned_abs()) * u128::from(num.get()),
        );
        let divisor = gcd(ratio.0, ratio.1);
        let small = (u32::try_from(ratio.0 / divisor).ok()?, u32::try_from(ratio.1 / divisor).ok()?);
        Some(small)
    };
    let show = |rate: Option<(u32, u32)>| rate.map_or_else(|| "0/0".to_owned(), |(num, den)| format!("{num}/{den}"));
    let counted = counted();
    [("r_frame_rate", show(declared.or(counted))), ("avg_frame_rate", show(counted.or(declared)))]
}

/// The greatest common divisor.
pub(super) fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

/// Name of a usual channel layout, as ffprobe prints it.
pub(super) fn channel_layout(channels: u16, mask: u32) -> Option<&'static str> {
    let rows = CHANNEL_LAYOUTS.iter();
    let mut fitting = rows.filter(|(count, bits, _)| *count == channels && (mask == 0 || *bits == mask));
    fitting.next().map(|(.., name)| *name)
}

/// (channels, WAVE channel mask, name); the first of a count is the one meant when there is no mask.
const CHANNEL_LAYOUTS: &[(u16, u32, &str)] = &[
    (1, 0x4, "mono"),
    (2, 0x3, "stereo"),
    (3, 0x7, "3.0"),
    (3, 0xb, "2.1"),
    (4, 0x107, "4.0"),
    (4, 0x33, "quad"),
    (5, 0x37, "5.0"),
    (5, 0x607, "5.0(side)"),
    (6, 0x3f, "5.1"),
    (6, 0x60f, "5.1(side)"),
    (6, 0x707, "6.0"),
    (6, 0x137, "hexagonal"),
    (7, 0x70f, "6.1"),
    (7, 0x13f, "6.1(back)"),
    (8, 0x63f, "7.1"),
    (8, 0xff, "7.1(wide)"),
    (8, 0x737, "octagonal"),
];

/// Start and length of the whole input in µs, and whether the length is only estimated.
pub(super) struct Span {
    /// Earliest time of a packet, in µs.
    pub start: Option<Ticks>,
    /// Length, in µs.
    pub duration: Option<Ticks>,
    /// Whether the length was guessed from the share of the input that was read.
    pub estimated: bool,
}

/// The span of what was opened.
pub(super) fn span(opened: &Opened, survey: &Survey) -> Span {
    let streams = opened.reader.streams().iter().enumerate();
    let times: Vec<_> = streams.map(|(index, info)| (info, survey.of(index))).collect();
    let start = times.iter().filter_map(|(info, seen)| Some(micros(info.start.or(seen.start)?, info.time_base))).min();
    let end = times.iter().filter_map(|(info, seen)| Some(micros(seen.end?, info.time_base))).max();
    let seen = end.zip(start).map(|(end, start)| end - start);
    let declared = opened.reader.duration().map(|(time, base)| micros(time, base));
    let read = opened.position().max(1);
    let guess = || {
        let share = opened.size()? as f64 / read as f64;
        Some(Ticks((seen?.0 as f64 * share) as i64))
    };
    let known = declared.or(if survey.whole { seen } else { None });
    Span { start, duration: known.or_else(guess), estimated: known.is_none() }
}

/// `bytes` in `duration` µs as bits per second.
pub(super) fn bit_rate(bytes: u64, duration: Ticks) -> Option<u64> {
    let micros = u128::try_from(duration.0).ok().filter(|micros| *micros > 0)?;
    u64::try_from(u128::from(bytes) * 8_000_000 / micros).ok()
}
